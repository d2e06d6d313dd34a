"""Consumer-presented codes of EMVCo, read (CPM 1.1): BER objects in Base64, on the payer's telephone.

They carry card numbers. Whoever reads one hands it straight to an acquirer; it is never logged and never stored, and
nothing here prints it.
"""

import binascii
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from providers.sdk.codes.ber import BerObject, read_ber, write_ber
from providers.sdk.codes.errors import CodeError, Flaw

CPM_START: Final = "hQVDUFY"  # the Base64 of 85 05 "CPV"
_CHARS_MAX: Final = 512
_FORMAT: Final = b"CPV01"

_APPLICATIONS_MAX: Final = 2
_AID_BYTES: Final = range(5, 17)
_PAN_BYTES_MAX: Final = 10
_TRACK2_BYTES_MAX: Final = 19
_TAIL_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Application:
    """One card in the code. `aid` names the scheme, in hex."""

    aid: str
    label: str
    tail: str  # the last four digits of the card number, empty when they are not to be had
    objects: tuple[BerObject, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EmvConsumer:
    """The payer's cards, the preferred one first. `objects` is all that the code holds, in its order."""

    applications: tuple[Application, ...]
    objects: tuple[BerObject, ...] = field(repr=False)

    def encode(self) -> str:
        """The text again."""
        return b64encode(write_ber(self.objects)).decode()


def read_emv_consumer(text: str) -> EmvConsumer:
    """Read a code that starts `hQVDUFY`. Unknown objects are kept. Raises `CodeError`, which repeats nothing of it."""
    objects = read_ber(_bytes_of(text))
    if not objects or (objects[0].tag, objects[0].value) != ("85", _FORMAT):
        raise CodeError("This is no payer's card code: it does not begin with CPV01.")
    _check_once(objects, but={"61"})
    templates = [each for each in objects if each.tag == "61"]
    common = next((each for each in objects if each.tag == "62"), None)
    if not 1 <= len(templates) <= _APPLICATIONS_MAX or (common and len(templates) < _APPLICATIONS_MAX):
        raise CodeError("This card code has too few or too many cards in it.")
    _check_levels(templates, common)
    applications = tuple(_application(each, common) for each in templates if each.find("4F") is not None)
    if not applications:
        raise CodeError("This card code names no card scheme.")
    return EmvConsumer(applications, objects)


def _bytes_of(text: str) -> bytes:
    if len(text) > _CHARS_MAX:
        raise CodeError(
            f"A card code has at most {_CHARS_MAX} characters; this one is longer.", Flaw.TOO_LONG
        )
    if not text.isascii():
        raise CodeError("A card code has ASCII characters only; this one has others.", Flaw.DAMAGED)
    try:
        content = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CodeError(
            "This card code is damaged (its Base64 does not decode); scan it again.", Flaw.DAMAGED
        ) from None
    if b64encode(content).decode() != text:
        raise CodeError("This card code is damaged (its Base64 has loose ends); scan it again.", Flaw.DAMAGED)
    return content


def _check_levels(templates: Iterable[BerObject], common: BerObject | None) -> None:
    shared = {part.tag for part in common.parts} if common else set()
    for each in templates:
        _check_inside(each)
        if shared & {part.tag for part in each.parts}:
            raise CodeError("This card code says one thing twice, for one card and for both.")
    if common:
        _check_inside(common)


def _check_inside(template: BerObject) -> None:
    """Nothing twice on any level of it."""
    _check_once(template.parts)
    for part in template.parts:
        _check_inside(part)


def _check_once(objects: Iterable[BerObject], but: Iterable[str] = ()) -> None:
    counted = Counter(each.tag for each in objects)
    if any(times > 1 and tag not in but for tag, times in counted.items()):
        raise CodeError("This card code says one thing twice.")


def _application(template: BerObject, common: BerObject | None) -> Application:
    aid = template.find("4F") or b""
    if len(aid) not in _AID_BYTES:
        raise CodeError("The name of the card scheme in this code has the wrong length.")
    values = {part.tag: part.value for part in (*template.parts, *(common.parts if common else ()))}
    pan, track = values.get("5A", b""), values.get("57", b"")
    if not (pan or track) or len(pan) > _PAN_BYTES_MAX or len(track) > _TRACK2_BYTES_MAX:
        raise CodeError("This card code has no card number of a possible length.")
    label = "".join(filter(str.isprintable, values.get("50", b"").decode("ascii", "ignore")))
    return Application(aid.hex().upper(), label, _tail(pan, track), template.parts)


def _tail(pan: bytes, track: bytes) -> str:
    """The card number ends at the separator `D` in track 2, and at the padding `F` in tag 5A."""
    number = pan.hex().upper().rstrip("F") or track.hex().upper().partition("D")[0]
    return number[-_TAIL_DIGITS:] if number.isdecimal() and len(number) > _TAIL_DIGITS else ""
