"""Payer codes: digits on the payer's telephone, told apart by prefix and length (`payer_codes.toml`).

They are money for about a minute, so they never leave their `SecretStr`.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from pydantic import SecretStr

from providers.sdk.codes.errors import CodeError, Flaw
from providers.sdk.codes.issuers import Issuer, Mark
from providers.sdk.codes.plain import plain
from providers.sdk.wallets import Wallet


@dataclass(frozen=True, slots=True)
class PayerPattern:
    """A row of the table. `wallet` is None for issuers this house does not collect from."""

    issuer: Issuer
    wallet: Wallet | None
    form: re.Pattern[str]
    mark: Mark
    source: str


@dataclass(frozen=True, slots=True)
class PayerCode:
    """A payer code and everybody it may belong to, what is confirmed first."""

    code: SecretStr
    patterns: tuple[PayerPattern, ...]

    @property
    def candidates(self) -> tuple[Wallet, ...]:
        """The wallets it may be of; empty when it is of an issuer this house does not collect from."""
        return tuple(dict.fromkeys(row.wallet for row in self.patterns if row.wallet is not None))

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """The networks it may be of."""
        return tuple(dict.fromkeys(row.issuer for row in self.patterns))

    @property
    def ambiguous(self) -> bool:
        """Whether somebody has to say whose it is. Two wallets of one network are charged in the same way."""
        return len(self.issuers) > 1


def _rows() -> Iterator[PayerPattern]:
    table = tomllib.loads(files(__package__).joinpath("payer_codes.toml").read_text(encoding="utf-8"))
    for row in table["code"]:
        wallet = Wallet(row["wallet"]) if "wallet" in row else None
        form = re.compile(row["form"], re.ASCII)
        yield PayerPattern(Issuer(row["issuer"]), wallet, form, Mark(row["mark"]), row["source"])


PAYER_PATTERNS: Final = tuple(_rows())


def read_payer_code(text: str) -> PayerCode:
    """Whose code this may be; people group the digits with spaces. Raises `CodeError` when nobody's."""
    code = plain(text).replace(" ", "")
    found = [row for row in PAYER_PATTERNS if row.form.fullmatch(code)]
    if not found:
        raise CodeError(
            f"No wallet we know shows a payer code of {len(code)} characters that begins like this one. Show a fresh one.",
            Flaw.UNKNOWN,
        )
    found.sort(key=lambda row: row.mark is Mark.UNSURE)
    return PayerCode(SecretStr(code), tuple(found))
