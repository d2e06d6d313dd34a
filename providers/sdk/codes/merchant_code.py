"""Merchant codes that are links: whose, by the table in `merchant_codes.toml`. Nothing is fetched to find out."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Final
from urllib.parse import parse_qs, urlsplit

from providers.sdk.codes.errors import CodeError, Flaw
from providers.sdk.codes.issuers import Issuer, Mark
from providers.sdk.codes.plain import plain

_PRINTABLE: Final = re.compile(r"[!-~]+", re.ASCII)
_HOST: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)", re.ASCII)


class CodeKind(StrEnum):
    """What a merchant code is for."""

    ORDER = "order"
    PERSONAL = "personal"
    BUSINESS = "business"
    LINK = "link"
    WRAPPER = "wrapper"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MerchantPattern:
    """A row of the table."""

    issuer: Issuer
    kind: CodeKind
    starts: tuple[str, ...]
    rest: re.Pattern[str]
    mark: Mark
    source: str

    def fits(self, text: str) -> bool:
        """Whether this row describes the text."""
        return any(text.startswith(start) and self.rest.fullmatch(text, len(start)) for start in self.starts)


@dataclass(frozen=True, slots=True)
class MerchantCode:
    """A link that a wallet of `issuer` takes for a bill. `inner` is the code that a wrapper carries."""

    issuer: Issuer
    kind: CodeKind
    text: str
    mark: Mark
    inner: "MerchantCode | None" = None


def _rows() -> Iterator[MerchantPattern]:
    table = tomllib.loads(files(__package__).joinpath("merchant_codes.toml").read_text(encoding="utf-8"))
    for row in table["code"]:
        rest = re.compile(row.get("rest", "[!-~]+"), re.ASCII)
        yield MerchantPattern(
            Issuer(row["issuer"]),
            CodeKind(row["kind"]),
            tuple(row["starts"]),
            rest,
            Mark(row["mark"]),
            row["source"],
        )


MERCHANT_PATTERNS: Final = tuple(_rows())


def read_merchant_code(text: str) -> MerchantCode:
    """Whose link this is. Raises `CodeError`: for a look-alike of a known address as for any other text."""
    return _read(plain(text), inside=False)


def _read(text: str, *, inside: bool) -> MerchantCode:
    if not text.isascii():
        raise CodeError(
            "This link has letters outside ASCII, which can imitate a known address. No network's code has them.",
            Flaw.LOOK_ALIKE,
        )
    if not _PRINTABLE.fullmatch(text):
        raise CodeError("This text has spaces in it; no network's code has them.", Flaw.UNKNOWN)
    address = _HOST.sub(lambda found: found[0].lower(), text, count=1)
    row = next((row for row in MERCHANT_PATTERNS if row.fits(address)), None)
    if row is None:
        raise CodeError("This is no payment code of a network we know.", Flaw.UNKNOWN)
    inner = None if row.kind is not CodeKind.WRAPPER or inside else _unwrap(text)
    return MerchantCode(row.issuer, row.kind, text, row.mark, inner)


def _unwrap(text: str) -> MerchantCode | None:
    """The code that UnionPay's wrapper carries in `qrCode`; its other addresses carry none. One level deep."""
    try:
        carried = parse_qs(urlsplit(text).query, max_num_fields=20).get("qrCode", [])
    except ValueError:
        raise CodeError("This link cannot be taken apart; ask for another.") from None
    if len(carried) > 1:
        raise CodeError("This link carries two codes; nobody can tell which one holds.")
    return _read(plain(carried[0]), inside=True) if carried else None
