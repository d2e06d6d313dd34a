"""`reply_markup`: the four kinds of keyboards, with Telegram's refusals.

Stricter than Telegram in one point: a button with two actions is refused, where Telegram silently takes the first.
"""

from typing import TypeVar

from pydantic import ValidationError
from yarl import URL

from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.people import Button
from bot.sandbox.telegram.wire import (
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyMarkup,
)

CALLBACK_DATA_BYTES_MAX = 64
COPY_TEXT_MAX = 256
BUTTONS_MAX = 100
PLACEHOLDER_MAX = 64
_Model = TypeVar("_Model", InlineKeyboardButton, KeyboardButton, ReplyKeyboardMarkup)
_ACTIONS = (
    "url", "callback_data", "web_app", "copy_text", "switch_inline_query", "switch_inline_query_current_chat",
    "login_url", "pay",
)  # fmt: skip
_STYLES = {None, "primary", "success", "danger"}
_SCHEMES = {"http", "https", "tg", "ton"}
_INLINE, _REPLY = "inline keyboard button", "keyboard button"


def read_markup(value: object) -> ReplyMarkup | None:
    """The decoded `reply_markup`; None for an empty one."""
    if not isinstance(value, dict):
        raise bad_request("Object expected as reply markup")
    if value.get("keyboard"):
        return _reply_keyboard(value)
    if value.get("inline_keyboard"):
        return _inline_keyboard(value["inline_keyboard"])
    if value.get("remove_keyboard"):
        return ReplyKeyboardRemove()
    if value.get("force_reply"):
        return ForceReply(input_field_placeholder=_placeholder(value))
    return None


def inline_only(markup: ReplyMarkup | None) -> InlineKeyboardMarkup | None:
    """What an edit may carry."""
    if markup is None or isinstance(markup, InlineKeyboardMarkup):
        return markup
    raise bad_request("Inline keyboard expected")


def as_buttons(markup: InlineKeyboardMarkup | None) -> tuple[tuple[Button, ...], ...]:
    """The rows as a person sees them."""
    if markup is None:
        return ()
    return tuple(tuple(_as_button(button) for button in row) for row in markup.inline_keyboard)


def _as_button(button: InlineKeyboardButton) -> Button:
    action = next(action for action in _ACTIONS if getattr(button, action) is not None)
    match action:
        case "web_app":
            value = button.web_app.url if button.web_app else ""
        case "copy_text":
            value = button.copy_text.text if button.copy_text else ""
        case "login_url":
            value = str((button.login_url or {}).get("url", ""))
        case _:
            value = str(getattr(button, action))
    return Button(button.text, action, value, button.style or "")


def _rows(value: object, complaint: str) -> list[list[object]]:
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise bad_request(complaint)
    rows = [row for row in value if row]
    if sum(len(row) for row in rows) > BUTTONS_MAX:
        raise bad_request("reply markup is too long")
    return rows


def _inline_keyboard(value: object) -> InlineKeyboardMarkup:
    rows = _rows(value, 'Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    return InlineKeyboardMarkup(
        inline_keyboard=tuple(tuple(_inline_button(cell) for cell in row) for row in rows)
    )


def _inline_button(value: object) -> InlineKeyboardButton:
    if not isinstance(value, dict):
        raise bad_request("Can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    filled = {name: field for name, field in value.items() if field not in ("", None) or name == "text"}
    button = _parsed(InlineKeyboardButton, filled, _INLINE)
    actions = [action for action in _ACTIONS if getattr(button, action) is not None]
    if not actions:
        raise bad_request(f"Can't parse {_INLINE}: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad_request(
            f"Can't parse {_INLINE}: the button has {len(actions)} actions ({', '.join(actions)}); keep one"
        )
    return _checked(button)


def _checked(button: InlineKeyboardButton) -> InlineKeyboardButton:
    if not button.text.strip():
        raise bad_request("Inline keyboard button text must be non-empty")
    if button.callback_data is not None and len(button.callback_data.encode()) > CALLBACK_DATA_BYTES_MAX:
        raise bad_request("BUTTON_DATA_INVALID")
    if button.copy_text is not None and not 1 <= len(button.copy_text.text) <= COPY_TEXT_MAX:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
    if button.web_app is not None and not button.web_app.url.startswith("https://"):
        raise bad_request(
            f"Inline keyboard button Web App URL '{button.web_app.url}' is invalid: Only HTTPS links are allowed"
        )
    if button.url is not None:
        return button.model_copy(update={"url": _link(button.url)})
    return button


def _link(url: str) -> str:
    """The address as Telegram keeps it. A host needs a dot: `127.0.0.1` will do, `localhost` will not."""
    address = url if "://" in url else f"http://{url}"
    scheme = address.partition("://")[0].lower()
    if scheme not in _SCHEMES:
        raise bad_request(f"Inline keyboard button URL '{url}' is invalid: Unsupported URL protocol")
    try:
        host = URL(address).host or ""
    except ValueError:
        host = ""
    if scheme.startswith("http") and "." not in host and ":" not in host:
        raise bad_request(f"Inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    return address


def _reply_keyboard(value: dict[str, object]) -> ReplyKeyboardMarkup:
    rows = _rows(value["keyboard"], 'Field "keyboard" must be an Array of Arrays')
    filled = {**value, "keyboard": [], "input_field_placeholder": _placeholder(value)}
    markup = _parsed(ReplyKeyboardMarkup, filled, _REPLY)
    return markup.model_copy(update={"keyboard": tuple(tuple(_key(cell) for cell in row) for row in rows)})


def _key(value: object) -> KeyboardButton:
    if not isinstance(value, str | dict):
        raise bad_request("Can't parse keyboard button: KeyboardButton must be a String or an Object")
    key = _parsed(KeyboardButton, {"text": value} if isinstance(value, str) else value, _REPLY)
    if not key.text.strip():
        raise bad_request("Keyboard button text must be non-empty")
    return key


def _placeholder(value: dict[str, object]) -> str | None:
    text = value.get("input_field_placeholder")
    return str(text)[:PLACEHOLDER_MAX] if text else None


def _parsed(model: type[_Model], value: object, what: str) -> _Model:
    """Raise with Telegram's words for a missing field or one of a wrong type."""
    try:
        parsed = model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        problem = (
            f'Can\'t find field "{name}"'
            if first["type"] == "missing"
            else f'Field "{name}" must be of type String'
        )
        raise bad_request(f"Can't parse {what}: {problem}") from error
    if getattr(parsed, "style", None) not in _STYLES:
        raise bad_request(f"Can't parse {what}: invalid button style specified")
    return parsed
