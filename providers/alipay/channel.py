"""The channel to Alipay: signed requests out, verified answers in, and the keys to verify them with."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from providers.alipay import signing, wire
from providers.alipay.settings import AlipaySettings, Keys, Papers
from providers.alipay.wire import Answer, Envelope
from providers.sdk.clock import beijing
from providers.sdk.contract import Call, KeyStore
from providers.sdk.errors import NoReplyError, NotSentError, ReplyError, SignatureError
from providers.sdk.transport import Headers, HttpReply, HttpRequest

DOWNLOADED: Final = "alipay_certificates.pem"  # names in the key store
ASKED_AT: Final = "alipay_certificate_asked_at"

_OK: Final = 200
_ASK_AGAIN_AFTER: Final = timedelta(minutes=10)
_HEADERS: Final = Headers((("Content-Type", wire.FORM_TYPE), ("User-Agent", "moongate")))


class Channel:
    """One application's. Downloaded certificates live in the host's key store, so a rotation needs no restart."""

    def __init__(self, settings: AlipaySettings, keys: Keys, store: KeyStore) -> None:
        self._settings, self._keys, self._store = settings, keys, store

    async def ask(
        self,
        call: Call,
        method: str,
        content: wire.Fields,
        *,
        notify_url: str = "",
        beside: Mapping[str, str] | None = None,
    ) -> Answer:
        """A verified answer. Raises `ProviderError` for everything else: such an answer says nothing.

        `beside`: parameters of the few methods that want them beside `biz_content`, where then nothing is sent.
        """
        reply = await self._send(call, method, content, notify_url, beside)
        envelope = wire.open_envelope(reply.body, method)
        keys = await self._keys_for(envelope, call)
        signing.verify(keys, envelope.signed, envelope.signature)
        return Answer(envelope.fields())

    def ring(self) -> dict[str, RSAPublicKey]:
        """Every key that may sign, by `alipay_cert_sn`; public-key mode has one without a name."""
        if self._keys.papers is None:
            return {"": self._keys.public} if self._keys.public else {}
        pinned = signing.certificates(self._keys.papers.alipay)[:1]  # behind the leaf stands its authority
        downloaded = signing.certificates(self._store.get(DOWNLOADED) or b"")
        return {signing.certificate_sn(one): signing.key_of(one) for one in (*downloaded, *pinned)}

    async def download(self, url: str, call: Call) -> bytes:
        """The file behind a statement's address. It needs no signature and carries none, so its host is pinned.

        Alipay's examples write the address with `http`; it is fetched by the scheme of `bill_url`.
        """
        named, pinned = urlsplit(url), urlsplit(self._settings.bill_url)
        if named.netloc != pinned.netloc:
            raise ReplyError(
                "The statement is to be fetched from another host than bill_url; refused. Should Alipay have moved, "
                "set bill_url."
            )
        address = named._replace(scheme=pinned.scheme, fragment="").geturl()
        reply = await call.transport.send(HttpRequest("GET", address, Headers((("User-Agent", "moongate"),))))
        if reply.status != _OK:
            raise ReplyError(f"The statement's file was answered with HTTP status {reply.status}.")
        return reply.body

    async def _send(
        self,
        call: Call,
        method: str,
        content: wire.Fields,
        notify_url: str = "",
        beside: Mapping[str, str] | None = None,
    ) -> HttpReply:
        """`charset` stands in the address too: the gateway decodes the form by it."""
        told = {"biz_content": wire.dump(content)} if beside is None else beside
        parameters = {**self._common(method, call.clock.now()), **told}
        if notify_url:
            parameters["notify_url"] = notify_url
        text = signing.signing_text(parameters)
        parameters["sign"] = signing.sign(self._keys.private, text)
        url = f"{self._settings.gateway_url}?charset=utf-8"
        reply = await call.transport.send(HttpRequest("POST", url, _HEADERS, wire.encode_form(parameters)))
        if reply.status != _OK:
            raise ReplyError(f"Alipay answered with HTTP status {reply.status}.")
        return reply

    def _common(self, method: str, now: datetime) -> Mapping[str, str]:
        common = {
            "app_id": self._settings.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": signing.SIGN_TYPE,
            "timestamp": beijing(now, wire.TIME),
            "version": "1.0",
        }
        papers = self._keys.papers
        if papers is None:
            return common
        return common | {"app_cert_sn": papers.app_cert_sn, "alipay_root_cert_sn": papers.root_cert_sn}

    async def _keys_for(self, envelope: Envelope, call: Call) -> list[RSAPublicKey]:
        """The key that the answer names; all of ours when it names none."""
        ring, papers = self.ring(), self._keys.papers
        if papers is None or not envelope.cert_sn:
            return list(ring.values())
        if envelope.cert_sn not in ring:
            await self._fetch_certificate(envelope.cert_sn, papers, call)
            ring = self.ring()
        return [ring[envelope.cert_sn]] if envelope.cert_sn in ring else []

    async def _fetch_certificate(self, cert_sn: str, papers: Papers, call: Call) -> None:
        """Alipay has changed its certificate: fetch the new one and keep it beside the old.

        The answer is signed with the very key it brings, so its own signature proves nothing: the chain does. Whoever
        can make us see an unknown number must not make us ask for ever.
        """
        now = call.clock.now()
        asked = self._store.get(ASKED_AT)
        if asked and now - datetime.fromisoformat(asked.decode()) < _ASK_AGAIN_AFTER:
            raise SignatureError("The answer names an unknown certificate, and one was asked for just now.")
        self._store.put(ASKED_AT, now.isoformat().encode())
        try:
            reply = await self._send(call, wire.CERTIFICATE, {"alipay_cert_sn": cert_sn})
        except NotSentError as error:  # the question that this is about has been sent
            raise NoReplyError(str(error)) from error
        fields = wire.open_envelope(reply.body, wire.CERTIFICATE).fields()
        try:
            bundle = base64.b64decode(wire.text(fields, "alipay_cert_content"), validate=True)
        except ValueError:
            raise ReplyError("Alipay's new certificate is not Base64.") from None
        leaf = signing.trusted_leaf(bundle, papers.alipay, papers.root, now)
        if signing.certificate_sn(leaf) != cert_sn:
            raise SignatureError("The downloaded certificate is not the one that was asked for.")
        self._store.put(DOWNLOADED, leaf.public_bytes(Encoding.PEM) + (self._store.get(DOWNLOADED) or b""))
