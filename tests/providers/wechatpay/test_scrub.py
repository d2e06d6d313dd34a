import json

import pytest

from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.wallets import Wallet

PRICE = Money.cny("18.00")
CODE = "134567890123456789"
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


def transcript(stall) -> bytes:
    """Everything that crossed the wire, as a log would hold it."""
    parts = []
    for message in (*stall.transport.requests, *stall.transport.replies):
        parts += [f"{name}: {value}".encode() for name, value in message.headers.lines]
        parts.append(message.body)
    return b"\r\n".join(parts)


@pytest.fixture
async def busy(stall):
    """A stall that has done everything secret once."""
    stall.purses.show(CODE, Wallet.WECHAT)
    await stall.provider.create(stall.intent(PRICE, way=Way.PAYER_CODE, payer_code=CODE), stall.call)
    in_app = stall.intent(PRICE, "Latte20260701A2", way=Way.IN_APP, payer_id=OPENID)
    await stall.provider.create(in_app, stall.call)
    await stall.provider.refresh(stall.call)
    return stall


async def test_no_secret_stands_in_a_scrubbed_transcript(busy) -> None:
    raw = transcript(busy)

    clean = busy.provider.scrub(raw)

    for secret in (CODE, OPENID):
        assert secret.encode() in raw
        assert secret.encode() not in clean
    for request in busy.transport.requests:
        signature = request.headers.get("Authorization").split('signature="')[1].split('"')[0]
        assert signature.encode() in raw
        assert signature.encode() not in clean
    for reply in busy.transport.replies:
        assert reply.headers.get("Wechatpay-Signature").encode() not in clean
    assert b"ciphertext" in clean
    assert (
        json.loads(busy.transport.replies[-1].body)["data"][0]["encrypt_certificate"]["ciphertext"].encode()
        not in clean
    )


async def test_what_explains_a_payment_stays(busy) -> None:
    clean = busy.provider.scrub(transcript(busy)).decode()

    for word in (
        "Latte20260701A1",
        "1800",
        busy.merchant["mchid"],
        "out_trade_no",
        "SUCCESS",
        "Wechatpay-Serial",
    ):
        assert word in clean


async def test_secrets_are_masked_in_json_inside_strings_and_in_reprs(busy) -> None:
    nested = json.dumps({"body": json.dumps({"payer": {"openid": OPENID}, "paySign": "CANARY"})}).encode()
    listed = repr(
        [
            ("Wechatpay-Signature", "CANARY+/="),
            ("Authorization", 'WECHATPAY2-SHA256-RSA2048 mchid="1",signature="CANARY"'),
        ]
    ).encode()
    keys = busy.merchant["private_key"].encode() + b" " + busy.merchant["apiv3_key"].encode()
    link = b"https://api.mch.weixin.qq.com/v3/billdownload/file?token=CANARY&x=1 package=prepay_id=CANARY"

    for raw in (nested, listed, link):
        clean = busy.provider.scrub(raw)
        assert b"CANARY" not in clean
        assert OPENID.encode() not in clean
    assert busy.provider.scrub(keys) == b"***\n ***"


async def test_scrubbing_is_total_and_repeatable(busy) -> None:
    for raw in (b"", b"\xff\xfe\x00", b'"openid":"' * 2000, b'\\"openid\\":\\"' * 2000, transcript(busy)):
        once = busy.provider.scrub(raw)
        assert busy.provider.scrub(once) == once


async def test_no_secret_stands_in_a_repr(busy) -> None:
    secrets = (CODE, busy.merchant["apiv3_key"], busy.merchant["private_key"].splitlines()[1])

    shown = repr([busy.settings, busy.provider, vars(busy.provider), busy.plugin, busy.transport.requests])

    assert [secret for secret in secrets if secret in shown] == []
