"""Money in integer minor units. There is no float in this house."""

import re
from dataclasses import dataclass
from typing import Final, Self

from providers.sdk.errors import ReplyError

# ISO 4217 exponents of the currencies our networks settle in, and Telegram Stars (XTR), which are whole.
EXPONENTS: Final = {
    "CNY": 2, "HKD": 2, "MOP": 2, "USD": 2, "EUR": 2, "GBP": 2, "SGD": 2, "THB": 2, "MYR": 2, "PHP": 2,
    "AUD": 2, "CAD": 2, "CHF": 2, "NZD": 2, "TWD": 2, "IDR": 2, "INR": 2, "JPY": 0, "KRW": 0, "VND": 0,
    "XTR": 0,
}  # fmt: skip

# 10^11 fen is a billion yuan: above every network's limit, far below 2^53.
MINOR_MAX: Final = 10**11

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.([0-9]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount that is never negative: 18 yuan is `Money(1800, "CNY")`."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"Money takes an int of minor units, not {type(self.minor).__name__}.")
        if self.currency not in EXPONENTS:
            raise ValueError(f"Unknown currency {self.currency!r}; known: {', '.join(sorted(EXPONENTS))}.")
        if not 0 <= self.minor <= MINOR_MAX:
            raise ValueError(f"{self.minor} minor units are outside 0..{MINOR_MAX}.")

    @classmethod
    def cny(cls, yuan: str) -> Self:
        """`Money.cny("18.00")`."""
        return cls.parse(yuan, "CNY")

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read a plain decimal such as `18`, `18.0` or `18.00`; more digits than the currency has are refused."""
        match = _DECIMAL.fullmatch(text)
        exponent = EXPONENTS.get(currency)
        if match is None or exponent is None:
            raise ValueError(f"{text!r} is not an amount in {currency!r}.")
        fraction = (match[2] or "").rstrip("0")
        if len(fraction) > exponent:
            raise ValueError(f"{text!r} has more than {exponent} decimals, which {currency} does not.")
        return cls(int(match[1] + fraction.ljust(exponent, "0")), currency)

    @property
    def decimal(self) -> str:
        """The plain decimal with all its digits: `18.00`; the form Alipay and Huifu put on their wire."""
        exponent = EXPONENTS[self.currency]
        if exponent == 0:
            return str(self.minor)
        digits = str(self.minor).rjust(exponent + 1, "0")
        return f"{digits[:-exponent]}.{digits[-exponent:]}"

    def __str__(self) -> str:
        sign = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "XTR": "★"}.get(self.currency)
        return f"{sign}{self.decimal}" if sign else f"{self.currency} {self.decimal}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __mul__(self, times: int) -> "Money":
        if type(times) is not int:
            raise TypeError("Money is multiplied by whole numbers only.")
        return Money(self.minor * times, self.currency)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __bool__(self) -> bool:
        return self.minor > 0

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix.")
        return other.minor


def wire_minor(text: object, currency: str) -> Money:
    """An amount an institution sent as integer minor units (`1800` or `"1800"`); anything else is no answer."""
    if type(text) is int and 0 <= text <= MINOR_MAX:
        return Money(text, currency)
    if (
        isinstance(text, str)
        and re.fullmatch(r"0|[1-9][0-9]{0,11}", text, re.ASCII)
        and int(text) <= MINOR_MAX
    ):
        return Money(int(text), currency)
    raise ReplyError("An amount in the answer is not a whole number of minor units.")


def wire_decimal(text: object, currency: str) -> Money:
    """An amount an institution sent as a decimal string (`"18.00"`); anything else is no answer."""
    try:
        return Money.parse(text if isinstance(text, str) else "", currency)
    except ValueError:
        raise ReplyError("An amount in the answer is not a plain decimal.") from None
