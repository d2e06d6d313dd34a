"""Who the simulated Alipay is: its authority, its keys, its seal under answers and notifications, its merchant.

Everything is made once and kept in the drawer. The names look like Ant's and lead nowhere: only a provider that was
given this root believes them.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import NameOID

from providers.alipay import signing, wire
from providers.sdk.clock import Random, beijing
from providers.sdk.errors import SignatureError
from providers.sdk.gateway import Fault, GatewayContext, Notification
from providers.sdk.transport import Headers, HttpReply, HttpRequest

SHELF: Final = "alipay/"
PAYEE: Final = "Moon Gate Shop 月门小店"
RETRY_AFTER_S: Final = (240, 600, 600, 3600, 7200, 21600, 54000)

_YEAR: Final = timedelta(days=365)
_STALE: Final = timedelta(days=3)
_AMOUNTS: Final = ("total_amount", "refund_amount", "trans_amount")
_JSON: Final = Headers(
    (("Content-Type", "text/html;charset=utf-8"),)
)  # what the real gateway says of its JSON
_FORM: Final = Headers((("Content-Type", wire.FORM_TYPE),))


class Refused(Exception):  # noqa: N818  # a refusal is an answer, not an error
    """A refusal. One of the gateway itself (a wrong application, a wrong signature) is not signed."""

    def __init__(self, sub_code: str, message: str, code: str = "40004", *, signed: bool = True) -> None:
        super().__init__(message)
        self.sub_code, self.message, self.code, self.signed = sub_code, message, code, signed

    @property
    def document(self) -> dict[str, object]:
        """The object in the answer."""
        words = {
            "40001": "Missing Required Arguments",
            "40002": "Invalid Arguments",
            "20000": "Service Unavailable",
        }
        return {
            "code": self.code,
            "msg": words.get(self.code, "Business Failed"),
            "sub_code": self.sub_code,
            "sub_msg": self.message,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What the drawer keeps of the institution and of its one merchant."""

    app_id: str
    seller_id: str
    merchant_key: str = field(repr=False)
    app_cert: str
    root: str  # the root file: RSA and another kind, blank lines between, as the real one has them
    authority_cert: str
    authority_key: str = field(repr=False)
    stranger_key: str = field(repr=False)  # signs what is forged


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A certificate that answers are signed under, with its key."""

    cert: str
    key: str = field(repr=False)

    @property
    def sn(self) -> str:
        """`alipay_cert_sn`."""
        return signing.certificate_sn(signing.certificates(self.cert.encode())[0])


class Institution:
    """Keys, answers and notifications. Takes the faults that bite in a signature."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._waiting: list[tuple[dict[str, str], str, str]] = []

    @property
    def papers(self) -> Papers:
        """Made on first use."""
        kept = self._context.drawer.get(f"{SHELF}papers")
        if kept is not None:
            return Papers(**{name: str(value) for name, value in kept.items()})
        made = _make_papers(self._context.clock.now(), self._context.random)
        self._context.drawer.put(f"{SHELF}papers", made)
        self.issue_certificate()
        return Papers(**made)

    @property
    def leaves(self) -> list[Leaf]:
        """Oldest first; the last one signs."""
        kept = [record for _, record in self._context.drawer.scan(f"{SHELF}leaf/")]
        return [Leaf(**{name: str(value) for name, value in record.items()}) for record in kept]

    def issue_certificate(self) -> None:
        """Sign under a new certificate from now on. The merchant finds it by its number."""
        papers, key = self.papers, _new_key()
        issuer = _Issuer(signing.certificates(papers.authority_cert.encode())[0], _key(papers.authority_key))
        name = f"支付宝(中国)网络技术有限公司-{papers.seller_id}"
        one = _certificate(_name("Alipay", "Alipay", name), key, self._context.clock.now(), issuer)
        place = f"{len(self.leaves):04d}"
        self._context.drawer.put(f"{SHELF}leaf/{place}", {"cert": _pem(one), "key": _key_text(key)})

    def settings(self, base_url: str) -> dict[str, str]:
        """The merchant's settings, both modes at once; leave the certificates out for public-key mode."""
        papers, leaf = self.papers, self.leaves[-1]
        return {
            "base_url": base_url,
            "bill_url": base_url,
            "openauth_url": base_url,
            "app_id": papers.app_id,
            "seller_id": papers.seller_id,
            "private_key": papers.merchant_key,
            "alipay_public_key": _public_text(_key(leaf.key)),
            "app_cert": papers.app_cert,
            "alipay_cert": leaf.cert + papers.authority_cert,
            "root_cert": papers.root,
            "cancel_unscanned": "true",
        }

    def bundle(self, cert_sn: str) -> str | None:
        """The file of the certificate with that number."""
        found = next((leaf for leaf in self.leaves if leaf.sn == cert_sn), None)
        return found.cert + self.papers.authority_cert if found else None

    # --- the merchant's signature ---

    def check_merchant(self, parameters: Mapping[str, str]) -> None:
        """Raise `Refused`, unsigned, unless the application's own key signed these parameters."""
        papers = self.papers
        if parameters.get("app_id") != papers.app_id:
            raise Refused("isv.invalid-app-id", "无效的AppID参数", "40002", signed=False)
        if not parameters.get("sign"):
            raise Refused("isv.missing-signature", "缺少签名参数", "40001", signed=False)
        if parameters.get("sign_type") != signing.SIGN_TYPE:
            raise Refused("isv.invalid-signature-type", "无效的签名类型", "40002", signed=False)
        key = _key(papers.merchant_key).public_key()
        try:
            signing.verify([key], signing.signing_text(parameters), parameters["sign"])
        except SignatureError:
            raise Refused("isv.invalid-signature", "无效签名", "40002", signed=False) from None
        if by_certificate(parameters):
            self._check_certificates(parameters)

    def _check_certificates(self, parameters: Mapping[str, str]) -> None:
        """The sub_codes are not published; these are of the gateway's style."""
        papers = self.papers
        own = signing.certificate_sn(signing.certificates(papers.app_cert.encode())[0])
        if parameters.get("app_cert_sn") != own:
            raise Refused("isv.invalid-app-cert-sn", "应用公钥证书序列号错误", "40002", signed=False)
        if parameters.get("alipay_root_cert_sn") != signing.root_sn(papers.root.encode()):
            raise Refused("isv.invalid-alipay-root-cert-sn", "支付宝根证书序列号错误", "40002", signed=False)

    # --- our own seal ---

    def unsigned(self, key: str, document: Mapping[str, object]) -> HttpReply:
        """An answer to somebody that the gateway cannot make out."""
        return HttpReply(200, _JSON, f'{{"{key}":{_text(document)}}}'.encode())

    def reply(self, method: str, document: Mapping[str, object], *, certified: bool) -> HttpReply:
        """A signed answer; in certificate mode it names the certificate."""
        faults = self._context.faults
        signed = _text(self._soured(document))
        key, cert_sn = self._signer()
        signature = signing.sign(key, signed)
        if faults.take(Fault.BAD_SIGNATURE):
            signed = signed.replace('"msg":"', '"msg":"tampered ', 1)
        members = [f'"{wire.response_key(method)}":{signed}']
        if certified:
            members.append(f'"alipay_cert_sn":"{cert_sn}"')
        if not faults.take(Fault.NO_SIGNATURE):
            members.append(f'"sign":"{signature}"')
        return HttpReply(200, _JSON, f"{{{','.join(members)}}}".encode())

    def notify(self, fields: Mapping[str, str], url: str, key: str) -> None:
        """Have a notification ready; it goes out behind the answer that is due first."""
        now = self._context.clock.now()
        whole = {
            "notify_time": beijing(now, wire.TIME),
            "notify_type": "trade_status_sync",
            "notify_id": f"{beijing(now, '%Y%m%d')}00222{number(self._context.random, 21)}",
            "charset": "utf-8",
            "version": "1.0",
            "app_id": self.papers.app_id,
            "auth_app_id": self.papers.app_id,
            "seller_id": self.papers.seller_id,
            **{name: value for name, value in fields.items() if value},
        }
        self._waiting.append((whole, url, key))

    def send_waiting(self, *, spoil: bool) -> None:
        """Post what is ready, each with a twin that a stranger signed for the courier to forge with.

        `spoil`: the armed faults bite here. Behind an answer they do not: they were meant for the answer.
        """
        waiting, self._waiting = self._waiting, []
        for whole, url, key in waiting:
            forged = _posted(whole, _key(self.papers.stranger_key), url, key)
            if not spoil:
                self._context.courier.post(_posted(whole, _key(self.leaves[-1].key), url, key), forged=forged)
                continue
            if self._context.faults.take(Fault.STALE_CLOCK):
                whole["notify_time"] = beijing(self._context.clock.now() - _STALE, wire.TIME)
            genuine = _posted(self._soured(whole), self._signer()[0], url, key)
            self._context.courier.post(self._spoilt(genuine), forged=forged)

    def _signer(self) -> tuple[RSAPrivateKey, str]:
        if self._context.faults.take(Fault.UNKNOWN_KEY):
            return _key(self.papers.stranger_key), "0" * 32
        leaf = self.leaves[-1]
        return _key(leaf.key), leaf.sn

    def _soured(self, document: Mapping[str, object]) -> dict[str, object]:
        """With an amount that is one fen too high, if that fault is armed and there is an amount."""
        named = [name for name in _AMOUNTS if name in document]
        if not named or not self._context.faults.take(Fault.WRONG_AMOUNT):
            return dict(document)
        minor = int(str(document[named[-1]]).replace(".", "")) + 1
        return {**document, named[-1]: f"{minor // 100}.{minor % 100:02d}"}

    def _spoilt(self, notification: Notification) -> Notification:
        form = wire.decode_form(notification.request.body)
        if self._context.faults.take(Fault.BAD_SIGNATURE):
            form["subject"] = "tampered"
        if self._context.faults.take(Fault.NO_SIGNATURE):
            del form["sign"]
        request = HttpRequest("POST", notification.request.url, _FORM, wire.encode_form(form))
        return Notification(request=request, retry_after_s=notification.retry_after_s, key=notification.key)


def by_certificate(parameters: Mapping[str, str]) -> bool:
    """Whether a request comes in certificate mode. A real application is in one mode; this one is in both."""
    return "app_cert_sn" in parameters or "alipay_root_cert_sn" in parameters


def number(random: Random, length: int) -> str:
    """That many random digits."""
    return "".join(str(ord(letter) % 10) for letter in random.text(length))


def _posted(fields: Mapping[str, object], key: RSAPrivateKey, url: str, record: str) -> Notification:
    form = {name: str(value) for name, value in fields.items()}
    form["sign"] = signing.sign(key, signing.signing_text(form, signing.UNSIGNED_IN_NOTIFICATIONS))
    form["sign_type"] = signing.SIGN_TYPE
    request = HttpRequest("POST", url, _FORM, wire.encode_form(form))
    return Notification(request=request, retry_after_s=RETRY_AFTER_S, key=record)


def _text(document: Mapping[str, object]) -> str:
    """JSON as Alipay writes it: every slash escaped, letters as they are."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")


@dataclass(frozen=True, slots=True)
class _Issuer:
    certificate: x509.Certificate
    key: RSAPrivateKey = field(repr=False)


def _make_papers(now: datetime, random: Random) -> dict[str, str]:
    seller, app = f"2088{number(random, 12)}", f"2021{number(random, 12)}"
    root_key, authority_key, merchant_key, stranger_key = (_new_key() for _ in range(4))
    ant = "Moongate Sandbox Financial"
    root = _certificate(_name(ant, "Certification Authority", f"{ant} Authority R1"), root_key, now, None)
    authority = _certificate(
        _name(ant, "Certification Authority", f"{ant} Authority Class 2 R1"),
        authority_key,
        now,
        _Issuer(root, root_key),
        is_authority=True,
    )
    own = _certificate(
        _name("moongate@sandbox.test", "Alipay", f"{seller}-{app}"),
        merchant_key,
        now,
        _Issuer(authority, authority_key),
    )
    return {
        "app_id": app,
        "seller_id": seller,
        "merchant_key": _key_text(merchant_key),
        "app_cert": _pem(own),
        "root": f"{_pem(_elliptic_root(ant, now))}\n{_pem(root)}",
        "authority_cert": _pem(authority),
        "authority_key": _key_text(authority_key),
        "stranger_key": _key_text(stranger_key),
    }


def _certificate(
    subject: x509.Name,
    key: RSAPrivateKey,
    now: datetime,
    issuer: _Issuer | None,
    *,
    is_authority: bool = False,
) -> x509.Certificate:
    builder = _draft(subject, issuer.certificate.subject if issuer else subject, now)
    if issuer is None or is_authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signer = issuer.key if issuer else key
    return builder.public_key(key.public_key()).sign(signer, hashes.SHA256())


def _elliptic_root(organisation: str, now: datetime) -> x509.Certificate:
    """A root of another kind, as the real file has one: it must be passed over."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(organisation, "Certification Authority", f"{organisation} Authority E1")
    return _draft(name, name, now).public_key(key.public_key()).sign(key, hashes.SHA256())


def _draft(subject: x509.Name, issuer: x509.Name, now: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _YEAR)
        .not_valid_after(now + 20 * _YEAR)
    )


def _name(organisation: str, unit: str, common: str) -> x509.Name:
    """In the order of Ant's certificates, which `app_cert_sn` depends on."""
    parts = (
        (NameOID.COUNTRY_NAME, "CN"),
        (NameOID.ORGANIZATION_NAME, organisation),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.COMMON_NAME, common),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _new_key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.lru_cache(maxsize=32)
def _key(text: str) -> RSAPrivateKey:
    # Our own drawer's key: checking its primes again would make every start of the sandbox slow.
    key = serialization.load_pem_private_key(text.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("The drawer holds no RSA key.")
    return key


def _key_text(key: RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _public_text(key: RSAPrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
