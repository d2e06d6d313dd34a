"""The one code: this house's own link, which every wallet can scan."""

import re
from dataclasses import dataclass, field
from typing import Final

from providers.sdk.codes.errors import CodeError, Flaw
from providers.sdk.codes.plain import plain

LINK_PATH: Final = "/p/"
STANDING_PATH: Final = "/s/"  # a standing code, whose every scan leads to a one code of its own
_TOKEN: Final = re.compile(r"[0-9A-Za-z_-]{16,64}", re.ASCII)
_ORIGIN: Final = re.compile(r"(https?://[^/?#@\\]+)(.*)", re.ASCII | re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class OneCode:
    """A link of ours. Whoever holds the token can open the order's page, so it is not printed."""

    token: str = field(repr=False)

    def link(self, base_url: str) -> str:
        """The text for the picture."""
        return f"{base_url.rstrip('/')}{LINK_PATH}{self.token}"


def is_token(text: str) -> bool:
    """Whether the text has the form of a token of ours."""
    return _TOKEN.fullmatch(text) is not None


def is_own_link(text: str, base_url: str) -> bool:
    """Whether the text is an address under the host's own, scheme and host in any case."""
    return bool(base_url) and _small(text).startswith(_small(base_url).rstrip("/") + LINK_PATH)


def read_one_code(text: str, base_url: str) -> OneCode:
    """The token of a link of ours. Raises `CodeError` for another's link and for a token of the wrong form."""
    text = plain(text)
    token = _small(text).removeprefix(_small(base_url).rstrip("/") + LINK_PATH)
    if not is_own_link(text, base_url) or not is_token(token):
        raise CodeError("This is not a payment link of this shop.", Flaw.UNKNOWN)
    return OneCode(token)


def _small(address: str) -> str:
    """Scheme and host in small letters, the rest as it is (RFC 3986, section 6.2.2.1)."""
    return _ORIGIN.sub(lambda found: found[1].lower() + found[2], address)
