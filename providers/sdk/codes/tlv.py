"""The objects of a merchant-presented code: two digits of id, two of length, the value (EMVCo MPM 1.1, section 3).

The length counts characters, not bytes (4.4.1.1). Ids occur once on each level (4.3.1.2). Nothing here knows what an
id means.
"""

import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from providers.sdk.codes.errors import CodeError, Flaw

_HEADER: Final = re.compile(r"[0-9]{4}", re.ASCII)
_ID: Final = re.compile(r"[0-9]{2}", re.ASCII)
_HEADER_CHARS: Final = 4
_VALUE_CHARS_MAX: Final = 99


@dataclass(frozen=True, slots=True)
class DataObject:
    """One object. `parts` are the objects inside its value when it is a template that could be read, else empty."""

    id: str
    value: str
    parts: tuple["DataObject", ...] = ()

    def part(self, part_id: str) -> str | None:
        """The value of one object inside."""
        return next((part.value for part in self.parts if part.id == part_id), None)


def template(object_id: str, *parts: tuple[str, str]) -> DataObject:
    """A template made of its parts: `template("26", ("00", "org.example"), ("01", "12345678"))`."""
    inner = tuple(DataObject(*part) for part in parts)
    return DataObject(object_id, write_objects(inner), inner)


def read_objects(text: str) -> tuple[DataObject, ...]:
    """The objects of one level, in their order. Raises `CodeError` on an odd header, an overrun or a repeated id."""
    objects = tuple(_walk(text))
    if len({each.id for each in objects}) < len(objects):
        raise CodeError(
            "This code says one thing twice (an EMVCo id is repeated); nobody can tell which one holds."
        )
    return objects


def _walk(text: str) -> Iterator[DataObject]:
    at = 0
    while at < len(text):
        header = text[at : at + _HEADER_CHARS]
        if not _HEADER.fullmatch(header) or header.endswith("00"):
            raise CodeError(
                f"This code is damaged: at character {at + 1} no EMVCo object begins. Scan it again.",
                Flaw.DAMAGED,
            )
        end = at + _HEADER_CHARS + int(header[2:])
        if end > len(text):
            raise CodeError(
                f"This code is cut short: its EMVCo object {header[:2]} runs past the end. Scan it again.",
                Flaw.DAMAGED,
            )
        yield DataObject(header[:2], text[at + _HEADER_CHARS : end])
        at = end


def write_objects(objects: Iterable[DataObject]) -> str:
    """The text of one level. Raises `CodeError` for an id that is not two digits or a value outside 1 to 99."""
    return "".join(map(_write, objects))


def _write(each: DataObject) -> str:
    if not _ID.fullmatch(each.id) or not 1 <= len(each.value) <= _VALUE_CHARS_MAX:
        raise CodeError(
            f"EMVCo object {each.id!r} must have two digits as id and 1 to 99 characters of value."
        )
    return f"{each.id}{len(each.value):02d}{each.value}"


def checksum(text: str) -> str:
    """CRC-16 with polynomial 1021 and start FFFF over the UTF-8 bytes, four upper-case hex digits (MPM 4.7.3)."""
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"
