"""What the parsers of HTML and MarkdownV2 share: text that grows, counted in UTF-16 units, with entities over it."""

from dataclasses import dataclass, field

from bot.sandbox.telegram.errors import ApiError, bad_request
from bot.sandbox.telegram.wire import MessageEntity, User


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text and its entities, sorted as Telegram sends them."""

    text: str
    entities: tuple[MessageEntity, ...] = ()


def utf16_length(text: str) -> int:
    """Telegram's measure for entities: characters outside the basic plane count twice."""
    return len(text) + sum(character > "\uffff" for character in text)


def parse_error(message: str) -> ApiError:
    """What Telegram says to markup that does not parse."""
    return bad_request(f"Can't parse entities: {message}")


def byte_offset(text: str, at: int) -> int:
    """Positions in Telegram's error texts count UTF-8 bytes."""
    return len(text[:at].encode())


def text_link(offset: int, length: int, url: str) -> MessageEntity | None:
    """A link over text, a mention for `tg://user?id=N`, or nothing when the address is not one."""
    user_id = url.removeprefix("tg://user?id=")
    if user_id != url and user_id.isdecimal():
        user = User(id=int(user_id), first_name="")
        return MessageEntity(type="text_mention", offset=offset, length=length, user=user)
    if "." not in url and not url.startswith("tg://"):
        return None
    address = url if "://" in url else f"http://{url}"
    return MessageEntity(type="text_link", offset=offset, length=length, url=address)


@dataclass(slots=True)
class Marked:
    """The text so far."""

    parts: list[str] = field(default_factory=list)
    units: int = 0
    entities: list[MessageEntity] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Append plain text."""
        self.parts.append(text)
        self.units += utf16_length(text)

    def since(self, place: int) -> str:
        """The text written after `place` parts stood."""
        return "".join(self.parts[place:])

    def mark(self, kind: str, offset: int, *, language: str = "", custom_emoji_id: str = "") -> None:
        """Lay an entity from `offset` to here; over nothing it is dropped."""
        if self.units > offset:
            self.entities.append(
                MessageEntity(
                    type=kind,
                    offset=offset,
                    length=self.units - offset,
                    language=language or None,
                    custom_emoji_id=custom_emoji_id or None,
                )
            )

    def link(self, offset: int, url: str) -> None:
        """Lay a link from `offset` to here."""
        entity = text_link(offset, self.units - offset, url)
        if entity is not None and entity.length:
            self.entities.append(entity)

    def formatted(self) -> Formatted:
        """The whole: outer entities before inner ones."""
        return Formatted("".join(self.parts), sorted_entities(self.entities))


def sorted_entities(entities: list[MessageEntity]) -> tuple[MessageEntity, ...]:
    """By offset, the longer first."""
    return tuple(sorted(entities, key=lambda entity: (entity.offset, -entity.length)))
