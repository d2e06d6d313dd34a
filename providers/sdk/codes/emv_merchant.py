"""Merchant-presented codes of EMVCo, read and written (MPM 1.1, November 2020): cross-border UnionPay, national schemes.

Inside mainland China UnionPay, WeChat and Alipay codes are links, not this.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from providers.sdk.codes.errors import CodeError, Flaw
from providers.sdk.codes.plain import plain
from providers.sdk.codes.rules import ACCOUNTS, TEMPLATES, check_amounts, check_strictly
from providers.sdk.codes.tlv import DataObject, checksum, read_objects, write_objects
from providers.sdk.money import Money

EMV_CHARS_MAX: Final = 512  # MPM 1.1, section 3.2

_END: Final = re.compile(r"6304[0-9A-Fa-f]{4}", re.ASCII)
_END_CHARS: Final = 8
_CRC_CHARS: Final = 4

# ISO 4217 numbers of the currencies `Money` knows.
_CURRENCIES: Final = {
    "156": "CNY", "344": "HKD", "446": "MOP", "840": "USD", "978": "EUR", "826": "GBP", "702": "SGD", "764": "THB",
    "458": "MYR", "608": "PHP", "036": "AUD", "124": "CAD", "756": "CHF", "554": "NZD", "901": "TWD", "360": "IDR",
    "356": "INR", "392": "JPY", "410": "KRW", "704": "VND",
}  # fmt: skip
_NUMBERS: Final = {currency: number for number, currency in _CURRENCIES.items()}

_UNIONPAY_CHARS: Final = 31


@dataclass(frozen=True, slots=True)
class UnionPayAccount:
    """What object 15 or 16 holds.

    The split agrees with published codes of seven countries. UnionPay's own text of it was not to be had, so it is
    shown to people and nothing is decided by it.
    """

    acquirer: str  # issuer identification number, 8
    forwarder: str  # likewise
    merchant: str  # 15


@dataclass(frozen=True, slots=True)
class EmvMerchant:
    """A code by its objects, in the code's own order: what is read and written again is the same text.

    The checksum is not among the objects.
    """

    objects: tuple[DataObject, ...]

    @classmethod
    def compose(
        cls,
        *,
        accounts: Iterable[DataObject],
        name: str,
        city: str,
        country: str,
        currency: str,
        amount: Money | None = None,
        category: str = "0000",
        more: Iterable[DataObject] = (),
    ) -> Self:
        """A code by the strict rules. With an amount it is for one payment, without one the payer enters it.

        `more` is anything else: a postal code, additional data, a language template. Raises `CodeError`.
        """
        if currency not in _NUMBERS or (amount is not None and amount.currency != currency):
            raise CodeError(f"A code cannot be written in {currency!r} for this amount.")
        values = {"00": "01", "01": "11" if amount is None else "12"}
        rest = {"52": category, "53": _NUMBERS[currency], "58": country, "59": name, "60": city}
        if amount is not None:
            rest["54"] = amount.decimal
        objects = (
            *(DataObject(*pair) for pair in values.items()),
            *accounts,
            *(DataObject(*pair) for pair in sorted(rest.items())),
            *more,
        )
        code = cls(objects)
        read_emv_merchant(code.encode(), strict=True)
        return code

    def encode(self) -> str:
        """The text for the picture, with its checksum.

        Raises `CodeError` when it would exceed 512 characters or bytes, or when a value could not be read again.
        """
        body = plain(write_objects(self.objects) + "6304")
        if len(body.encode()) + _CRC_CHARS > EMV_CHARS_MAX:
            raise CodeError(f"An EMVCo code has at most {EMV_CHARS_MAX} bytes; leave something out.")
        return body + checksum(body)

    def value(self, object_id: str) -> str | None:
        """The value of one object of the first level."""
        return next((each.value for each in self.objects if each.id == object_id), None)

    def template(self, object_id: str) -> DataObject | None:
        """A template of the first level, such as 62 or 64."""
        return next((each for each in self.objects if each.id == object_id), None)

    @property
    def accounts(self) -> tuple[DataObject, ...]:
        """Where the money may go, one for each scheme the merchant takes."""
        return tuple(each for each in self.objects if each.id in ACCOUNTS)

    @property
    def unionpay(self) -> UnionPayAccount | None:
        """UnionPay's account, when there is one of the known shape."""
        value = self.value("15") or self.value("16") or ""
        if len(value) != _UNIONPAY_CHARS:
            return None
        return UnionPayAccount(value[:8], value[8:16], value[16:])

    @property
    def name(self) -> str:
        """The merchant's name as the code has it; empty when a lenient reading found none."""
        return self.value("59") or ""

    @property
    def dynamic(self) -> bool:
        """Made for one payment."""
        return self.value("01") == "12"

    def amount(self) -> Money | None:
        """What the payer owes before tips; None when the payer enters it. Raises `CodeError` when it is no money here."""
        text = self.value("54")
        if text is None:
            return None
        currency = _CURRENCIES.get(self.value("53") or "", "")
        whole, _, fraction = text.partition(".")
        try:
            return Money.parse(f"{whole.lstrip('0') or '0'}.{fraction or '0'}", currency)
        except ValueError:
            raise CodeError(
                "The amount of this code is in a currency or form this house does not settle."
            ) from None


def read_emv_merchant(text: str, *, strict: bool = False) -> EmvMerchant:
    """Read a code that starts `0002`. Raises `CodeError`.

    In both modes: at most 512 characters, the right checksum (hex in either case), objects that fit, `00` first and
    `63` last, no id twice, amounts in their form. Strict adds every length, alphabet and presence of the standard.
    """
    text = plain(text)
    if len(text) > EMV_CHARS_MAX:
        raise CodeError(
            f"An EMVCo code has at most {EMV_CHARS_MAX} characters; this one is longer.", Flaw.TOO_LONG
        )
    body, end = text[:-_END_CHARS], text[-_END_CHARS:]
    if not text.startswith("000201") or not _END.fullmatch(end):
        raise CodeError(
            "An EMVCo code starts with 000201 and ends with its checksum; this one does not.", Flaw.DAMAGED
        )
    if checksum(text[:-_CRC_CHARS]) != end[-_CRC_CHARS:].upper():
        raise CodeError(
            "The checksum of this code is wrong: it is damaged or was changed. Scan it again.", Flaw.DAMAGED
        )
    objects = tuple(_open(each, strict=strict) for each in read_objects(body))
    if any(each.id == "63" for each in objects):
        raise CodeError("This code has two checksums.")
    check_amounts(objects)
    if strict:
        check_strictly(objects)
    return EmvMerchant(objects)


def _open(each: DataObject, *, strict: bool) -> DataObject:
    """Look inside a template, one level deep as the standard has it; a lenient reader leaves an odd one closed."""
    if each.id not in TEMPLATES:
        return each
    try:
        return DataObject(each.id, each.value, read_objects(each.value))
    except CodeError:
        if strict:
            raise
        return each
