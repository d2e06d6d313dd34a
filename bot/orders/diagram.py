"""The table as pictures, drawn from the table itself: `python -m bot.orders.diagram` prints Mermaid for the docs."""

import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum

from bot.orders.table import ATTEMPT, ORDER, PAYOUT, REFUND


def diagrams() -> str:
    """The four of them, as they stand in `docs/architecture.md`; moves that change no state are left out."""
    return "\n\n".join(
        f"**{title}**\n\n```mermaid\nstateDiagram-v2\n{_arrows(cells)}\n```"
        for title, cells in (
            ("Order", [(*pair, cell[0]) for pair, cell in ORDER.items()]),
            ("Attempt", [(*pair, cell[0]) for pair, cell in ATTEMPT.items()]),
            ("Refund", [(*pair, cell[0]) for pair, cell in REFUND.items()]),
            ("Payout", [(*pair, cell[0]) for pair, cell in PAYOUT.items()]),
        )
    )


def _arrows(cells: Iterable[tuple[StrEnum, StrEnum, StrEnum]]) -> str:
    moves: dict[tuple[str, str], list[str]] = {}
    for state, event, after in cells:
        if after is not state:
            moves.setdefault((state, after), []).append(event)
    return "\n".join(_lines(moves))


def _lines(moves: Mapping[tuple[str, str], Iterable[str]]) -> Iterable[str]:
    for (before, after), events in sorted(moves.items()):
        yield f"    {before} --> {after}: {', '.join(sorted(events))}"


if __name__ == "__main__":
    sys.stdout.write(diagrams() + "\n")
