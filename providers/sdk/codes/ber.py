"""Basic encoding rules as chip cards use them: tag, length, value, nested (ISO/IEC 8825-1; EMV Book 3, annex B)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from providers.sdk.codes.errors import CodeError, Flaw

_CONSTRUCTED: Final = 0x20
_LONG_TAG: Final = 0x1F
_MORE: Final = 0x80
_SHORT_MAX: Final = 0x7F
_LONG_ONE, _LONG_TWO = 0x81, 0x82  # lengths of one and two bytes; 512 bytes need no more
_DEPTH_MAX: Final = 3  # 61, 63, and what is in it


@dataclass(frozen=True, slots=True)
class BerObject:
    """One object; the tag is upper-case hex. The value may be card data and is never printed."""

    tag: str
    value: bytes = field(repr=False)
    parts: tuple["BerObject", ...] = field(default=(), repr=False)

    def find(self, tag: str) -> bytes | None:
        """The value of one object inside."""
        return next((part.value for part in self.parts if part.tag == tag), None)


def read_ber(content: bytes, depth: int = 0) -> tuple[BerObject, ...]:
    """All objects, in order. Raises `CodeError` when one is cut short, indefinite, or nested too deep."""
    if depth > _DEPTH_MAX:
        raise CodeError("This code is nested deeper than any payment code.")
    return tuple(_walk(content, depth))


def _walk(content: bytes, depth: int) -> Iterator[BerObject]:
    at = 0
    while at < len(content):
        tag, at = _read_tag(content, at)
        length, at = _read_length(content, at)
        value = content[at : at + length]
        if len(value) < length:
            raise _cut_short()
        parts = read_ber(value, depth + 1) if tag[0] & _CONSTRUCTED else ()
        yield BerObject(tag.hex().upper(), value, parts)
        at += length


def _read_tag(content: bytes, at: int) -> tuple[bytes, int]:
    end = at + 1
    if content[at] & _LONG_TAG == _LONG_TAG:
        while end < len(content) and content[end] & _MORE:
            end += 1
        end += 1
    if end > len(content):
        raise _cut_short()
    return content[at:end], end


def _read_length(content: bytes, at: int) -> tuple[int, int]:
    first = content[at : at + 1]
    if not first:
        raise _cut_short()
    if first[0] <= _SHORT_MAX:
        return first[0], at + 1
    if first[0] not in {_LONG_ONE, _LONG_TWO}:
        raise CodeError("This code has an object of no definite length.")
    end = at + 1 + first[0] - _MORE
    if end > len(content):
        raise _cut_short()
    return int.from_bytes(content[at + 1 : end], "big"), end


def _cut_short() -> CodeError:
    return CodeError("This code is cut short; scan it again.", Flaw.DAMAGED)


def write_ber(objects: Iterable[BerObject]) -> bytes:
    """The bytes of the objects, lengths in their shortest form; `parts` are not looked at, the value holds them."""
    return b"".join(bytes.fromhex(each.tag) + _write_length(len(each.value)) + each.value for each in objects)


def _write_length(length: int) -> bytes:
    if length <= _SHORT_MAX:
        return bytes([length])
    return bytes([_LONG_ONE, length]) if length < 1 << 8 else bytes([_LONG_TWO]) + length.to_bytes(2, "big")
