"""What the person's side hands out: people, messages as a person sees them, the outcome of a tap."""

from dataclasses import dataclass

from bot.sandbox.telegram.wire import MessageEntity, User


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a Telegram account. `language` is the client's, as an IETF tag."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language: str = "en"

    def as_user(self) -> User:
        """The same on the wire, where empty fields are absent."""
        return User(
            id=self.id,
            first_name=self.first_name,
            last_name=self.last_name or None,
            username=self.username or None,
            language_code=self.language or None,
        )


@dataclass(frozen=True, slots=True)
class Button:
    """What a person sees of a button. `action` is the Bot API's field name; `value` what it carries."""

    label: str
    action: str
    value: str = ""
    style: str = ""

    @property
    def url(self) -> str | None:
        """Where the button leads, for `url` and `web_app` buttons."""
        return self.value if self.action in {"url", "web_app"} else None

    @property
    def data(self) -> str | None:
        """The callback data, for buttons that ask the bot."""
        return self.value if self.action == "callback_data" else None

    @property
    def copy(self) -> str | None:
        """The text put on the clipboard."""
        return self.value if self.action == "copy_text" else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a button stands; rows and columns count from 0."""

    message_id: int
    row: int
    col: int


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message as a person sees it; deleted messages are not seen."""

    message_id: int
    from_bot: bool
    sender: str
    date: int
    text: str  # of a photo or document: its caption
    entities: tuple[MessageEntity, ...] = ()
    photo_file_id: str | None = None
    document_name: str | None = None
    buttons: tuple[tuple[Button, ...], ...] = ()
    reply_to: int | None = None
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Tap:
    """What came of a tap. Only a `callback_data` button waits for the bot.

    `answered` is False when the bot kept silent for as long as the person watched, and for buttons that ask
    nobody. `url` is where the client goes: the button's own, or the one in the bot's answer.
    """

    answered: bool
    toast: str = ""
    alert: bool = False
    url: str | None = None
    copied: str | None = None


@dataclass(frozen=True, slots=True)
class InputBar:
    """What stands at the bottom of the chat: the keys that the bot put there, and its wish for a reply."""

    keys: tuple[tuple[str, ...], ...] = ()
    one_time: bool = False
    reply_to: int | None = None
    placeholder: str = ""


class NoSuchButton(LookupError):  # noqa: N818  # an answer to the person's script, not a failure
    """There is no such message, or no button at that place of it."""
