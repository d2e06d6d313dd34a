"""What every text must be before anybody looks for a code in it: short, and without characters that deceive."""

import unicodedata
from typing import Final

from providers.sdk.codes.errors import CodeError, Flaw

# EMVCo codes end at 512 characters; links that wrap another link are longer. A QR picture at its largest holds 4,296.
TEXT_CHARS_MAX: Final = 2048

# Controls, surrogates, private use, line and paragraph marks, and format marks (those that turn the direction of
# writing make one address look like another). Joiners are letters' company in several scripts of shop names.
_BANNED: Final = frozenset({"Cc", "Cs", "Co", "Zl", "Zp", "Cf"})
_JOINERS: Final = "\u200c\u200d"


def plain(text: str) -> str:
    """The text without spaces around it. Raises `CodeError` when it is empty, too long, or holds a banned character."""
    if len(text) > TEXT_CHARS_MAX:
        raise CodeError(
            f"This text is longer than any payment code ({TEXT_CHARS_MAX} characters); scan it again.",
            Flaw.TOO_LONG,
        )
    if any(unicodedata.category(letter) in _BANNED and letter not in _JOINERS for letter in text):
        raise CodeError(
            "This text has invisible characters in it, which no payment code has. Do not pay it.", Flaw.HIDDEN
        )
    stripped = text.strip(" ")
    if not stripped:
        raise CodeError("There is no text in this code; scan it again.", Flaw.EMPTY)
    return stripped
