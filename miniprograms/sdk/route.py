"""Routes and their queries, and the five ways from page to page. Data only; where they lead is the host's matter."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode

from miniprograms.sdk.errors import AuthorError
from miniprograms.sdk.limits import LINK_QUERY_CHARS_MAX

Query = dict[str, str]
QueryValue = str | int


class Api(StrEnum):
    """The navigation APIs; the value is the name WeChat puts before `:fail`."""

    NAVIGATE_TO = "navigateTo"
    REDIRECT_TO = "redirectTo"
    NAVIGATE_BACK = "navigateBack"
    SWITCH_TAB = "switchTab"
    RE_LAUNCH = "reLaunch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A route asked for. `delta` counts for `navigateBack` alone, which has no route."""

    api: Api
    route: str = ""
    query: Query = field(default_factory=dict)
    delta: int = 1


def read_url(url: str, more: dict[str, QueryValue] | None = None) -> tuple[str, Query]:
    """`pages/pay/pay?total=3` as route and query; every value is text, as it is in an address.

    Raises `AuthorError` for a query longer than a link can carry.
    """
    route, _, text = url.partition("?")
    query = dict(parse_qsl(text, keep_blank_values=True))
    query |= {name: _as_text(value) for name, value in (more or {}).items()}
    if len(urlencode(query)) > LINK_QUERY_CHARS_MAX:
        raise AuthorError(
            f"The query of {route} is longer than {LINK_QUERY_CHARS_MAX} characters: keep the rest in storage."
        )
    return route.strip("/"), query


def write_url(route: str, query: Query) -> str:
    """The other way round: `pages/pay/pay?total=3`."""
    return f"{route}?{urlencode(query)}" if query else route


def _as_text(value: QueryValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
