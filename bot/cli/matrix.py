"""The interconnection table as people see it: lines for a terminal, and the picture of the README."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Final
from xml.sax.saxutils import escape

from providers.sdk.codes.issuers import ISSUER_NAMES, Issuer, Mark
from providers.sdk.interconnection import AS_OF, CONNECTIONS, Clearing, Connection, Verdict, connection
from providers.sdk.wallets import Wallet, wallet_name

PAYERS: Final = tuple(dict.fromkeys(row.wallet for row in CONNECTIONS))
CODES: Final = tuple(dict.fromkeys(row.issuer for row in CONNECTIONS))

_THROUGH: Final = {
    Clearing.OWN: "own",
    Clearing.UNIONPAY: "UnionPay",
    Clearing.NETSUNION: "NetsUnion",
    Clearing.DIRECT: "direct",
    Clearing.UNPUBLISHED: "linked",
}


class Look(StrEnum):
    """How a pair stands on a day; the value is its class in the picture."""

    OWN = "own"
    OPEN = "open"
    UNSURE = "unsure"
    NOT_YET = "later"
    WALL = "wall"
    UNKNOWN = "unknown"


def look(row: Connection | None, on: date) -> Look:
    """How to show what is known of a pair."""
    if row is None or row.verdict is Verdict.UNKNOWN:
        return Look.UNKNOWN
    if row.verdict is Verdict.CLOSED:
        return Look.WALL
    if row.opens > on:
        return Look.NOT_YET
    if row.mark is Mark.UNSURE:
        return Look.UNSURE
    return Look.OWN if row.clearing is Clearing.OWN else Look.OPEN


def words(row: Connection | None, on: date) -> tuple[str, str]:
    """The two short lines of a cell: through whom, and since when."""
    seen = look(row, on)
    if row is None or seen is Look.UNKNOWN:
        return ("", "") if row is None else ("?", "")
    if seen in {Look.WALL, Look.NOT_YET}:
        return ("wall" if seen is Look.WALL else "-", "")
    doubt = "?" if Mark.UNSURE in {row.mark, row.since_mark} else ""
    return _THROUGH[row.clearing], f"{row.since}{doubt}"


# For a terminal.


def lines(on: date) -> Iterator[str]:
    """The matrix of a day, and under it what each cell rests on."""
    yield f"Who may pay whose code on {on} (sources read up to {AS_OF:%Y-%m}). Payers down, codes across."
    yield ""
    yield _line("", *CODES)
    for wallet in PAYERS:
        yield _line(
            wallet, *(" ".join(words(connection(wallet, issuer), on)).strip() or "." for issuer in CODES)
        )
    yield ""
    yield 'own: its own network. direct: the code leads each wallet home. "?": unsure or unpublished. -: not yet. .: no word.'
    yield ""
    for row in CONNECTIONS:
        yield f"{row.wallet} x {row.issuer}: {_story(row)}, {row.mark}. Source: {row.source}. {row.note}".rstrip()


def _story(row: Connection) -> str:
    through = (
        f" through {_THROUGH[row.clearing]}"
        if row.clearing in {Clearing.UNIONPAY, Clearing.NETSUNION}
        else ""
    )
    since = f" since {row.since}" if row.since else ""
    doubt = " or so" if row.since_mark is not row.mark else ""
    return f"{row.verdict}{through}{since}{doubt}"


def _line(first: str, *cells: str) -> str:
    return (first.ljust(10) + "".join(cell.ljust(20) for cell in cells)).rstrip()


# For the README.

_LEFT, _TOP, _WIDE, _HIGH, _GAP = 190, 96, 104, 44, 4
_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #1b2a33; text-anchor: middle }
.title { font-size: 18px; font-weight: 600; text-anchor: start }
.side { text-anchor: end } .small { font-size: 11px } .start { text-anchor: start }
.own { fill: #cfe3f5 } .open { fill: #c9ebd3 } .unsure { fill: #f6ebc4 } .wall { fill: #f3c6c2 }
.later, .unknown { fill: #f0f2f3 }
"""
_LEGEND: Final = (
    (Look.OWN, "its own network"),
    (Look.OPEN, "connected, and since when"),
    (Look.UNSURE, "said once, unsure"),
    (Look.WALL, "a wall"),
    (Look.UNKNOWN, "nothing published"),
)


def picture(on: date = AS_OF) -> str:
    """The matrix of a day as SVG. The same table gives the same text, letter by letter."""
    width = _LEFT + len(CODES) * _WIDE + 20
    height = _TOP + len(PAYERS) * _HIGH + 50
    title = "Which wallet may pay whose code"
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#fff"/>',
        f'<text class="title" x="20" y="34">{title}, {on:%Y-%m}</text>',
        *_heads(),
        *(cell for at, wallet in enumerate(PAYERS) for cell in _row(at, wallet, on)),
        *_legend(height - 26),
        "</svg>",
    )
    return "\n".join(parts) + "\n"


def _heads() -> Iterator[str]:
    for at, issuer in enumerate(CODES):
        first, second = _fold(ISSUER_NAMES[issuer])
        yield _text(_middle(at), _TOP - 28, first)
        yield _text(_middle(at), _TOP - 12, second)


def _fold(name: str) -> tuple[str, str]:
    """A name on two lines: two words above where there are three or more."""
    spoken = name.split()
    above = min(len(spoken) - 1, 2)
    return " ".join(spoken[:above]), " ".join(spoken[above:])


def _row(at: int, wallet: Wallet, on: date) -> Iterator[str]:
    top = _TOP + at * _HIGH
    yield _text(_LEFT - 12, top + 24, wallet_name(wallet, "en"), "side")
    for column, issuer in enumerate(CODES):
        yield from _cell(column, top, wallet, issuer, on)


def _cell(column: int, top: int, wallet: Wallet, issuer: Issuer, on: date) -> Iterator[str]:
    row = connection(wallet, issuer)
    first, second = words(row, on)
    left, wide, high = _LEFT + column * _WIDE, _WIDE - _GAP, _HIGH - _GAP
    yield f'<rect class="{look(row, on)}" x="{left}" y="{top}" width="{wide}" height="{high}" rx="5"/>'
    if first:
        yield _text(_middle(column), top + (18 if second else 25), first)
    if second:
        yield _text(_middle(column), top + 33, second, "small")


def _legend(y: int) -> Iterator[str]:
    for at, (seen, meaning) in enumerate(_LEGEND):
        left = 20 + at * 190
        yield f'<rect class="{seen}" x="{left}" y="{y - 11}" width="14" height="14" rx="3"/>'
        yield _text(left + 22, y, meaning, "small start")


def _middle(column: int) -> int:
    return _LEFT + column * _WIDE + (_WIDE - _GAP) // 2


def _text(x: int, y: int, said: str, style: str = "") -> str:
    named = f' class="{style}"' if style else ""
    return f'<text{named} x="{x}" y="{y}">{escape(said)}</text>'
