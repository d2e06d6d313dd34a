"""The strict rules of a merchant-presented code: the table of EMVCo MPM 1.1, sections 3 and 4, and what it adds up to.

Codes in the street break the small ones (a city of 16 letters), so a lenient reader skips this file but for the
amounts: what a payer would be charged is never guessed.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from providers.sdk.codes.errors import CodeError
from providers.sdk.codes.tlv import DataObject

_ANS: Final = re.compile(r"[ -~]+", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_AMOUNT: Final = re.compile(r"(?=.{1,13}$)[0-9]+(\.[0-9]*)?", re.ASCII)
_PERCENT: Final = re.compile(r"(?=.{1,5}$)[0-9]{1,2}(\.[0-9]{0,2})?", re.ASCII)


class Field(NamedTuple):
    """`form` is the standard's: N digits, ans printable ASCII, S any text. Lengths are in characters."""

    name: str
    form: str
    shortest: int
    longest: int


FIELDS: Final[dict[str, Field]] = {
    "00": Field("payload format", "N", 2, 2),
    "01": Field("point of initiation", "N", 2, 2),
    "52": Field("merchant category", "N", 4, 4),
    "53": Field("currency", "N", 3, 3),
    "54": Field("amount", "ans", 1, 13),
    "55": Field("tip indicator", "N", 2, 2),
    "56": Field("fixed fee", "ans", 1, 13),
    "57": Field("percent fee", "ans", 1, 5),
    "58": Field("country", "ans", 2, 2),
    "59": Field("merchant name", "ans", 1, 25),
    "60": Field("merchant city", "ans", 1, 15),
    "61": Field("postal code", "ans", 1, 10),
    "62": Field("additional data", "S", 1, 99),
    "63": Field("checksum", "ans", 4, 4),
    "64": Field("language template", "S", 1, 99),
}
_ACCOUNT: Final = Field("merchant account", "ans", 1, 99)
_RESERVED: Final = Field("reserved object", "S", 1, 99)
_REQUIRED: Final = ("52", "53", "58", "59", "60")

ACCOUNTS: Final = frozenset(f"{number:02d}" for number in range(2, 52))
TEMPLATES: Final = frozenset(f"{number:02d}" for number in (*range(26, 52), 62, 64, *range(80, 100)))
_NAMED_BY_ID: Final = frozenset(f"{number:02d}" for number in (*range(26, 52), *range(80, 100)))

# Inside 62: 01 to 08 have 25 characters or are `***`, "ask the payer"; 50 to 99 are templates of payment systems.
_ADDITIONAL: Final = {f"{number:02d}": Field("additional data", "ans", 1, 25) for number in range(1, 9)}
_ADDITIONAL["09"] = Field("consumer data request", "ans", 1, 3)
_LANGUAGE: Final = {
    "00": Field("language", "ans", 2, 2),
    "01": Field("merchant name in its language", "S", 1, 25),
    "02": Field("merchant city in its language", "S", 1, 15),
}
_SYSTEMS_FROM: Final = "50"
_ASK_FOR: Final = frozenset("AME")  # address, mobile number, e-mail


def check_amounts(objects: Iterable[DataObject]) -> None:
    """54, 56 and 57 are digits with at most one point, and not zero; 55 says which fee there is. In every mode."""
    values = {each.id: each.value for each in objects}
    _check_number(values, "53", lambda text: len(text) == 3 and _matches(_DIGITS, text))  # noqa: PLR2004  # ISO 4217
    _check_number(values, "54", lambda text: _matches(_AMOUNT, text) and _above_zero(text))
    _check_number(values, "55", lambda text: text in {"01", "02", "03"})
    _check_number(values, "56", lambda text: _matches(_AMOUNT, text) and _above_zero(text))
    _check_number(values, "57", lambda text: _matches(_PERCENT, text) and _above_zero(text))
    tip = values.get("55")
    if ("56" in values) != (tip == "02") or ("57" in values) != (tip == "03"):
        raise CodeError("This code contradicts itself about its tip or fee; ask the merchant for another.")


def _check_number(values: dict[str, str], object_id: str, right: Callable[[str], bool]) -> None:
    if object_id in values and not right(values[object_id]):
        raise CodeError(
            f"The {FIELDS[object_id].name} in this code is not in its form; ask the merchant for another."
        )


def _matches(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text) is not None


def _above_zero(text: str) -> bool:
    return bool(text.strip("0."))


def check_strictly(objects: tuple[DataObject, ...]) -> None:
    """Everything else the standard asks. Raises `CodeError` that names the object."""
    ids = {each.id for each in objects}
    missing = [FIELDS[required].name for required in _REQUIRED if required not in ids]
    if missing or not ids & ACCOUNTS:
        raise CodeError(
            f"This code lacks {', '.join(missing or ['a merchant account'])}, which EMVCo requires."
        )
    for each in objects:
        field = _ACCOUNT if each.id in ACCOUNTS else FIELDS.get(each.id, _RESERVED)
        _check_field(each, field)
        if each.id in TEMPLATES:
            _check_template(each)
    _check_words({each.id: each.value for each in objects})


def _check_words(values: dict[str, str]) -> None:
    if values.get("01", "11") not in {"11", "12"}:
        raise CodeError("This code says neither 11 (reused) nor 12 (for one payment) of itself.")
    if not re.fullmatch(r"[A-Z]{2}", values["58"], re.ASCII):
        raise CodeError("The country in this code is not two capital letters (ISO 3166-1).")


def _check_field(each: DataObject, field: Field) -> None:
    if not field.shortest <= len(each.value) <= field.longest:
        raise CodeError(
            f"EMVCo object {each.id} ({field.name}) has {len(each.value)} characters;"
            f" {field.shortest} to {field.longest} are allowed."
        )
    if (field.form == "N" and not _DIGITS.fullmatch(each.value)) or (
        field.form == "ans" and not _ANS.fullmatch(each.value)
    ):
        raise CodeError(f"EMVCo object {each.id} ({field.name}) holds characters it may not hold.")


def _check_template(each: DataObject) -> None:
    if each.id in _NAMED_BY_ID and not 1 <= len(each.part("00") or "") <= 32:  # noqa: PLR2004  # MPM table 4.3
        raise CodeError(
            f"EMVCo object {each.id} does not begin with the name of its scheme (00, up to 32 characters)."
        )
    if each.id == "62":
        _check_additional(each)
    if each.id == "64":
        _check_language(each)


def _check_additional(each: DataObject) -> None:
    for part in each.parts:
        if part.id in _ADDITIONAL:
            _check_field(part, _ADDITIONAL[part.id])
        if part.id >= _SYSTEMS_FROM and not _begins_with_name(part.value):
            raise CodeError(
                f"In the additional data, object {part.id} does not begin with the name of its payment system (00)."
            )
    wanted = each.part("09") or ""
    if len(set(wanted)) < len(wanted) or not set(wanted) <= _ASK_FOR:
        raise CodeError(
            "The consumer data request (62, 09) asks for something else than A, M and E, each once."
        )


def _begins_with_name(value: str) -> bool:
    """Object 00 of 1 to 32 characters. A template in a template: looked at, and not opened."""
    length = value[2:4]
    return (
        value.startswith("00")
        and bool(_DIGITS.fullmatch(length))
        and 0 < int(length) <= min(32, len(value) - 4)
    )


def _check_language(each: DataObject) -> None:
    if each.part("00") is None or each.part("01") is None:
        raise CodeError("The language template (64) lacks its language or the merchant's name.")
    if not re.fullmatch(r"[A-Za-z]{2}", each.part("00") or "", re.ASCII):
        raise CodeError("The language in this code is not two letters (ISO 639-1).")
    for part in each.parts:
        if part.id in _LANGUAGE:
            _check_field(part, _LANGUAGE[part.id])
