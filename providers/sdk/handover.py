"""What a messenger tells the host, handed on to the provider that collects through that messenger.

A payment inside a messenger (`Way.INVOICE`) is not posted to the notification address: it comes among the host's own
updates, over a connection that is already trusted (long polling, or a webhook with its secret). The host hands such
an update on as a request like any other notification. Anybody can post to that address, so the hand-over carries a
seal under the bot's token, which only the host, the provider and the messenger know.

The messenger also asks before it takes money (Telegram: `pre_checkout_query`), and the host answers from its own
book. What it has let pass, it notes in the attempt's memo, where the provider finds it on every later call.
"""

import hmac
from typing import Final

from pydantic import SecretStr

from providers.sdk.errors import SignatureError
from providers.sdk.transport import Headers, HttpRequest

SEAL: Final = "X-Moongate-Seal"
_PURPOSE: Final = (
    b"moongate: an update handed over by the host"  # so that no other use of the token gives this key
)

# Keys of `AttemptRef.memo`, written by the host when it let a payment pass.
PASSED_AT: Final = "passed_at"  # ISO 8601, with its zone
PAYER: Final = "payer"  # the payer's id at the messenger


def handed_over(token: SecretStr, url: str, body: bytes) -> HttpRequest:
    """The update's bytes as a sealed request for `read_notification`."""
    headers = Headers.of({"Content-Type": "application/json", SEAL: _seal(token, body)})
    return HttpRequest("POST", url, headers, body)


def check_seal(token: SecretStr, request: HttpRequest) -> None:
    """Raise `SignatureError` unless whoever made this request knows the token."""
    given = request.headers.get(SEAL) or ""
    if not hmac.compare_digest(given.encode("utf-8", "replace"), _seal(token, request.body).encode()):
        raise SignatureError("The update was not handed over by the host.")


def _seal(token: SecretStr, body: bytes) -> str:
    key = hmac.digest(_PURPOSE, token.get_secret_value().encode(), "sha256")
    return hmac.digest(key, body, "sha256").hex()
