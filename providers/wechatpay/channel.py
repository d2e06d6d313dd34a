"""The channel to WeChat Pay: signed requests out, verified answers in, and the pinned keys to verify them with."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from providers.sdk.contract import Call, KeyStore
from providers.sdk.errors import NotSentError, ReplyError
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.wechatpay import signing, wire
from providers.wechatpay.refusals import Refusal
from providers.wechatpay.settings import Keys, WeChatPaySettings

DOWNLOADED: Final = "platform_certificates.pem"  # the name in the key store
_NONCE_CHARS: Final = 32


class Channel:
    """One merchant's. Downloaded certificates live in the host's key store, so a rotation needs no restart."""

    def __init__(self, settings: WeChatPaySettings, keys: Keys, store: KeyStore) -> None:
        self._settings, self._keys, self._store = settings, keys, store
        self._base_url = settings.base_url.rstrip("/")

    async def ask(
        self, call: Call, method: str, target: str, body: bytes = b"", *, serial: str = ""
    ) -> dict[str, object] | Refusal:
        """A verified answer: its fields, or the institution's refusal. Raises for everything else."""
        return self.believe(await self.send(call, method, target, body, serial=serial), call.clock.now())

    async def send(
        self, call: Call, method: str, target: str, body: bytes = b"", *, serial: str = ""
    ) -> HttpReply:
        """Sign these very bytes and send them. `serial` names the key that a sensitive field is encrypted under.

        Without a key to verify the answer with, nothing is sent: `NotSentError`.
        """
        if target != wire.CERTIFICATES:
            self._check_keys(call.clock.now())
        settings = self._settings
        signed = signing.SignedRequest(
            method=method,
            target=target,
            timestamp=_unix(call),
            nonce=call.random.text(_NONCE_CHARS),
            body=body,
        )
        headers = {
            "Accept": "application/json",
            "User-Agent": "moongate",  # a request without one may be refused
            "Authorization": signing.authorization(
                self._keys.private, settings.mchid, settings.serial_no, signed
            ),
        }
        if body:
            headers["Content-Type"] = "application/json"
        if name := serial or settings.public_key_id:
            headers["Wechatpay-Serial"] = name  # also decides which key signs the answer
        request = HttpRequest(method, self._base_url + target, Headers.of(headers), body)
        return await call.transport.send(request)

    def believe(self, reply: HttpReply, now: datetime) -> dict[str, object] | Refusal:
        """Verify, then read. Raises `SignatureError` or `ReplyError`: such an answer says nothing."""
        self.ring(now).check(reply.headers, reply.body, now)
        match reply.status:
            case 204:
                return {}
            case 200:
                return wire.read_json(reply.body)
            case 202 | 400 | 401 | 403 | 404 | 429:
                return wire.read_refusal(wire.read_json(reply.body))
        raise ReplyError(f"WeChat Pay answered with status {reply.status}: ask again.")

    def ring(self, now: datetime) -> signing.KeyRing:
        """Every key that may sign at this moment: the public key, pinned certificates, downloaded certificates."""
        downloaded = signing.certificate_keys(self._store.get(DOWNLOADED) or b"", now)
        pinned = signing.certificate_keys(self._keys.certificates, now)
        return signing.KeyRing({**downloaded, **pinned, **self._keys.public})

    def sealing_key(self, now: datetime) -> tuple[str, RSAPublicKey]:
        """The key that sensitive fields are encrypted under, and its name for `Wechatpay-Serial`."""
        self._check_keys(now)
        return next(iter((self._keys.public or self.ring(now).keys).items()))

    def bridge(self, prepay_id: str, call: Call) -> Mapping[str, str]:
        """What `wx.requestPayment` and the JSAPI bridge take. `signType` itself is not signed."""
        stamp, nonce, package = _unix(call), call.random.text(_NONCE_CHARS), f"prepay_id={prepay_id}"
        message = signing.sealed_lines(self._settings.appid, stamp, nonce, package)
        return {
            "appId": self._settings.appid,
            "timeStamp": stamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": signing.sign(self._keys.private, message),
        }

    async def download(self, url: str, call: Call) -> bytes:
        """The file behind a bill's address: the one reply that is never signed. Only our own host gets our signature."""
        if not url.startswith(f"{self._base_url}/"):
            raise ReplyError("The bill is to be fetched from another host than base_url; refused.")
        reply = await self.send(call, "GET", url[len(self._base_url) :])
        return reply.body

    async def refresh(self, call: Call) -> None:
        """Download the platform certificates; keep the new beside the old that still run."""
        reply = await self.send(call, "GET", wire.CERTIFICATES)
        now = call.clock.now()
        if reply.status == 200:  # noqa: PLR2004  # HTTP OK
            self._keep(reply, now)
            return
        answer = self.believe(reply, now)
        if not isinstance(answer, Refusal) or answer.word not in {"NOTFOUND", "RESOURCENOTEXISTS"}:
            raise ReplyError("WeChat Pay gave no platform certificates; it is asked again later.")

    def _check_keys(self, now: datetime) -> None:
        if not self.ring(now).keys:
            raise NotSentError(
                "No valid key of WeChat Pay is known: set public_key_id and public_key, "
                "or let the platform certificates be downloaded."
            )

    def _keep(self, reply: HttpReply, now: datetime) -> None:
        """The reply may be signed by a certificate inside it, for which only the APIv3 key vouches."""
        bundle = self._open_certificates(wire.read_json(reply.body))
        try:
            keys = {**self.ring(now).keys, **signing.certificate_keys(bundle, now)}
            kept = signing.unexpired(bundle + (self._store.get(DOWNLOADED) or b""), now)
        except ValueError:
            raise ReplyError("A downloaded platform certificate is not one.") from None
        signing.KeyRing(keys).check(reply.headers, reply.body, now)
        self._store.put(DOWNLOADED, kept)

    def _open_certificates(self, fields: wire.Fields) -> bytes:
        bundle = b""
        for entry in wire.parts(fields, "data"):
            sealed = wire.part(entry, "encrypt_certificate")
            bundle += wire.open_resource(sealed, self._keys.apiv3).rstrip() + b"\n"
        return bundle


def _unix(call: Call) -> str:
    return str(int(call.clock.now().timestamp()))
