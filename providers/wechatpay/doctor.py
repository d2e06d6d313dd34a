"""What an operator of a WeChat Pay account may have wrong, named. See `providers.sdk.doctor`.

The merchant's certificate is no setting, since only its serial travels; but the certificate tool writes
`apiclient_cert.pem` beside `apiclient_key.pem`, and there it tells whether key, serial and merchant belong together.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from providers.sdk.doctor import (
    Finding,
    Pair,
    examine_certificate,
    examine_private,
    examine_public,
    fine,
    mix_up,
    note,
    read_setting,
    serial_of,
    signed_by,
    why_unverified,
    wrong,
)
from providers.sdk.errors import ReplyError
from providers.sdk.transport import HttpReply, HttpRequest
from providers.wechatpay import signing
from providers.wechatpay.settings import WeChatPaySettings

_ITEM: Final = re.compile(r'([a-z_]+)="([^"]*)"')
_APPID: Final = re.compile(r"wx[0-9a-f]{16}", re.ASCII)
_SERIAL: Final = re.compile(r"[0-9A-F]{32,40}", re.ASCII)
_BESIDE: Final = "apiclient_cert.pem"

# What stands in the message of a 401, and what it means. WeChat Pay, APIv3, "signature questions".
_REFUSALS: Final = (
    ("证书序列号", "serial_no", "WeChat Pay does not know this serial for this merchant: set the serial of the certificate that private_key came with (openssl x509 -serial -noout -in apiclient_cert.pem)."),
    ("timestamp", "clock", "WeChat Pay finds the signed time more than five minutes off: set this machine's clock (NTP)."),
    ("Authorization", "mchid", "WeChat Pay cannot make out the merchant: check mchid, and that no proxy changes the Authorization header."),
    ("验签失败", "private_key", "WeChat Pay knows the serial, and the signature does not fit it: private_key is the wrong key, not the one of the certificate serial_no names; or a proxy changed the body."),
)  # fmt: skip


class WeChatPayDoctor:
    """`providers.sdk.doctor.Doctor`."""

    def examine(self, settings: WeChatPaySettings, now: datetime) -> Sequence[Finding]:
        """Every key the account has, and what would stop it."""
        return list(_examine(settings, now))

    def signed_text(self, request: HttpRequest) -> bytes:
        """Five lines: method, path with query, time, nonce, body."""
        items = dict(_ITEM.findall(request.headers.get("Authorization") or ""))
        if "signature" not in items:
            return b""
        signed = signing.SignedRequest(
            method=request.method,
            target=request.target,
            timestamp=items.get("timestamp", ""),
            nonce=items.get("nonce_str", ""),
            body=request.body,
        )
        return signed.message

    def explain(self, settings: WeChatPaySettings, reply: HttpReply) -> Sequence[Finding]:
        """An unsigned 401 is about our signature; a signed answer, about WeChat Pay's."""
        if said := mix_up(reply.body):
            return [wrong("reply", said)]
        if signing.is_unsigned(reply.headers):
            return list(_refused(reply))
        return list(_unverified(settings, reply))


def _examine(settings: WeChatPaySettings, now: datetime) -> Iterator[Finding]:
    own, findings = examine_private(settings.private_key, "private_key")
    yield from findings
    yield from _numbers(settings)
    yield _apiv3(settings.apiv3_key.get_secret_value())
    if own is not None:
        yield from _beside(settings, own, now)
    yield from _institution(settings, own, now)
    for name, value in settings.transfer_scene_report.items():
        if said := mix_up(f"{name}{value}"):
            yield wrong("transfer_scene_report", said)


def _numbers(settings: WeChatPaySettings) -> Iterator[Finding]:
    if not _APPID.fullmatch(settings.appid):
        yield note(
            "appid",
            "It is not of the form wx and 16 hexadecimal digits: is it the appid, not an openid or AppSecret?",
        )
    serial = settings.serial_no
    if _SERIAL.fullmatch(serial.upper()):
        yield fine("serial_no", f"{serial}; the merchant is {settings.mchid}.")
    else:
        yield wrong(
            "serial_no",
            f"{serial} is no serial in hexadecimal (40 digits without colons): openssl x509 -serial -noout -in {_BESIDE}.",
        )


def _apiv3(key: str) -> Finding:
    octets = len(key.encode())
    if key != key.strip() or (key[:1] in {"'", '"'} and key[:1] == key[-1:]):
        return wrong(
            "apiv3_key",
            f"It has {octets} bytes with blanks, line ends or quotation marks around it: take them away.",
        )
    if octets == signing.APIV3_KEY_BYTES:
        return fine(
            "apiv3_key",
            "32 bytes. Whether it is the one in force shows the first notification or certificate.",
        )
    missing = " One character was lost when it was copied." if octets == signing.APIV3_KEY_BYTES - 1 else ""
    return wrong(
        "apiv3_key",
        f"It has {octets} bytes, not 32.{missing} WeChat Pay never shows it again: set a new one in the merchant platform, API security.",
    )


def _beside(settings: WeChatPaySettings, own: Pair, now: datetime) -> Iterator[Finding]:
    """The merchant's certificate, if it lies where the certificate tool has put it, or in the same PEM."""
    certificate = _merchant_certificate(settings.private_key.get_secret_value())
    if certificate is None:
        yield note(
            "serial_no",
            f"{_BESIDE} does not lie beside private_key: whether the serial is its own, only WeChat Pay can tell.",
        )
        return
    yield from examine_certificate(certificate, _BESIDE, now, own=own)
    if serial_of(certificate).lstrip("0") != settings.serial_no.upper().lstrip("0"):
        yield wrong(
            "serial_no",
            f"The certificate beside private_key has the serial {serial_of(certificate)}: set that one.",
        )
    subject = certificate.subject.rfc4514_string()
    if re.search(r"CN=[0-9]{8,10}(,|$)", subject) and f"CN={settings.mchid}" not in subject:
        yield wrong(
            "mchid",
            f"The certificate is for another merchant: its subject is {subject}, and mchid is {settings.mchid}.",
        )


def _merchant_certificate(setting: str) -> x509.Certificate | None:
    try:
        if "-----BEGIN" in setting:
            return next(iter(x509.load_pem_x509_certificates(setting.encode())), None)
        path = Path(setting).expanduser().with_name(_BESIDE)
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _institution(settings: WeChatPaySettings, own: Pair | None, now: datetime) -> Iterator[Finding]:
    if settings.public_key_id or settings.public_key:
        yield from _public(settings, own)
    if settings.platform_certificates:
        yield from _platform(settings.platform_certificates, own, now)
    elif not settings.public_key:
        yield note(
            "platform_certificates",
            "None is set: they are downloaded at start, which the APIv3 key must open.",
        )


def _public(settings: WeChatPaySettings, own: Pair | None) -> Iterator[Finding]:
    name = settings.public_key_id
    if not name.startswith(signing.PUBLIC_KEY_PREFIX) or not settings.public_key:
        yield wrong(
            "public_key_id",
            "The id (PUB_KEY_ID_…) and public_key go together: set both, or neither for certificate mode.",
        )
        return
    yield fine("public_key_id", f"{name}; WeChat Pay is asked to sign with it.")
    yield from examine_public(settings.public_key, "public_key", own, "WeChat Pay")[1]


def _platform(setting: str, own: Pair | None, now: datetime) -> Iterator[Finding]:
    text, findings = read_setting(setting, "platform_certificates")
    yield from findings
    try:
        bundle = signing.certificates(text.encode())
    except ValueError:
        bundle = ()
    if text and not bundle:
        yield wrong(
            "platform_certificates",
            "It is no bundle of certificates in PEM: download it again, or leave it empty.",
        )
    for certificate in bundle:
        if own is not None and certificate.public_key() == own.key.public_key():
            yield wrong(
                "platform_certificates",
                f"It is your own merchant certificate ({_BESIDE}): WeChat Pay's belongs here, or nothing.",
            )
        else:
            yield from examine_certificate(certificate, "platform_certificates", now)


def _refused(reply: HttpReply) -> Iterator[Finding]:
    try:
        fields = json.loads(reply.body)
        code, message = str(fields["code"]), str(fields["message"])
    except (ValueError, LookupError, TypeError):
        yield wrong(
            "reply",
            f"HTTP {reply.status} without a signature, and not WeChat Pay's words: is a proxy in between, or base_url another's?",
        )
        return
    for hint, about, words in _REFUSALS:
        if hint in message:
            yield wrong(about, f"{words} It said: {code} {message}")
            return
    yield wrong("reply", f"HTTP {reply.status}, unsigned: {code} {message}")


def _unverified(settings: WeChatPaySettings, reply: HttpReply) -> Iterator[Finding]:
    """Which of our keys should have signed, and why it did not verify. Silent when it did."""
    try:
        name = reply.headers.get("Wechatpay-Serial") or ""
        head = [reply.headers.get(f"Wechatpay-{part}") or "" for part in ("Timestamp", "Nonce")]
        signature = reply.headers.get("Wechatpay-Signature") or ""
    except ReplyError as error:
        yield wrong("reply", f"{error} A proxy in between doubles headers.")
        return
    keys = _known(settings)
    if not keys:  # certificate mode: what was downloaded lies with the host
        return
    if name not in keys:
        names = ", ".join(sorted(keys)) or "none"
        yield wrong(
            "reply",
            f"It is signed by {name}, which is not set here (set: {names}): take that key from the merchant platform, or the certificate of that serial.",
        )
        return
    said = why_unverified(
        reply.body, lambda body: signed_by([keys[name]], signing.sealed_lines(*head, body), signature)
    )
    if not said:
        said = f"It does not verify with the key set under {name}: that is the wrong key for this name, or the body was changed on the way."
        yield wrong("public_key" if name == settings.public_key_id else "platform_certificates", said)
    elif "nothing is wrong" not in said:
        yield wrong("reply", said)


def _known(settings: WeChatPaySettings) -> dict[str, RSAPublicKey]:
    keys: dict[str, RSAPublicKey] = {}
    text, _ = read_setting(settings.platform_certificates, "") if settings.platform_certificates else ("", [])
    try:
        bundle = signing.certificates(text.encode())
    except ValueError:
        bundle = ()
    for one in bundle:
        key = one.public_key()
        if isinstance(key, RSAPublicKey):
            keys[serial_of(one)] = key
    if settings.public_key:
        public, _ = examine_public(settings.public_key, "", None, "")
        keys |= {settings.public_key_id: public} if public else {}
    return keys
