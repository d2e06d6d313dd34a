"""Who the simulated WeChat Pay is: its keys, its seal under replies and notifications, its check of a merchant.

Everything is made once and kept in the drawer, so that a restarted sandbox signs as before.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import NameOID

from providers.sdk.clock import Random, beijing
from providers.sdk.errors import SignatureError
from providers.sdk.gateway import Fault, GatewayContext, Notification
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.wechatpay import signing
from providers.wechatpay.wire import rfc3339

SHELF: Final = "wechatpay/"
RETRY_AFTER_S: Final = (
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600,
)  # fmt: skip
_ITEM: Final = re.compile(r'([a-z_]+)="([^"]*)"')
_PLATFORM_YEARS: Final = 5


class Refused(Exception):  # noqa: N818  # a refusal is an answer, not an error
    """An error body of APIv3: HTTP status, code, message, and the field it is about."""

    def __init__(self, status: int, code: str, message: str, name: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.name = status, code, message, name

    @property
    def document(self) -> dict[str, object]:
        """The body."""
        about = {"detail": {"field": f"/body/{self.name}", "issue": self.message, "location": "body"}}
        return {"code": self.code, "message": self.message, **(about if self.name else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What the drawer keeps of the institution and of its one merchant."""

    appid: str
    mchid: str
    serial_no: str
    merchant_key: str = field(repr=False)
    apiv3_key: str = field(repr=False)
    public_key_id: str
    public_private: str = field(repr=False)
    stranger_key: str = field(repr=False)  # signs what is forged


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A platform certificate with its key."""

    serial_no: str
    pem: str
    key: str = field(repr=False)


class Institution:
    """Keys, replies and notifications. Takes the faults that bite in a signature."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context

    @property
    def papers(self) -> Papers:
        """Made on first use."""
        kept = self._context.drawer.get(f"{SHELF}papers")
        if kept is None:
            kept = self._make_papers()
            self._context.drawer.put(f"{SHELF}papers", kept)
            self.issue_certificate()
        return Papers(**{name: str(value) for name, value in kept.items()})

    @property
    def certificates(self) -> list[Certificate]:
        """Platform certificates, oldest first; the last one signs."""
        kept = [record for _, record in self._context.drawer.scan(f"{SHELF}certificate/")]
        return [Certificate(**{name: str(value) for name, value in record.items()}) for record in kept]

    def issue_certificate(self) -> None:
        """Another platform certificate, which signs from now on; earlier ones stay listed."""
        now = self._context.clock.now()
        key, certificate = _make_certificate("Tenpay.com sign", now, self._context.random)
        serial = signing.serial_of(certificate)
        place = f"{len(self.certificates):04d}"
        self._context.drawer.put(
            f"{SHELF}certificate/{place}",
            {"serial_no": serial, "pem": _certificate_text(certificate), "key": _key_text(key)},
        )

    def settings(self, base_url: str) -> dict[str, str]:
        """The merchant's settings, both key modes at once."""
        papers = self.papers
        return {
            "base_url": base_url,
            "appid": papers.appid,
            "mchid": papers.mchid,
            "serial_no": papers.serial_no,
            "private_key": papers.merchant_key,
            "apiv3_key": papers.apiv3_key,
            "public_key_id": papers.public_key_id,
            "public_key": _public_text(_key(papers.public_private)),
            "platform_certificates": "".join(one.pem for one in self.certificates),
            "transfer_scene_id": "1000",
            "app_secret": self.app_secret,
            "open_url": base_url,
            "oauth_url": base_url,
        }

    @property
    def app_secret(self) -> str:
        """The AppSecret, 32 hexadecimal digits in life."""
        return hashlib.sha256(f"AppSecret {self.papers.apiv3_key}".encode()).hexdigest()[:32]

    # --- the merchant's signature ---

    def check_merchant(self, request: HttpRequest) -> None:
        """Raise `Refused` 401 unless the merchant's own key signed these bytes within five minutes."""
        value = request.headers.get("Authorization") or ""
        items = dict(_ITEM.findall(value))
        papers = self.papers
        if not value.startswith(f"{signing.SCHEME} ") or items.get("mchid") != papers.mchid:
            raise Refused(
                401, "SIGN_ERROR", "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
            )
        if items.get("serial_no", "").upper() != papers.serial_no:
            raise Refused(401, "SIGN_ERROR", "商户证书序列号有误。请使用签名私钥匹配的证书序列号")
        self._check_time(items.get("timestamp", ""))
        signed = signing.SignedRequest(
            method=request.method.upper(),
            target=request.target,
            timestamp=items.get("timestamp", ""),
            nonce=items.get("nonce_str", ""),
            body=request.body,
        )
        try:
            self.check_client(signed.message, items.get("signature", ""))
        except SignatureError:
            raise Refused(401, "SIGN_ERROR", "错误的签名，验签失败") from None

    def check_client(self, message: bytes, signature: str) -> None:
        """Raise `SignatureError` unless the merchant signed what its page hands to WeChat."""
        signing.verify(_key(self.papers.merchant_key).public_key(), message, signature)

    def _check_time(self, stamp: str) -> None:
        now = int(self._context.clock.now().timestamp())
        if not re.fullmatch(r"[0-9]{1,12}", stamp, re.ASCII) or abs(now - int(stamp)) >= signing.FRESH_S:
            raise Refused(401, "SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")

    # --- our signature ---

    def signer_for(self, headers: Headers) -> str:
        """The name of the key that answers: the merchant's `Wechatpay-Serial` header chooses, else a certificate."""
        wanted = headers.get("Wechatpay-Serial")
        names = {self.papers.public_key_id, *(one.serial_no for one in self.certificates)}
        return wanted if wanted in names and wanted else self.certificates[-1].serial_no

    def read_sensitive(self, text: str, name: str) -> str:
        """A field encrypted under the key of that name. Raises `ValueError`."""
        return signing.decrypt_field(self._key_of(name), text)

    def reply(self, status: int, document: Mapping[str, object] | None, signer: str) -> HttpReply:
        """A signed reply; 204 when there is no document."""
        body = b"" if document is None else dump(self.spoil(document))
        headers = {"Request-ID": self._context.random.text(32).upper(), **self._seal(body, signer)}
        if body:
            headers["Content-Type"] = "application/json; charset=utf-8"
        return HttpReply(status, Headers.of(headers), body)

    def spoil(self, document: Mapping[str, object]) -> Mapping[str, object]:
        """One fen too much where an amount stands, when that fault is armed."""
        amount = document.get("amount")
        if not isinstance(amount, dict) or not self._context.faults.take(Fault.WRONG_AMOUNT):
            return document
        name = "refund" if "refund" in amount else "total"
        return {**document, "amount": {**amount, name: amount[name] + 1}}

    def _key_of(self, name: str) -> RSAPrivateKey:
        if name == self.papers.public_key_id:
            return _key(self.papers.public_private)
        return _key({one.serial_no: one.key for one in self.certificates}[name])

    def _seal(self, body: bytes, signer: str) -> dict[str, str]:
        faults, now = self._context.faults, self._context.clock.now()
        if faults.take(Fault.NO_SIGNATURE):
            return {}
        key = self._key_of(signer)
        if faults.take(Fault.UNKNOWN_KEY):
            signer, key = f"{number(self._context.random, 40)}", _key(self.papers.stranger_key)
        if faults.take(Fault.STALE_CLOCK):
            now -= timedelta(seconds=2 * signing.FRESH_S)
        headers = self._signed(body, signer, key, now)
        if faults.take(Fault.BAD_SIGNATURE):
            headers["Wechatpay-Signature"] = signing.sign(key, b"another text")
        if faults.take(Fault.PROBE):
            headers["Wechatpay-Signature"] = signing.PROBE_PREFIX + headers["Wechatpay-Signature"]
        return headers

    def _signed(self, body: bytes, signer: str, key: RSAPrivateKey, now: datetime) -> dict[str, str]:
        stamp, nonce = str(int(now.timestamp())), self._context.random.text(32)
        return {
            "Wechatpay-Serial": signer,
            "Wechatpay-Signature": signing.sign(key, signing.sealed_lines(stamp, nonce, body)),
            "Wechatpay-Signature-Type": signing.SCHEME,
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
        }

    # --- notifications ---

    def notify(self, kind: str, document: Mapping[str, object], url: str, signer: str) -> None:
        """Seal one event and give it to the courier, with a stranger's forgery of it beside."""
        if not url:
            return
        event = f"EV-{beijing(self._context.clock.now(), '%Y%m%d%H%M%S')}{number(self._context.random, 12)}"
        papers = self.papers
        body = self._event(event, kind, self.spoil(document), papers.apiv3_key)
        twin = self._event(f"{event}9", kind, document, self._context.random.text(32))
        now = self._context.clock.now()
        forged = self._signed(twin, signer, _key(papers.stranger_key), now)
        self._context.courier.post(
            _notification(event, url, self._seal(body, signer), body),
            forged=_notification(f"{event}9", url, forged, twin),
        )

    def signed_again(self, request: HttpRequest) -> HttpRequest:
        """The same notification for a later delivery: WeChat Pay signs every repetition with the time it is sent."""
        signer = request.headers.get("Wechatpay-Serial") or self.certificates[-1].serial_no
        headers = self._signed(request.body, signer, self._key_of(signer), self._context.clock.now())
        return HttpRequest(request.method, request.url, _headers(headers), request.body)

    def sealed(self, associated_data: str, plaintext: bytes, key: str) -> dict[str, str]:
        """An encrypted resource under an APIv3 key."""
        nonce = self._context.random.text(12)
        return {
            "algorithm": signing.AEAD,
            "nonce": nonce,
            "associated_data": associated_data,
            "ciphertext": signing.seal(key.encode(), nonce, associated_data, plaintext),
        }

    def _event(self, event: str, kind: str, document: Mapping[str, object], key: str) -> bytes:
        family = {"TRANSACTION": "transaction", "REFUND": "refund"}.get(kind.partition(".")[0], "mch_payment")
        return dump(
            {
                "id": event,
                "create_time": rfc3339(self._context.clock.now()),
                "resource_type": "encrypt-resource",
                "event_type": kind,
                "summary": "通知",
                "resource": {"original_type": family, **self.sealed(family, dump(document), key)},
            }
        )

    def _make_papers(self) -> dict[str, object]:
        random = self._context.random
        now = self._context.clock.now()
        merchant_key, merchant = _make_certificate("Moongate sandbox merchant", now, random)
        return {
            "appid": "wx" + number(random, 16),
            "mchid": "19" + number(random, 8),
            "serial_no": signing.serial_of(merchant),
            "merchant_key": _key_text(merchant_key),
            "apiv3_key": random.text(signing.APIV3_KEY_BYTES),
            "public_key_id": signing.PUBLIC_KEY_PREFIX + number(random, 34),
            "public_private": _key_text(_make_key()),
            "stranger_key": _key_text(_make_key()),
        }


def dump(document: Mapping[str, object]) -> bytes:
    """JSON as WeChat Pay writes it: no spaces, UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def number(random: Random, digits: int) -> str:
    """That many random decimal digits."""
    drawn = int.from_bytes(random.text(digits).encode())
    return str(drawn % 10**digits).zfill(digits)


def _notification(key: str, url: str, headers: Mapping[str, str], body: bytes) -> Notification:
    request = HttpRequest("POST", url, _headers(headers), body)
    return Notification(request=request, retry_after_s=RETRY_AFTER_S, key=key)


def _headers(signed: Mapping[str, str]) -> Headers:
    return Headers.of({"Content-Type": "application/json", "User-Agent": "Mozilla/4.0", **signed})


def _make_key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _make_certificate(name: str, now: datetime, random: Random) -> tuple[RSAPrivateKey, x509.Certificate]:
    key = _make_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com Root CA")]))
        .public_key(key.public_key())
        .serial_number(int.from_bytes(random.text(20).encode()))  # 40 hexadecimal digits
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _PLATFORM_YEARS))
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _key(text: str) -> RSAPrivateKey:
    return signing.private_key(text.encode(), "a key in the gateway's drawer")


def _key_text(key: RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _public_text(key: RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _certificate_text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
