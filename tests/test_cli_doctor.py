"""`moongate doctor`: each ailment of a configured account is told by name, and no secret with it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot.catalogue import read_catalogue
from bot.cli import main
from bot.cli.checkup import Patient, examine, reach
from bot.cli.gateway import write_merchant
from bot.settings import AccountName
from bot.transport import close_client, open_client
from providers.sdk.doctor import Weight
from providers.sdk.gateway import Fault
from providers.sdk.testing import NOON, Stall
from providers.sdk.transport import Headers, HttpReply

PLUGINS = read_catalogue().plugins
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = OTHER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
OTHER_PUBLIC = OTHER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
ALIPAY_PUBLIC = {"app_cert": "", "alipay_cert": "", "root_cert": ""}


def patient(stall, settings=None):
    name = AccountName(stall.plugin.info.id)
    whole = settings or stall.settings
    return Patient(name, stall.plugin, whole, stall.keys, stall.call, "https://shop.example/notify")


async def told(stall, *, ill_only=True, **overrides):
    """What the doctor says of the stall's account with some settings replaced."""
    settings = stall.settings_with(**overrides)
    seen = [finding async for finding in examine(patient(stall, settings))]
    lines = [f"{finding.weight} {finding.about}: {finding.text}" for finding in seen]
    return [line for line in lines if line.startswith("no ")] if ill_only else lines


@pytest.mark.parametrize("provider", sorted(PLUGINS))
async def test_a_sound_account_is_found_sound(provider):
    stall = Stall(PLUGINS[provider])

    assert await told(stall) == []


@pytest.mark.parametrize(
    ("provider", "first"), [("wechatpay", "GET⏎"), ("unionpay", "accessType="), ("alipay", "app_id=")]
)
async def test_the_signed_bytes_are_shown_with_length_and_digest_and_no_secret(provider, first):
    stall = Stall(PLUGINS[provider])

    [signed] = [line for line in await told(stall, ill_only=False) if "signed bytes" in line]

    assert "SHA-256" in signed
    assert first in signed


async def test_what_the_doctor_says_holds_no_secret():
    for provider in PLUGINS:
        stall = Stall(PLUGINS[provider])

        said = "\n".join(await told(stall, ill_only=False))

        for name, field in stall.plugin.settings.model_fields.items():
            value = getattr(stall.settings, name)
            if "Secret" in str(field.annotation) and value.get_secret_value():
                assert value.get_secret_value() not in said, (provider, name)
        assert "PRIVATE KEY-----" not in said


AILMENTS = {
    "WeChat Pay, a wrong key": ("wechatpay", {"private_key": OTHER_KEY}, "private_key: WeChat Pay knows the serial, and the signature does not fit"),
    "WeChat Pay, a wrong serial": ("wechatpay", {"serial_no": "A" * 40}, "serial_no: WeChat Pay does not know this serial"),
    "WeChat Pay, another merchant": ("wechatpay", {"mchid": "1999999999"}, "mchid: WeChat Pay cannot make out the merchant"),
    "WeChat Pay, 31 bytes": ("wechatpay", {"apiv3_key": "x" * 31}, "apiv3_key: It has 31 bytes, not 32. One character was lost"),
    "WeChat Pay, a line end in the APIv3 key": ("wechatpay", {"apiv3_key": "x" * 32 + "\n"}, "apiv3_key: It has 33 bytes with blanks"),
    "WeChat Pay, a wrong public key": ("wechatpay", {"public_key": OTHER_PUBLIC}, "public_key: It does not verify with the key set under PUB_KEY_ID_"),
    "WeChat Pay, half of public-key mode": ("wechatpay", {"public_key": ""}, "public_key_id: The id (PUB_KEY_ID_…) and public_key go together"),
    "WeChat Pay, mojibake": ("wechatpay", {"transfer_scene_report": {"活动".encode().decode("latin-1"): "x"}}, "transfer_scene_report: It is UTF-8 that was read as Latin-1"),
    "Alipay, a wrong key": ("alipay", {**ALIPAY_PUBLIC, "private_key": OTHER_KEY}, "private_key: Alipay's signature check failed"),
    "Alipay, a certificate of another key": ("alipay", {"private_key": OTHER_KEY}, "app_cert: It certifies another key"),
    "Alipay, another application": ("alipay", {**ALIPAY_PUBLIC, "app_id": "2021000000000001"}, "app_id: Alipay does not know this application"),
    "Alipay, a wrong public key": ("alipay", {**ALIPAY_PUBLIC, "alipay_public_key": OTHER_PUBLIC}, "alipay_public_key: Alipay's answer does not verify with it"),
    "Alipay, another application's certificate": ("alipay", {"app_id": "2021000000000001"}, "app_cert: The certificate is for another application"),
    "UnionPay, a wrong certId": ("unionpay", {"cert_id": "12345"}, "cert_id: The certificate's decimal serial is"),
}  # fmt: skip


@pytest.mark.parametrize(("provider", "overrides", "said"), AILMENTS.values(), ids=AILMENTS.keys())
async def test_an_ailment_is_told_by_name(provider, overrides, said):
    stall = Stall(PLUGINS[provider])

    lines = await told(stall, **overrides)

    assert any(line.removeprefix("no ").startswith(said) for line in lines), lines


async def test_a_swapped_pair_is_told_at_wechat_pay_and_alipay():
    for provider, setting, overrides in (
        ("wechatpay", "public_key", {}),
        ("alipay", "alipay_public_key", ALIPAY_PUBLIC),
    ):
        stall = Stall(PLUGINS[provider])
        own = _public_half(stall.settings.private_key.get_secret_value())

        lines = await told(stall, **{**overrides, setting: own})

        assert any(f"{setting}: It is the public half of your own private key" in line for line in lines)


async def test_unionpay_s_own_wrong_key_certificate_and_authorities_are_told():
    stall = Stall(PLUGINS["unionpay"])
    text = stall.settings.sign_key.get_secret_value()
    certificate = text[text.index("-----BEGIN CERT") :]

    wrong_key = await told(stall, sign_key=OTHER_KEY + certificate)
    swapped = await told(stall, root_cert=stall.settings.middle_cert, middle_cert=stall.settings.root_cert)

    assert any("sign_key: It certifies another key" in line for line in wrong_key)
    assert any("sign_key: UnionPay's check of our signature failed" in line for line in wrong_key)
    assert any("middle_cert: It was not issued by root_cert" in line for line in swapped)


async def test_unionpay_s_certificate_of_another_merchant_is_told():
    from cryptography import x509

    stall = Stall(PLUGINS["unionpay"])
    certificate = _certificate(x509, "041@777290058119999@SHOP@00000001").decode()

    lines = await told(stall, sign_key=OTHER_KEY + certificate)

    assert any(
        "sign_key: The certificate is for another merchant: it names 777290058119999" in line
        for line in lines
    )


async def test_wechat_pay_s_certificate_beside_the_key_tells_serial_and_merchant(tmp_path):
    from cryptography import x509

    stall = Stall(PLUGINS["wechatpay"])
    (tmp_path / "apiclient_key.pem").write_text(OTHER_KEY)
    (tmp_path / "apiclient_cert.pem").write_bytes(_certificate(x509, "1900000109"))

    lines = await told(stall, private_key=str(tmp_path / "apiclient_key.pem"))

    assert any("serial_no: The certificate beside private_key has the serial 0ABC" in line for line in lines)
    assert any("mchid: The certificate is for another merchant" in line for line in lines)


async def test_an_answer_in_gbk_is_told():
    stall = Stall(PLUGINS["alipay"])

    async def in_gbk(_request):
        return HttpReply(200, body='{"error_response":{"sub_msg":"无效签名"}}'.encode("gbk"))

    stall.transport.send = in_gbk

    lines = await told(stall)

    assert any("charset: The answer: Its bytes are GBK where UTF-8 is wanted" in line for line in lines)


@pytest.mark.fault("B19")
@pytest.mark.parametrize(("ahead_s", "weight"), [(0, Weight.FINE), (60, Weight.NOTE), (400, Weight.WRONG)])
async def test_the_clock_is_compared_with_the_institution_s(ahead_s, weight):
    stall = Stall(PLUGINS["wechatpay"])
    honest = stall.transport.send

    async def dated(request):
        reply = await honest(request)
        theirs = NOON - timedelta(seconds=ahead_s)
        date = ("Date", theirs.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        return replace(reply, headers=Headers((*reply.headers.lines, date)))

    stall.transport.send = dated
    seen = [finding async for finding in examine(patient(stall))]

    [clock] = [finding for finding in seen if finding.about == "clock"]
    assert clock.weight is weight


async def test_silence_and_refused_connections_are_told_apart():
    stall = Stall(PLUGINS["unionpay"])
    stall.faults.arm(Fault.TIMEOUT_BEFORE)
    silent = await told(stall)
    stall.transport.refuse()

    refused = await told(stall)

    assert "signature: No answer that can be believed: No answer in time." in silent[0]
    assert "base_url: Nothing could be sent: The connection was refused." in refused[0]


@pytest.mark.fault("P7")
@pytest.mark.parametrize(
    ("status", "said"),
    [(405, "leads here"), (404, "something else than Moongate"), (301, "institutions do not follow")],
)
async def test_the_notification_address_is_tried(status, said):
    async def answer(_):
        return web.Response(status=status)

    app = web.Application()
    app.router.add_route("GET", "/notify/x/main", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = open_client()

    url = f"http://127.0.0.1:{runner.addresses[0][1]}/notify/x/main"
    seen = [finding.text async for finding in reach(url, client)]

    await close_client(client)
    await runner.cleanup()
    assert "not https" in seen[0]
    assert "no institution can reach it" in seen[1]
    assert said in seen[2]


def test_the_command_examines_every_account_and_exits_1_when_one_is_ill(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    merchant = {**Stall(PLUGINS["wechatpay"]).merchant, "apiv3_key": "x" * 31}
    lines = ["PROVIDERS=wechatpay,unionpay", *write_merchant(tmp_path / "keys", "wechatpay", merchant)]
    (tmp_path / ".env").write_text("\n".join(lines))

    result = CliRunner().invoke(main, ["doctor", "--offline"])

    assert result.exit_code == 1, result.output
    assert "no    apiv3_key: It has 31 bytes" in result.output
    assert "x" * 31 not in result.output
    assert "no    settings: Settings are wrong." in result.output.partition("\nunionpay\n")[2]


def test_an_env_file_in_gbk_is_told_before_anything_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes("# 月门小店\nLOG_LEVEL=info\n".encode("gbk"))

    result = CliRunner().invoke(main, ["doctor"])

    assert result.exit_code == 1
    assert ".env: Its bytes are GBK where UTF-8 is wanted" in result.output


def test_without_accounts_it_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(main, ["doctor"])

    assert result.exit_code == 0
    assert "It names no account" in result.output


def _public_half(private_text):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(private_text.encode(), None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _certificate(x509, merchant):
    from cryptography.hazmat.primitives import hashes

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, merchant)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(0xABC)
    builder = builder.not_valid_before(NOON - timedelta(days=1)).not_valid_after(NOON + timedelta(days=90))
    return builder.public_key(OTHER.public_key()).sign(OTHER, hashes.SHA256()).public_bytes(Encoding.PEM)
