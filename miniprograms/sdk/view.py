"""What a page shows. A view is data: `render()` builds one, the host draws it.

Text is plain text. There is no markup to inject: bold or code is a node, never a character in a string.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Style(StrEnum):
    """How a piece of text looks."""

    PLAIN = "plain"
    BOLD = "bold"
    ITALIC = "italic"
    CODE = "code"
    STRIKE = "strike"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text in one style."""

    content: str
    style: Style = Style.PLAIN


def Bold(content: str) -> Text:  # noqa: N802  # reads as a node beside Text
    """`Bold("Total")`."""
    return Text(content, Style.BOLD)


def Code(content: str) -> Text:  # noqa: N802  # reads as a node beside Text
    """Monospaced: order numbers, codes, addresses."""
    return Text(content, Style.CODE)


Handler = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Button:
    """A button that calls a method of its page with JSON-able arguments.

    `once=True` for what must happen once however often it is tapped. `primary` marks the main way on.
    """

    label: str
    handler: Handler
    args: dict[str, Any] = field(default_factory=dict)
    once: bool = False
    primary: bool = False

    def __init__(
        self,
        label: str,
        handler: Handler,
        *,
        once: bool = False,
        primary: bool = False,
        **args: Any,  # noqa: ANN401  # any JSON value
    ) -> None:
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "handler", handler)
        object.__setattr__(self, "args", args)
        object.__setattr__(self, "once", once)
        object.__setattr__(self, "primary", primary)


@dataclass(frozen=True, slots=True)
class LinkButton:
    """A button that opens a web address."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class CopyButton:
    """A button that copies text (up to 256 characters)."""

    label: str
    text: str


AnyButton = Button | LinkButton | CopyButton


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture above the text: PNG or JPEG, up to 2 MB; width and height up to 5,000 pixels together."""

    content: bytes = field(repr=False)
    alt: str = ""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A picture above the text: this text, of up to 2,048 bytes, as a QR code that the host draws."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextInput:
    """Ask for a line of text; the page method is called with `text=`. `placeholder` shows in the input field."""

    handler: Handler
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """Text, buttons, and perhaps a picture and a text input.

    `View("Coffee shop", [Button("Latte", self.add, sku="latte")])`: a button alone makes a row of its own, a list of
    buttons makes one row.
    """

    body: tuple[Text, ...]
    rows: tuple[tuple[AnyButton, ...], ...] = ()
    picture: Picture | QrCode | None = None
    text_input: TextInput | None = None

    def __init__(
        self,
        body: "str | Text | Iterable[str | Text]",
        rows: "Iterable[AnyButton | Sequence[AnyButton]]" = (),
        *,
        picture: Picture | QrCode | None = None,
        text_input: TextInput | None = None,
    ) -> None:
        pieces = (body,) if isinstance(body, str | Text) else tuple(body)
        nodes = tuple(piece if isinstance(piece, Text) else Text(piece) for piece in pieces)
        grid = tuple(tuple(row) if isinstance(row, Sequence) else (row,) for row in rows)
        object.__setattr__(self, "body", nodes)
        object.__setattr__(self, "rows", tuple(row for row in grid if row))
        object.__setattr__(self, "picture", picture)
        object.__setattr__(self, "text_input", text_input)
