"""`parse_mode=Markdown`, the old form: no nesting, four marks, links (Bot API, "Markdown style")."""

import re

from bot.sandbox.telegram.marked_text import Formatted, Marked, byte_offset, parse_error

_PLAIN = re.compile(r"[^_*`\[\\]+")
_ESCAPED = re.compile(r"\\([_*`\[])")
_MARKED = (
    ("pre", re.compile(r"```(?:[^\s`]+(?=\s))?\n?(.*?)```", re.DOTALL)),
    ("code", re.compile(r"`([^`]*)`")),
    ("bold", re.compile(r"\*([^*]*)\*")),
    ("italic", re.compile(r"_([^_]*)_")),
)
_LINK = re.compile(r"\[([^\]]*)\](?:\(([^)]*)\))?")


def parse_old_markdown(text: str) -> Formatted:
    """Raise «can't parse entities: …» for a mark without its end."""
    out, at = Marked(), 0
    while at < len(text):
        if (escaped := _ESCAPED.match(text, at)) is not None:
            out.write(escaped.group(1))
            at = escaped.end()
        elif (plain := _PLAIN.match(text, at)) is not None:
            out.write(plain.group())
            at = plain.end()
        elif text[at] == "\\":
            out.write("\\")
            at += 1
        else:
            at = _read_entity(text, at, out)
    return out.formatted()


def _read_entity(text: str, at: int, out: Marked) -> int:
    """The place behind the entity that begins here."""
    begin = out.units
    if link := _LINK.match(text, at):
        out.write(link.group(1))
        if link.group(2):
            out.link(begin, link.group(2))
        return link.end()
    for kind, pattern in _MARKED:
        if found := pattern.match(text, at):
            out.write(found.group(1))
            out.mark(kind, begin)
            return found.end()
    raise parse_error(f"Can't find end of the entity starting at byte offset {byte_offset(text, at)}")
