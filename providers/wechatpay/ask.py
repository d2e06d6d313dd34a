"""One call to the simulated WeChat Pay, and the checks of its fields in PARAM_ERROR's words."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from providers.sdk.money import MINOR_MAX
from providers.wechatpay.institution import Refused

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ask:
    """One call, its body read: `fields` is empty for a GET."""

    fields: Document
    query: Mapping[str, str]
    signer: str

    def text(self, name: str, most: int, *, required: bool = True) -> str:
        """A text field at a dotted name. Raises `Refused` PARAM_ERROR."""
        value = self._at(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise bad(name, f"字符串长度须为1至{most}")
        return value

    def minor(self, name: str) -> int:
        """An amount in fen, at least one."""
        value = self._at(name)
        if type(value) is not int or not 1 <= value <= MINOR_MAX:
            raise bad(name, "金额须为大于0的整数，单位为分")
        return value

    def currency(self) -> None:
        """CNY, or left out."""
        if self._at("amount.currency") not in {None, "CNY"}:
            raise bad("amount/currency", "货币类型须为CNY")

    def numbered(self, name: str, form: re.Pattern[str]) -> str:
        """A merchant's number of that form."""
        value = self._at(name)
        if not isinstance(value, str) or not form.fullmatch(value):
            raise bad(name, "只能是规定长度内的数字、大小写字母和规定的符号")
        return value

    def url(self, name: str, most: int, *, required: bool) -> str:
        """A notify URL: https (plain http on the loopback, for a sandbox), no query parameters."""
        value = self.text(name, most, required=required)
        parts = urlsplit(value)
        loopback = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if value and (parts.query or not (parts.scheme == "https" or (parts.scheme == "http" and loopback))):
            raise bad(name, "通知地址须为https，且不能携带参数")
        return value

    def digest(self, kind: str) -> str:
        """The same for a call repeated with identical parameters. An encrypted name looks different each time."""
        fields = {name: value for name, value in self.fields.items() if name != "user_name"}
        canonical = json.dumps([kind, fields], sort_keys=True).encode()
        return hashlib.sha256(canonical).hexdigest()

    def _at(self, name: str) -> object:
        value: object = self.fields
        for step in name.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value


def bad(name: str, issue: str) -> Refused:
    """PARAM_ERROR about one field."""
    return Refused(400, "PARAM_ERROR", f"参数错误：{issue}", name.replace(".", "/"))
