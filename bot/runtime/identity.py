"""Who people are to programs and to the log: keyed digests of the chat account, never the account itself."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest

from pydantic import SecretStr

from bot.runtime.events import Origin, Seat


@dataclass(frozen=True, slots=True)
class Identity:
    """`secret` is the host's; a new one gives every person a new open id in every program."""

    secret: SecretStr = field(repr=False)

    def open_id(self, app_id: str, user_id: int) -> str:
        """28 characters beginning with `o`, as WeChat's are; two programs cannot tell that they serve one person."""
        key = self._digest(f"open_id {app_id}")
        return "o" + urlsafe_b64encode(digest(key, str(user_id).encode(), sha256)[:21]).decode()[:27]

    def key(self, origin: Origin, epoch: str, count: int) -> str:
        """A key for an order: 96 bits that hang on the update alone."""
        text = f"key {origin.seat.chat_id} {origin.seat.user_id} {epoch} {origin.key} {count}"
        return urlsafe_b64encode(self._digest(text)[:12]).decode()

    def seat_mark(self, seat: Seat) -> str:
        """Tells seats apart in the log."""
        return self._digest(f"seat {seat.chat_id} {seat.user_id}").hex()[:10]

    def _digest(self, text: str) -> bytes:
        return digest(self.secret.get_secret_value().encode(), text.encode(), sha256)
