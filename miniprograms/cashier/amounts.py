"""Amounts as people type them at a till. Pure."""

import re
from typing import Final
from unicodedata import normalize

from miniprograms.sdk import Money

AMOUNT_MAX: Final = Money.cny("50000.00")  # a slip of the thumb is caught before the customer sees it
_FORM: Final = re.compile(r"[¥￥]?([0-9]{1,6}(?:\.[0-9]{0,2})?|\.[0-9]{1,2})元?", re.ASCII)
_KEYS: Final = re.compile(r"(0|[1-9][0-9]{0,5})(\.[0-9]{0,2})?", re.ASCII)


def read_amount(text: str) -> Money | None:
    """`18`, `18.5`, `¥18.00`, `１８．００`, `18元`; None for what is no amount of this till.

    A comma is refused: it is a decimal point to some and a thousands mark to others.
    """
    match = _FORM.fullmatch(normalize("NFKC", text).replace("。", ".").strip())
    if match is None:
        return None
    yuan, _, cents = match[1].partition(".")
    amount = Money.cny(f"{yuan.lstrip('0') or '0'}.{cents or '0'}")
    return amount if 0 < amount.minor <= AMOUNT_MAX.minor else None


def press(typed: str, key: str) -> str:
    """What stands on the keypad after one more key: a digit, a point, or `⌫`. What does not fit changes nothing."""
    if key == "⌫":
        return typed[:-1]
    longer = (typed if typed != "0" or key == "." else "") + key
    longer = "0." if longer == "." else longer
    return longer if _KEYS.fullmatch(longer) else typed
