"""`parse_mode=HTML`: Telegram's small HTML into text and entities (Bot API, "HTML style")."""

import re
from dataclasses import dataclass

from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.marked_text import Formatted, Marked, byte_offset, parse_error

_KINDS = {
    "b": "bold", "strong": "bold",
    "i": "italic", "em": "italic",
    "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "tg-spoiler": "spoiler", "span": "spoiler",
}  # fmt: skip
_TAGS = {*_KINDS, "a", "code", "pre", "blockquote", "tg-emoji"}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#(?:x(?P<hex>[0-9a-fA-F]+)|(?P<dec>[0-9]+))|(?P<name>[A-Za-z]+));?")
_PLAIN = re.compile(r"[^<&]+")
_END_TAG = re.compile(r"</([^\s>]*)\s*(>?)")
_START_TAG = re.compile(r"<([^\s>]*)")
_ATTRIBUTE = re.compile(r"""\s*([^\s=>/"']*)\s*(?:(=)\s*(?:"([^"]*)"?|'([^']*)'?|([A-Za-z0-9.-]*)))?""")
_REFERENCE_CHARACTERS_MAX = 10
_CODE_POINT_MAX = 0x10FFFF


@dataclass(frozen=True, slots=True)
class _Open:
    tag: str
    attributes: dict[str, str]
    offset: int
    place: int  # in the parts written so far


def parse_html(text: str) -> Formatted:
    """Raise «can't parse entities: …» with Telegram's words and byte offsets."""
    return _HtmlReader(text).read()


class _HtmlReader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._out = Marked()
        self._open: list[_Open] = []

    def read(self) -> Formatted:
        while self._at < len(self._text):
            if plain := _PLAIN.match(self._text, self._at):
                self._out.write(plain.group())
                self._at = plain.end()
            elif self._text[self._at] == "&":
                self._read_reference()
            elif self._text.startswith("</", self._at):
                self._read_end_tag()
            else:
                self._read_start_tag()
        if self._open:
            raise parse_error(f'Can\'t find end tag corresponding to start tag "{self._open[-1].tag}"')
        return self._out.formatted()

    def _read_reference(self) -> None:
        found = _REFERENCE.match(self._text, self._at)
        character = _referred(found) if found else None
        if found is None or character is None:
            self._out.write("&")
            self._at += 1
        else:
            self._out.write(character)
            self._at = found.end()

    def _read_start_tag(self) -> None:
        where = byte_offset(self._text, self._at)
        found = _START_TAG.match(self._text, self._at)
        if found is None or found.end() >= len(self._text):
            raise parse_error(f"Unclosed start tag at byte offset {where}")
        tag = found.group(1).lower()
        if tag not in _TAGS:
            raise parse_error(f'Unsupported start tag "{tag}" at byte offset {where}')
        self._at = found.end()
        attributes = self._read_attributes(tag, where)
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise parse_error(f'Tag "span" must have class "tg-spoiler" at byte offset {where}')
        self._open.append(_Open(tag, attributes, self._out.units, len(self._out.parts)))

    def _read_attributes(self, tag: str, where: int) -> dict[str, str]:
        attributes: dict[str, str] = {}
        while True:
            while self._text[self._at : self._at + 1].isspace():
                self._at += 1
            if self._at >= len(self._text):
                raise parse_error(f"Unclosed start tag at byte offset {where}")
            if self._text[self._at] == ">":
                self._at += 1
                return attributes
            self._read_attribute(tag, where, attributes)

    def _read_attribute(self, tag: str, where: int, attributes: dict[str, str]) -> None:
        found = _ATTRIBUTE.match(self._text, self._at)
        if found is None or not found.group(1):
            raise parse_error(f'Empty attribute name in the tag "{tag}" at byte offset {where}')
        name, equals, double, single, token = found.groups()
        if token is not None and self._text[found.end() : found.end() + 1] not in {" ", "\t", "\n", ">"}:
            start = byte_offset(self._text, found.start(5))
            raise parse_error(f"Unexpected end of name token at byte offset {start}")
        value = next((quoted for quoted in (double, single) if quoted is not None), (token or "").lower())
        attributes[name] = _unescape(value) if equals else "1"
        self._at = found.end()

    def _read_end_tag(self) -> None:
        where = byte_offset(self._text, self._at)
        if not self._open:
            raise parse_error(f"Unexpected end tag at byte offset {where}")
        found = _END_TAG.match(self._text, self._at)
        if found is None or not found.group(2):
            raise parse_error(f"Unclosed end tag at byte offset {where}")
        opened, name = self._open.pop(), found.group(1).lower()
        if name and name != opened.tag:
            raise parse_error(
                f'Unmatched end tag at byte offset {where}, expected "</{opened.tag}>", found "</{name}>"'
            )
        self._at = found.end()
        self._close(opened)

    def _close(self, opened: _Open) -> None:
        match opened.tag:
            case "a":
                self._out.link(opened.offset, opened.attributes.get("href") or self._out.since(opened.place))
            case "code":
                language = opened.attributes.get("class", "")
                self._out.mark("code", opened.offset, language=_language(language))
            case "pre":
                self._close_pre(opened)
            case "blockquote":
                expandable = "expandable" in opened.attributes
                self._out.mark("expandable_blockquote" if expandable else "blockquote", opened.offset)
            case "tg-emoji":
                emoji_id = opened.attributes.get("emoji-id", "")
                if not emoji_id.isdecimal():
                    raise bad_request("Can't parse entities: Invalid custom emoji identifier specified")
                self._out.mark("custom_emoji", opened.offset, custom_emoji_id=emoji_id)
            case tag:
                self._out.mark(_KINDS[tag], opened.offset)

    def _close_pre(self, opened: _Open) -> None:
        """`<pre><code class="language-x">` is one entity with a language."""
        inner = self._out.entities[-1] if self._out.entities else None
        spans = inner is not None and (inner.offset, inner.end) == (opened.offset, self._out.units)
        if inner is not None and spans and inner.type == "code" and inner.language:
            self._out.entities.pop()
            self._out.mark("pre", opened.offset, language=inner.language)
        else:
            self._out.mark("pre", opened.offset)


def _language(css_class: str) -> str:
    return css_class.removeprefix("language-") if css_class.startswith("language-") else ""


def _referred(found: re.Match[str]) -> str | None:
    """The character a reference stands for; None when it stands for nothing and is plain text."""
    if name := found.group("name"):
        return _NAMED.get(name)
    code = int(found.group("hex"), 16) if found.group("hex") else int(found.group("dec"))
    too_long = len(found.group().rstrip(";")) >= _REFERENCE_CHARACTERS_MAX
    is_surrogate = 0xD800 <= code <= 0xDFFF  # noqa: PLR2004  # the two halves of a UTF-16 pair
    return None if too_long or is_surrogate or not 0 < code < _CODE_POINT_MAX else chr(code)


def _unescape(value: str) -> str:
    return _REFERENCE.sub(lambda found: _referred(found) or found.group(), value)
