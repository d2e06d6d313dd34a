"""From view to screen: limits are checked, and every button gets a token that only this person's session understands.

A token names owner, epoch and button: `t<owner>.<epoch>.<key>`, at most 40 bytes. The key is a digest of what the
button does, so an unchanged button keeps its token from render to render and quick taps all count. A `once` button's
key also holds the number of the render, so it dies with the first tap and with every change of the view.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

import orjson

from bot.runtime.picture import check_picture, qr_png
from bot.runtime.screen import Key, Screen
from bot.runtime.session import Overlay, Press, Program
from bot.texts import translator
from miniprograms.sdk.actions import Actions
from miniprograms.sdk.data import encode
from miniprograms.sdk.errors import DataError, ViewError
from miniprograms.sdk.limits import (
    BUTTONS_MAX,
    CAPTION_UNITS_MAX,
    COPY_UNITS_MAX,
    ROW_BUTTONS_MAX,
    TEXT_UNITS_MAX,
    text_units,
)
from miniprograms.sdk.manifest import Manifest
from miniprograms.sdk.page import Page
from miniprograms.sdk.view import (
    AnyButton,
    Bold,
    Button,
    CopyButton,
    Handler,
    LinkButton,
    Picture,
    QrCode,
    Text,
    View,
)

_HINT_CHARS_MAX: Final = 64  # Telegram, ForceReply.input_field_placeholder
_LINK_SCHEMES: Final = ("https://", "http://", "tg://")
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class Token(NamedTuple):
    """A tapped token, taken apart. Nothing in it is trusted but by looking it up in the owner's session."""

    owner: int
    epoch: str
    key: str


@dataclass(frozen=True, slots=True)
class _Cell:
    """A button between view and screen: `press` is None for one that leads out of the house."""

    label: str
    press: Press | None = None
    url: str = ""
    copy: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A screen before its tokens are known."""

    body: tuple[Text, ...]
    rows: tuple[tuple[_Cell, ...], ...]
    picture: bytes | None = None
    input_hint: str | None = None


def read_token(data: str) -> Token | None:
    """None when this is no token of a page."""
    owner, _, rest = data.removeprefix("t").partition(".")
    epoch, _, key = rest.partition(".")
    if not (data.startswith("t") and key and owner.isascii() and owner.isalnum()):
        return None
    try:
        return Token(int(owner, 36), epoch, key)
    except ValueError:
        return None


def draw_page(page: Page, manifest: Manifest, program: Program, owner: int, epoch: str) -> Screen:
    """Render the page in front, over its tab bar and under its back button, and remember what its buttons do.

    Raises `ViewError`, which names the page and the limit.
    """
    frame = program.frames[-1]
    view = page.render()
    if not isinstance(view, View):
        raise ViewError(f"{frame.route}: render() returned {type(view).__name__}, not a View.")
    _check(view, frame.route)
    rows = [tuple(_cell(button, page, frame.id, frame.route) for button in row) for row in view.rows]
    rows.extend(_house_rows(page, view, manifest, program))
    if sum(map(len, rows)) > BUTTONS_MAX:
        raise ViewError(f"{frame.route}: more than {BUTTONS_MAX} buttons; show them page by page.")
    hint = None
    program.text_method = ""
    if view.text_input is not None:
        hint = view.text_input.placeholder
        program.text_method = _method(view.text_input.handler, page, frame.route)
    return _screen(_Sheet(view.body, tuple(rows), _picture(view, frame.route), hint), program, owner, epoch)


def draw_overlay(overlay: Overlay, program: Program, owner: int, epoch: str) -> Screen:
    """The question that lies over the page."""
    title = (Bold(overlay.title),) if overlay.title else ()
    gap = (Text("\n\n"),) if overlay.title and overlay.content else ()
    content = (Text(overlay.content),) if overlay.content else ()
    rows: list[tuple[_Cell, ...]] = [
        (_Cell(label, Press(overlay.frame, overlay.then, args, once=True)),)
        for label, args in overlay.choices
    ]
    if len(rows) <= 2:  # noqa: PLR2004  # yes and no stand side by side
        rows = [tuple(cell for row in rows for cell in row)]
    program.text_method = ""
    hint = overlay.content[:_HINT_CHARS_MAX] if overlay.takes_payer_code else None
    return _screen(_Sheet((*title, *gap, *content), tuple(rows), input_hint=hint), program, owner, epoch)


def _screen(sheet: _Sheet, program: Program, owner: int, epoch: str) -> Screen:
    drawn = _digest(sheet)
    if drawn != program.drawn:
        program.serial += 1
        program.drawn = drawn
    render: dict[str, Press] = {}
    prefix = f"t{_base36(owner)}.{epoch}."
    rows = tuple(
        tuple(_key(cell, prefix, program.serial, render) for cell in row) for row in sheet.rows if row
    )
    program.remember(render)
    return Screen(sheet.body, rows, sheet.picture, sheet.input_hint)


def _key(cell: _Cell, prefix: str, serial: int, render: dict[str, Press]) -> Key:
    if cell.press is None:
        return Key(cell.label, url=cell.url, copy=cell.copy)
    press = cell.press
    does = [press.frame, press.method, press.args, serial if press.once else 0]
    key = urlsafe_b64encode(blake2b(orjson.dumps(does), digest_size=9).digest()).decode()
    render[key] = press
    return Key(cell.label, data=prefix + key, primary=cell.primary)


def _digest(sheet: _Sheet) -> str:
    picture = blake2b(sheet.picture, digest_size=9).hexdigest() if sheet.picture else ""
    return blake2b(
        orjson.dumps([sheet.body, sheet.rows, picture, sheet.input_hint], default=str), digest_size=9
    ).hexdigest()


def _cell(button: AnyButton, page: Page, frame: int, route: str) -> _Cell:
    if not button.label.strip():
        raise ViewError(f"{route}: a button without a label.")
    match button:
        case Button():
            try:
                encode(button.args)
            except DataError as error:
                raise ViewError(f"{route}, button {button.label!r}: {error}") from error
            press = Press(frame, _method(button.handler, page, route), button.args, once=button.once)
            return _Cell(button.label, press, primary=button.primary)
        case LinkButton():
            if not button.url.startswith(_LINK_SCHEMES):
                raise ViewError(f"{route}, button {button.label!r}: a link starts with https://.")
            return _Cell(button.label, url=button.url)
        case CopyButton():
            if not 0 < text_units(button.text) <= COPY_UNITS_MAX:
                raise ViewError(
                    f"{route}, button {button.label!r}: 1 to {COPY_UNITS_MAX} characters can be copied."
                )
            return _Cell(button.label, copy=button.text)


def _method(handler: Handler, page: Page, route: str) -> str:
    """The handler's name, by which it is found again in another turn and another process."""
    name = getattr(handler, "__name__", "")
    if getattr(handler, "__self__", None) is not page or name.startswith("_") or not hasattr(page, name):
        raise ViewError(
            f"{route}: a handler must be a public method of this page, such as self.add, not {handler!r}; "
            "give what it needs as keyword arguments of the button."
        )
    return name


def _house_rows(page: Page, view: View, manifest: Manifest, program: Program) -> Iterator[tuple[_Cell, ...]]:
    frame = program.frames[-1]
    _ = translator(page.language)
    if manifest.window.refreshable and type(page).on_pull_down_refresh is not Page.on_pull_down_refresh:
        yield (_Cell("⟳ " + _("Refresh"), Press(frame.id, Page.on_pull_down_refresh.__name__, {})),)
    if len(program.frames) > 1 and not _has_way_back(page, view):
        yield (_Cell("‹ " + _("Back"), Press(frame.id, Actions.navigate_back.__name__, {})),)
    if manifest.is_tab(frame.route):
        yield tuple(
            _Cell(
                f"• {tab.text} •" if tab.page_path == frame.route else tab.text,
                Press(frame.id, Actions.switch_tab.__name__, {"url": tab.page_path}),
            )
            for tab in manifest.tabs
        )


def _has_way_back(page: Page, view: View) -> bool:
    return any(
        isinstance(button, Button) and button.handler == page.navigate_back
        for row in view.rows
        for button in row
    )


def _picture(view: View, route: str) -> bytes | None:
    try:
        match view.picture:
            case QrCode(text):
                return qr_png(text)
            case Picture(content):
                check_picture(content)
                return content
            case None:
                return None
    except ValueError as error:
        raise ViewError(f"{route}, picture: {error}") from error


def _check(view: View, route: str) -> None:
    text = "".join(node.content for node in view.body)
    limit = CAPTION_UNITS_MAX if view.picture else TEXT_UNITS_MAX
    if text_units(text) > limit:
        raise ViewError(f"{route}: a text of {text_units(text)} characters; {limit} can be shown.")
    if not text.strip() and view.picture is None:
        raise ViewError(f"{route}: an empty text; say something or show a picture.")
    for row in view.rows:
        if len(row) > ROW_BUTTONS_MAX:
            raise ViewError(f"{route}: {len(row)} buttons in a row; {ROW_BUTTONS_MAX} fit.")


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
