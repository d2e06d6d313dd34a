"""The one error of this package."""

from enum import StrEnum


class Flaw(StrEnum):
    """What is wrong with a text, coarse enough to be said in any language."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    HIDDEN = "hidden"  # characters that nobody sees
    LOOK_ALIKE = "look_alike"  # letters that imitate a known address
    UNKNOWN = "unknown"  # of no network in our tables
    DAMAGED = "damaged"  # cut short, or changed under its checksum
    IRREGULAR = "irregular"  # whole, but against its own standard


class CodeError(Exception):
    """A text is no code we can read, or breaks its own standard. The message is fit for the person who scanned it.

    It never repeats the text: a payer code is money for a minute, and a consumer-presented code carries card data.
    """

    def __init__(self, message: str, flaw: Flaw = Flaw.IRREGULAR) -> None:
        super().__init__(message)
        self.flaw = flaw
