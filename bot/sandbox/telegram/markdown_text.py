"""`parse_mode=MarkdownV2` into text and entities (Bot API, "MarkdownV2 style")."""

import re
from dataclasses import dataclass

from bot.sandbox.telegram.marked_text import Formatted, Marked, byte_offset, parse_error

_RESERVED = set("_*[]()~`>#+-=|{}.!\n")
_CODE_ESCAPES = 126  # a backslash frees the ASCII characters below
_MARKS = (  # the longest first; Telegram's own name of the entity for its error texts
    ("```", "pre", "Pre"),
    ("__", "underline", "Underline"),
    ("||", "spoiler", "Spoiler"),
    ("![", "custom_emoji", "CustomEmoji"),
    ("*", "bold", "Bold"),
    ("_", "italic", "Italic"),
    ("~", "strikethrough", "Strikethrough"),
    ("`", "code", "Code"),
    ("[", "text_link", "TextUrl"),
)
_ENDS = {"custom_emoji": "]", "text_link": "]"}
_LANGUAGE = re.compile(r"([^\s`]+)(?=\s)")
_LINE_END = re.compile(r"\r\n|\n\r|\n|\r")
_QUOTE = ("blockquote", "BlockQuote")


@dataclass(frozen=True, slots=True)
class _Open:
    kind: str
    name: str
    offset: int
    where: int  # byte offset in the source, for error texts
    start: int  # index in the source
    place: int
    language: str = ""


def parse_markdown(text: str) -> Formatted:
    """Raise «can't parse entities: …» with Telegram's words and byte offsets."""
    return _MarkdownReader(text).read()


class _MarkdownReader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._out = Marked()
        self._open: list[_Open] = []
        self._line_start = True

    def read(self) -> Formatted:
        while self._at < len(self._text):
            self._step()
        if self._in_quote():
            self._close_quote()
        if self._open:
            raise self._unclosed()
        return self._out.formatted()

    def _step(self) -> None:
        character = self._text[self._at]
        following = self._text[self._at + 1 : self._at + 2]
        inside_code = bool(self._open) and self._open[-1].kind in {"code", "pre"}
        if character == "\\" and following and 0 < ord(following) <= _CODE_ESCAPES:
            self._plain(following, 2)
        elif character not in _RESERVED or (inside_code and character != "`"):
            self._plain(character, 1)
        elif character == "\n":
            self._end_line()
        elif self._ends_entity():
            self._close()
        elif character == ">" and self._line_start:
            self._open_quote()
        else:
            self._begin()

    def _plain(self, character: str, taken: int) -> None:
        self._out.write(character)
        self._at += taken
        self._line_start = character == "\n"

    def _ends_entity(self) -> bool:
        if not self._open:
            return False
        kind = self._open[-1].kind
        if kind == "italic" and self._text.startswith("__", self._at):
            return False  # `__` is always read as underline first
        end = _ENDS.get(kind) or next((mark for mark, marked, _ in _MARKS if marked == kind), "")
        return bool(end) and self._text.startswith(end, self._at)

    def _begin(self) -> None:
        where = byte_offset(self._text, self._at)
        found = next((mark for mark in _MARKS if self._text.startswith(mark[0], self._at)), None)
        if found is None:
            character = self._text[self._at]
            raise parse_error(
                f"Character '{character}' is reserved and must be escaped with the preceding '\\'"
            )
        mark, kind, name = found
        start = self._at
        self._at += len(mark)
        self._line_start = False
        language = self._read_language() if kind == "pre" else ""
        name = "PreCode" if language else name
        self._open.append(_Open(kind, name, self._out.units, where, start, len(self._out.parts), language))

    def _read_language(self) -> str:
        found = _LANGUAGE.match(self._text, self._at)
        if found:
            self._at = found.end()
        if line_end := _LINE_END.match(self._text, self._at):
            self._at = line_end.end()
        return found.group(1) if found else ""

    def _close(self) -> None:
        opened = self._open.pop()
        self._line_start = False
        if opened.kind in _ENDS:
            self._at += 1
            self._close_link(opened)
        else:
            self._at += next(len(mark) for mark, kind, _ in _MARKS if kind == opened.kind)
            self._out.mark(opened.kind, opened.offset, language=opened.language)

    def _close_link(self, opened: _Open) -> None:
        url = self._read_url()
        if opened.kind == "text_link":
            self._out.link(opened.offset, self._out.since(opened.place) if url is None else url)
            return
        if url is None:
            raise parse_error("The entity must contain a tg://emoji or tg://time URL")
        emoji_id = url.removeprefix("tg://emoji?id=")
        if emoji_id == url or not emoji_id.isdecimal():
            raise parse_error("Invalid tg://emoji or tg://time URL specified")
        self._out.mark("custom_emoji", opened.offset, custom_emoji_id=emoji_id)

    def _read_url(self) -> str | None:
        """The address in parentheses behind the text; None when there are none."""
        if not self._text.startswith("(", self._at):
            return None
        begin = self._at + 1
        found = re.compile(r"((?:\\.|[^)\\])*)\)", re.DOTALL).match(self._text, begin)
        if found is None:
            raise parse_error(f"Can't find end of a URL at byte offset {byte_offset(self._text, begin)}")
        self._at = found.end()
        return re.sub(r"\\(.)", r"\1", found.group(1))

    def _in_quote(self) -> bool:
        return any(opened.kind == "blockquote" for opened in self._open)

    def _open_quote(self) -> None:
        self._line_start = False
        if not self._in_quote():
            where = byte_offset(self._text, self._at)
            self._open.append(_Open(*_QUOTE, self._out.units, where, self._at, len(self._out.parts)))
        self._at += 1

    def _end_line(self) -> None:
        """A quote goes on while its lines begin with `>`; nothing else may reach over its end."""
        goes_on = self._text.startswith(">", self._at + 1)
        if self._in_quote() and not goes_on:
            self._close_quote()
        self._plain("\n", 1)

    def _close_quote(self) -> None:
        kind = "blockquote"
        if self._open[-1].kind == "spoiler" and self._open[-1].start == self._at - 2:
            self._open.pop()  # «||» at the end of a quote makes it expandable
            kind = "expandable_blockquote"
        if self._open[-1].kind != "blockquote":
            raise self._unclosed()
        self._out.mark(kind, self._open.pop().offset)

    def _unclosed(self) -> Exception:
        opened = self._open[-1]
        return parse_error(f"Can't find end of {opened.name} entity at byte offset {opened.where}")
