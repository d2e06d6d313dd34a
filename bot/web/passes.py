"""Passes: what goes out with a wallet to its institution, and must come back with it.

Nobody can make one up (it is sealed under the host's secret), it holds for one claim and one account, for ten minutes,
and in the web view it was given to alone: half of it is the view's cookie.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

from providers.sdk.clock import Clock, Random

LIVES_S: Final = 600
_NONCE_CHARS: Final = 22  # 62^22 > 2^130
_TIME_CHARS: Final = 8  # seconds since 1970, hexadecimal
_SEAL_CHARS: Final = 32
_PURPOSE: Final = b"moongate: the visit of a payee"  # so that no other use of the secret gives this key


@dataclass(frozen=True, slots=True)
class Passes:
    """Makes and checks them; OAuth calls one `state`. 62 letters and digits: fewer than any institution takes (Alipay: 100)."""

    secret: SecretStr = field(repr=False)
    clock: Clock
    random: Random

    def begin(self, token: str, place: str) -> tuple[str, str]:
        """The pass, and the nonce for the cookie. `place` names the account."""
        nonce = self.random.text(_NONCE_CHARS)
        until = f"{int(self.clock.now().timestamp()) + LIVES_S:0{_TIME_CHARS}x}"
        return f"{nonce}{until}{self._seal(nonce, until, token, place)}", nonce

    def holds(self, state: str, nonce: str, token: str, place: str) -> bool:
        """It is one of ours, of this claim, this account and this web view, and not too old."""
        if len(state) != _NONCE_CHARS + _TIME_CHARS + _SEAL_CHARS or not state.isascii():
            return False
        given, until, seal = state[:_NONCE_CHARS], state[_NONCE_CHARS:-_SEAL_CHARS], state[-_SEAL_CHARS:]
        if not hmac.compare_digest(seal, self._seal(given, until, token, place)):
            return False
        fresh = self.clock.now().timestamp() < int(until, 16)
        return fresh and hmac.compare_digest(given.encode(), nonce.encode("utf-8", "replace"))

    def _seal(self, nonce: str, until: str, token: str, place: str) -> str:
        key = hmac.digest(_PURPOSE, self.secret.get_secret_value().encode(), "sha256")
        text = f"{nonce}\n{until}\n{token}\n{place}"
        return hmac.digest(key, text.encode(), "sha256").hex()[:_SEAL_CHARS]
