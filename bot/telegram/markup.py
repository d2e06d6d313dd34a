"""A screen in Telegram's form: text with entities, and buttons. Pure; no parse mode, so nothing can be injected."""

from collections.abc import Iterable
from typing import Final

from aiogram.types import (
    CopyTextButton,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MessageEntity,
)

from bot.runtime.screen import Key, Screen
from miniprograms.sdk.view import Style, Text

TEXT_UNITS_MAX: Final = 4096  # Bot API, sendMessage, text; counted in UTF-16 units, the strictest reading
CAPTION_UNITS_MAX: Final = 1024  # Bot API, sendPhoto, caption
TOAST_CHARS_MAX: Final = 200  # Bot API, answerCallbackQuery, text
_HINT_CHARS_MAX: Final = 64  # Bot API, ForceReply, input_field_placeholder
_ROW_KEYS_MAX: Final = 8  # what clients still show
_KEYS_MAX: Final = 100  # Telegram cuts or refuses longer keyboards
_ENTITIES: Final = {
    Style.BOLD: "bold",
    Style.ITALIC: "italic",
    Style.CODE: "code",
    Style.STRIKE: "strikethrough",
    Style.QUOTE: "blockquote",
}


def written(screen: Screen) -> tuple[str, list[MessageEntity]]:
    """Text and entities of the message or caption, cut where Telegram would refuse it."""
    body = screen.body
    if screen.input_hint and screen.rows:  # buttons and an opened text field exclude each other
        body = (*body, Text("\n\n"), Text(f"✍️ {screen.input_hint}", Style.ITALIC))
    text, entities = _joined(body, CAPTION_UNITS_MAX if screen.picture else TEXT_UNITS_MAX)
    # An empty message is refused; a picture may stand alone.
    return (text, entities) if text.strip() or screen.picture else ("…", [])


def keyboard(screen: Screen) -> InlineKeyboardMarkup | None:
    """The buttons; None when there are none."""
    keys = 0
    rows = []
    for row in screen.rows:
        for start in range(0, len(row), _ROW_KEYS_MAX):
            part = row[start : start + _ROW_KEYS_MAX][: _KEYS_MAX - keys]
            keys += len(part)
            rows.append([_button(key) for key in part])
    return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row]) if keys else None


def asks_for_reply(screen: Screen) -> ForceReply | None:
    """What opens the text field. Telegram never edits such a message: it is always sent anew."""
    if screen.input_hint is None or screen.rows:
        return None
    return ForceReply(input_field_placeholder=screen.input_hint[:_HINT_CHARS_MAX] or None, selective=None)


def _joined(body: Iterable[Text], units_max: int) -> tuple[str, list[MessageEntity]]:
    pieces: list[str] = []
    entities = []
    offset = 0
    for piece in body:
        content = _cut(piece.content, units_max - offset)
        length = _units(content)
        if piece.style in _ENTITIES and content.strip():
            entities.append(MessageEntity(type=_ENTITIES[piece.style], offset=offset, length=length))
        pieces.append(content)
        offset += length
    return "".join(pieces), entities


def _cut(content: str, units_max: int) -> str:
    """As much as fits; an ellipsis shows that there was more. Half a surrogate pair is no text and becomes `?`."""
    whole = content.encode("utf-8", "replace").decode()
    if _units(whole) <= units_max:
        return whole
    if units_max < 1:
        return ""
    kept = whole.encode("utf-16-le")[: 2 * (units_max - 1)].decode("utf-16-le", "ignore")
    return f"{kept}…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _button(key: Key) -> InlineKeyboardButton:
    return InlineKeyboardButton(
        text=key.label or "…",
        callback_data=key.data or None,
        url=key.url or None,
        copy_text=CopyTextButton(text=key.copy) if key.copy else None,
        style="primary" if key.primary else None,
    )
