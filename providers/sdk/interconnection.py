"""Interconnection as data: which wallet may pay a code of which issuer, through whom, since when, who says so.

The rows are `interconnection.toml`. A merchant has, as far as is published, nothing to install for a connection: the
payer's app and the clearing house find the code's owner, and the owner notifies the merchant as ever.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib.resources import files
from typing import Final

from providers.sdk.codes.issuers import ISSUER_NAMES, Issuer, Mark
from providers.sdk.wallets import WALLET_NAMES, Wallet


class Verdict(StrEnum):
    """What is known of a pair."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Clearing(StrEnum):
    """Through whom the money goes."""

    OWN = "own"
    UNIONPAY = "unionpay"
    NETSUNION = "netsunion"
    DIRECT = "direct"
    UNPUBLISHED = "unpublished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One row. `since` is as exact as its source: a year, a month or a day; empty where the network began it."""

    wallet: Wallet
    issuer: Issuer
    verdict: Verdict
    clearing: Clearing
    since: str
    since_mark: Mark
    mark: Mark
    source: str
    note: str

    @property
    def opens(self) -> date:
        """The first day that `since` can mean."""
        return _first_day(self.since) if self.since else date.min

    def may_pay(self, on: date) -> bool:
        """Whether the wallet is confirmed to pay such a code on that day; what is unsure counts as no."""
        return self.verdict is Verdict.OPEN and self.mark is Mark.CONFIRMED and self.opens <= on


def _first_day(text: str) -> date:
    return date.fromisoformat(text + "-01-01"[len(text) - len("2020") :])


def _read(row: Mapping[str, str]) -> Connection:
    return Connection(
        wallet=Wallet(row["wallet"]),
        issuer=Issuer(row["issuer"]),
        verdict=Verdict(row["verdict"]),
        clearing=Clearing(row["clearing"]),
        since=row.get("since", ""),
        since_mark=Mark(row.get("since_mark", row["mark"])),
        mark=Mark(row["mark"]),
        source=row["source"],
        note=row.get("note", ""),
    )


_TABLE: Final = tomllib.loads(files(__package__).joinpath("interconnection.toml").read_text(encoding="utf-8"))

AS_OF: Final = _first_day(_TABLE["as_of"])  # when the sources were last gone through
CONNECTIONS: Final = tuple(_read(row) for row in _TABLE["connection"])
_PAIRS: Final = {(row.wallet, row.issuer): row for row in CONNECTIONS}


def connection(wallet: Wallet, issuer: Issuer) -> Connection | None:
    """What is known of this wallet on that issuer's codes; None when the table has no word on it."""
    return _PAIRS.get((wallet, issuer))


def may_pay(wallet: Wallet, issuer: Issuer, on: date) -> bool:
    """Whether the wallet is confirmed to pay that issuer's codes on that day."""
    known = connection(wallet, issuer)
    return known is not None and known.may_pay(on)


def payers(issuer: Issuer, on: date) -> tuple[Wallet, ...]:
    """The wallets confirmed to pay that issuer's codes on that day, in the house's order."""
    return tuple(wallet for wallet in Wallet if may_pay(wallet, issuer, on))


def objection(wallet: Wallet, issuer: Issuer, on: date) -> str | None:
    """Why that wallet cannot count on paying that issuer's codes on that day, in English; None when it can."""
    known, payer, codes = connection(wallet, issuer), WALLET_NAMES[wallet][0], f"{ISSUER_NAMES[issuer]} codes"
    if known is None or known.verdict is Verdict.UNKNOWN:
        return f"Nobody has published that {payer} pays {codes}."
    if known.verdict is Verdict.CLOSED:
        return f"There is a wall: {payer} does not pay {codes}. {known.note}".rstrip()
    if known.opens > on:
        return f"{payer} pays {codes} since {known.since}, and it is {on}."
    if known.mark is Mark.UNSURE:
        return f"That {payer} pays {codes} is said but not confirmed ({known.source})."
    return None


CLEARING_NAMES: Final = {
    Clearing.OWN: "its own network",
    Clearing.UNIONPAY: "UnionPay",
    Clearing.NETSUNION: "NetsUnion",
    Clearing.DIRECT: "the code itself, which leads each wallet home",
    Clearing.UNPUBLISHED: "a clearing house that is not published",
}
