"""The four classes of personal e-CNY wallets and what each may pay, as dated data.

The limits are the central bank's to change and have changed; each institution may set lower ones. So a row says since
when it is known, where it was read, and whether the figures were seen in a source (`confirmed`) or are only commonly
quoted. Nothing in the provider depends on them: an institution refuses by itself. The simulated one refuses by these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from providers.sdk.money import Money


class WalletClass(StrEnum):
    """How well the holder is known: the better, the higher the class."""

    I = "I"  # noqa: E741  # the class's own name
    II = "II"
    III = "III"
    IV = "IV"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One row, amounts in fen; None means no limit is published. `balance` is what the wallet may hold."""

    wallet_class: WalletClass
    opened_with: str
    since: date  # the first day on which the figures are known to hold
    balance: int | None
    single: int | None
    daily: int | None
    yearly: int | None
    confirmed: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a wallet has paid so far, in fen, by Beijing days and years; `held` where it is known."""

    today: int = 0
    this_year: int = 0
    held: int | None = None


_TRIAL: Final = date(2020, 1, 1)  # the agreement of the trial names no day; the year is 2020
_PUBLIC: Final = date(2021, 6, 11)
_CCB_2020: Final = "China Construction Bank's trial agreement, xiguacaijing.com/kuaixun/2020/27414"
_PRESS_2021: Final = "forkast.news/china-reveals-e-cny-wallet-specifications; shine.cn/biz/economy/2106110507"
_PRESS_2021_IV: Final = f"{_PRESS_2021}; the year's limit: biia.com/china-launches-digital-yuan-app"
_QUOTED: Final = "commonly quoted, not seen in an opened source"
_COUNTER, _BANK, _CARD, _PHONE = (
    "at a bank's counter",
    "+ bank account",
    "+ identity number",
    "a phone number",
)


def _row(
    wallet_class: WalletClass,
    opened_with: str,
    since: date,
    yuan: tuple[int | None, int | None, int | None, int | None],
    source: str,
    *,
    confirmed: bool,
) -> Limits:
    balance, single, daily, yearly = (None if limit is None else limit * 100 for limit in yuan)
    return Limits(
        wallet_class=wallet_class,
        opened_with=opened_with,
        since=since,
        balance=balance,
        single=single,
        daily=daily,
        yearly=yearly,
        confirmed=confirmed,
        source=source,
    )


# Yuan: balance, single payment, day, year.
TABLE: Final[tuple[Limits, ...]] = (
    _row(WalletClass.I, _COUNTER, _TRIAL, (500_000, 50_000, 100_000, 500_000), _CCB_2020, confirmed=False),
    _row(WalletClass.II, _BANK, _TRIAL, (10_000, 5_000, 10_000, 300_000), _CCB_2020, confirmed=True),
    _row(WalletClass.III, _CARD, _TRIAL, (2_000, 2_000, 2_000, 50_000), _CCB_2020, confirmed=True),
    _row(WalletClass.IV, _PHONE, _TRIAL, (1_000, 500, 1_000, 10_000), _CCB_2020, confirmed=True),
    _row(WalletClass.I, _COUNTER, _PUBLIC, (None, None, None, None), _QUOTED, confirmed=False),
    _row(WalletClass.II, _BANK, _PUBLIC, (500_000, 50_000, 100_000, None), _PRESS_2021, confirmed=True),
    _row(WalletClass.III, _CARD, _PUBLIC, (20_000, 5_000, 10_000, None), _QUOTED, confirmed=False),
    _row(WalletClass.IV, _PHONE, _PUBLIC, (10_000, 2_000, 5_000, 50_000), _PRESS_2021_IV, confirmed=True),
)


def limits_on(wallet_class: WalletClass, day: date, table: Sequence[Limits] = TABLE) -> Limits | None:
    """The row that holds for that class on that day; None before the first one."""
    rows = [row for row in table if row.wallet_class is wallet_class and row.since <= day]
    return max(rows, key=lambda row: row.since, default=None)


def objection(limits: Limits, amount_minor: int, spending: Spending) -> str | None:
    """Why a wallet of that class may not pay that amount now, in words for its holder; None when it may.

    A limit is the most that may be paid: an amount that reaches it exactly passes.
    """
    if spending.held is not None and amount_minor > spending.held:
        return f"余额不足 (the wallet holds {_yuan(spending.held)})"
    bounds = (
        ("单笔", "at once", limits.single, amount_minor),
        ("当日累计", "a day", limits.daily, spending.today + amount_minor),
        ("年累计", "a year", limits.yearly, spending.this_year + amount_minor),
    )
    for chinese, english, bound, would_be in bounds:
        if bound is not None and would_be > bound:
            return (
                f"超出{_NAMES[limits.wallet_class]}钱包{chinese}支付限额 "
                f"(a class {limits.wallet_class} wallet pays at most {_yuan(bound)} {english})"
            )
    return None


def balance_objection(limits: Limits, would_hold_minor: int) -> str | None:
    """Why a wallet of that class may not come to hold that much, in words for its holder; None when it may."""
    if limits.balance is None or would_hold_minor <= limits.balance:
        return None
    return (
        f"超出{_NAMES[limits.wallet_class]}钱包余额上限 "
        f"(a class {limits.wallet_class} wallet holds at most {_yuan(limits.balance)})"
    )


_NAMES: Final = {
    WalletClass.I: "一类",
    WalletClass.II: "二类",
    WalletClass.III: "三类",
    WalletClass.IV: "四类",
}


def _yuan(minor: int) -> str:
    return str(Money(minor, "CNY"))
