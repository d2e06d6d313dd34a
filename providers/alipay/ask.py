"""One call to the simulated Alipay, and the checks of its fields in ACQ.INVALID_PARAMETER's words."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from providers.alipay import wire
from providers.alipay.institution import Refused
from providers.sdk.clock import BEIJING, from_beijing
from providers.sdk.money import Money

Document = dict[str, object]

NUMBER: Final = re.compile(r"[0-9A-Za-z_]{1,64}", re.ASCII)
MINOR_MAX: Final = 10**10
_SPAN: Final = re.compile(r"([1-9][0-9]{0,4})([mhd])|1c", re.ASCII)
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_SPAN_MAX: Final = timedelta(days=15)
_NOT_IN_SUBJECTS: Final = re.compile(r"[/=&]")


@dataclass(frozen=True, slots=True)
class Ask:
    """One call, its `biz_content` read; numbers in it are texts."""

    fields: Mapping[str, object]
    notify_url: str
    certified: bool

    @classmethod
    def of(cls, parameters: Mapping[str, str], *, certified: bool) -> "Ask":
        """Raises `Refused`."""
        try:
            fields = json.loads(parameters.get("biz_content", "{}"), parse_float=str, parse_int=str)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise Refused("isv.invalid-parameter", "biz_content不是合法的JSON", "40002")
        url = parameters.get("notify_url", "")
        if url and (len(url) > 256 or not url.startswith(("http://", "https://"))):  # noqa: PLR2004  # published
            raise bad("notify_url")
        return cls(fields, url, certified)

    def text(self, name: str, most: int, *, required: bool = True) -> str:
        """A text field. Raises `Refused`."""
        value = self.fields.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise bad(name)
        return value

    def number(self, name: str) -> str:
        """A merchant's number."""
        value = self.text(name, 64)
        if not NUMBER.fullmatch(value):
            raise bad(name)
        return value

    def subject(self) -> str:
        """A title without the characters that Alipay forbids."""
        value = self.text("subject", 256)
        if _NOT_IN_SUBJECTS.search(value):
            raise bad("subject")
        return value

    def minor(self, name: str) -> int:
        """An amount in yuan, at least a fen, at most a hundred million."""
        try:
            minor = Money.parse(self.text(name, 16), "CNY").minor
        except ValueError:
            raise bad(name) from None
        if not 1 <= minor <= MINOR_MAX:
            raise bad(name)
        return minor

    def span(self, name: str, now: datetime) -> datetime | None:
        """The end of a time such as `90m` or `1c` (today, Beijing); None when not given."""
        given = self.text(name, 8, required=False)
        if not given:
            return None
        match = _SPAN.fullmatch(given)
        if match is None:
            raise bad(name)
        if match[1] is None:
            today = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
            return (today + timedelta(days=1)).astimezone(UTC)
        length = int(match[1]) * _UNITS[match[2]]
        if length > _SPAN_MAX:
            raise bad(name)
        return now + length

    def end(self, now: datetime) -> datetime | None:
        """`time_expire` wins over `timeout_express`."""
        given = self.text("time_expire", 19, required=False)
        if not given:
            return self.span("timeout_express", now)
        try:
            end = from_beijing(given, wire.TIME)
        except ValueError:
            raise bad("time_expire") from None
        if not now < end <= now + _SPAN_MAX:
            raise bad("time_expire")
        return end


def bad(name: str) -> Refused:
    """ACQ.INVALID_PARAMETER about one field."""
    return Refused("ACQ.INVALID_PARAMETER", f"参数无效：{name}")
