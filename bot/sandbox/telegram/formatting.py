"""Text as the bot sends it, or a person writes it, into text and entities as everybody sees them."""

import re

from pydantic import ValidationError

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.html_text import parse_html
from bot.sandbox.telegram.markdown_text import parse_markdown
from bot.sandbox.telegram.marked_text import Formatted, byte_offset, sorted_entities, utf16_length
from bot.sandbox.telegram.old_markdown_text import parse_old_markdown
from bot.sandbox.telegram.wire import MessageEntity

TEXT_MAX = 4096
CAPTION_MAX = 1024
SOURCE_BYTES_MAX = 1 << 15

_FOUND = {  # what Telegram's servers find on their own
    "bot_command": re.compile(r"(?<![\w/@])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])"),
    "url": re.compile(r"(?<![\w@])https?://[^\s<>\"]*[^\s<>\".,;:!?')\]]"),
    "mention": re.compile(r"(?<![\w@])@[A-Za-z][A-Za-z0-9_]{3,31}(?!\w)"),
    "hashtag": re.compile(r"(?<![\w#&])#(?=\w*[^\W\d_])\w{1,255}"),
}
_OPAQUE = {"code", "pre", "text_link", "text_mention"}  # nothing is looked for inside


def format_text(text: str, parse_mode: str, entities: tuple[MessageEntity, ...]) -> Formatted:
    """The text of sendMessage and editMessageText."""
    if not text:
        raise bad_request(errors.TEXT_EMPTY)
    formatted = _format(text, parse_mode, entities)
    if not formatted.text:
        raise bad_request(errors.TEXT_BLANK)
    if len(formatted.text) > TEXT_MAX:
        raise bad_request(errors.TEXT_TOO_LONG)
    return formatted


def format_caption(caption: str, parse_mode: str, entities: tuple[MessageEntity, ...]) -> Formatted:
    """The caption of a photo or a document; it may be empty."""
    formatted = _format(caption, parse_mode, entities)
    if len(formatted.text) > CAPTION_MAX:
        raise bad_request(errors.CAPTION_TOO_LONG)
    return formatted


def plain(text: str) -> Formatted:
    """What a person writes: trimmed, with commands and links found in it."""
    return _found_in(_trimmed(Formatted(text)))


def _format(text: str, parse_mode: str, entities: tuple[MessageEntity, ...]) -> Formatted:
    if len(text.encode()) > SOURCE_BYTES_MAX:
        raise bad_request("Text is too long")
    match parse_mode.lower():
        case "" | "none":
            check_bounds(text, entities)
            parsed = Formatted(text, sorted_entities([entity for entity in entities if entity.length]))
        case "html":
            parsed = parse_html(text)
        case "markdownv2":
            parsed = parse_markdown(text)
        case "markdown":
            parsed = parse_old_markdown(text)
        case _:
            raise bad_request("Unsupported parse_mode")
    return _found_in(_trimmed(parsed))


def check_bounds(text: str, entities: tuple[MessageEntity, ...]) -> None:
    """Raise for an entity that leaves the text or cuts a surrogate pair."""
    for entity in sorted_entities(list(entities)):
        if entity.offset < 0:
            raise bad_request(f"Receive an entity with incorrect offset {entity.offset}")
        if entity.length < 0:
            raise bad_request(f"Receive an entity with incorrect length {entity.length}")
        if entity.offset > utf16_length(text):
            raise bad_request(f"Entity begins after the end of the text at UTF-16 offset {entity.offset}")
        if entity.end > utf16_length(text):
            raise bad_request(
                f"Entity beginning at UTF-16 offset {entity.offset} ends after the end of the text"
                f" at UTF-16 offset {entity.end}"
            )
        _check_whole_symbols(text, entity)


def _check_whole_symbols(text: str, entity: MessageEntity) -> None:
    starts, units = {0: 0}, 0
    for index, character in enumerate(text, start=1):
        units += utf16_length(character)
        starts[units] = index
    if entity.offset not in starts:
        where = byte_offset(text, starts[entity.offset + 1])
        raise bad_request(f"Entity begins in a middle of a UTF-16 symbol at byte offset {where}")
    if entity.end not in starts:
        where = byte_offset(text, starts[entity.end + 1])
        raise bad_request(
            f"Entity beginning at UTF-16 offset {entity.offset} ends in a middle of a UTF-16 symbol"
            f" at byte offset {where}"
        )


def _trimmed(formatted: Formatted) -> Formatted:
    """Telegram cuts white space at both ends; entities shrink with the text."""
    text = formatted.text.rstrip()
    lead = utf16_length(text) - utf16_length(text.lstrip())
    text = text.lstrip()
    end = utf16_length(text)
    kept = []
    for entity in formatted.entities:
        start = max(entity.offset - lead, 0)
        length = min(entity.end - lead, end) - start
        if length > 0:
            kept.append(entity.model_copy(update={"offset": start, "length": length}))
    return Formatted(text, sorted_entities(kept))


def _found_in(formatted: Formatted) -> Formatted:
    """Add commands, links, mentions and hashtags that nobody marked."""
    entities = list(formatted.entities)
    for kind, pattern in _FOUND.items():
        for match in pattern.finditer(formatted.text):
            start = utf16_length(formatted.text[: match.start()])
            length = utf16_length(match.group())
            if not any(_hides(entity, start, start + length) for entity in entities):
                entities.append(MessageEntity(type=kind, offset=start, length=length))
    return Formatted(formatted.text, sorted_entities(entities))


def _hides(entity: MessageEntity, start: int, end: int) -> bool:
    """An opaque entity, or one that was found before, lies over this place."""
    return entity.type in (_OPAQUE | _FOUND.keys()) and entity.offset < end and start < entity.end


def read_entities(values: object) -> tuple[MessageEntity, ...]:
    """The `entities` parameter. As on Telegram, anything but a list counts as none."""
    if not isinstance(values, list):
        return ()
    try:
        return tuple(MessageEntity.model_validate(value) for value in values)
    except ValidationError as error:
        field = error.errors()[0]["loc"]
        name = field[0] if field else "type"
        raise bad_request(f"Can't parse MessageEntity: Can't find field \"{name}\"") from error
