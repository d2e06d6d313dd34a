"""The one seam for the network: `send(request) -> reply`.

The host owns the real one (pinned hosts, deadline, size cap). Requests and replies are bytes with headers;
the same two types carry an institution's notification to us and our acknowledgement back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from providers.sdk.errors import ReplyError

REPLY_BYTES_MAX = 4 * 1024 * 1024  # a day's statement is the largest honest answer


@dataclass(frozen=True, slots=True)
class Headers:
    """Header lines in order; names compare without case."""

    lines: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, headers: "Headers | Mapping[str, str] | Iterable[tuple[str, str]]" = ()) -> "Headers":
        """Accept what callers have at hand."""
        if isinstance(headers, Headers):
            return headers
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        return cls(tuple((name, value) for name, value in pairs))

    def get(self, name: str) -> str | None:
        """The value, or None. A header that stands twice is ambiguous and refused."""
        values = [value for line, value in self.lines if line.lower() == name.lower()]
        if len(values) > 1:
            raise ReplyError(f"The header {name} stands {len(values)} times.")
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it is on the wire. `url` is absolute, or path and query for one that we received."""

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The path without its query, as sent."""
        return urlsplit(self.url).path

    @property
    def target(self) -> str:
        """Path and query exactly as sent: what WeChat Pay signs."""
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole reply; `body` is never longer than `REPLY_BYTES_MAX`."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)


class Transport(Protocol):
    """Carries one request to an institution."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """Raise `NotSentError` when no connection opened, `NoReplyError` for everything after that."""
        ...
