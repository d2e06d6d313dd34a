"""The parameters of every method, read from text as Telegram reads them.

Unknown parameters are ignored. Numbers are read leniently, as on Telegram: what is no number is 0.
"""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.call import read_json
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.formatting import read_entities
from bot.sandbox.telegram.keyboards import read_markup
from bot.sandbox.telegram.wire import BotCommand, MessageEntity, ReplyMarkup

_LEADING_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,19})")
_MESSAGES_MAX = 100
_COMMANDS_MAX = 100
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_DESCRIPTION_MAX = 256


def _number(text: object) -> object:
    if not isinstance(text, str):
        return text
    found = _LEADING_NUMBER.match(text)
    return int(found.group(1)) if found else 0


def _flag(text: object) -> object:
    return text.strip().lower() in {"true", "yes", "1"} if isinstance(text, str) else text


def _chat(text: object) -> object:
    if text in ("", 0):  # not given
        raise bad_request(errors.CHAT_ID_EMPTY)
    return _number(text)


def _json(text: str, complaint: str) -> JsonValue:
    try:
        return read_json(text)
    except ValueError as error:
        raise bad_request(complaint) from error


def _entities(text: object) -> object:
    if not isinstance(text, str) or not text:
        return text or ()
    try:
        return read_entities(read_json(text))
    except ValueError:
        return ()


def _markup(text: object) -> object:
    if not isinstance(text, str) or not text:
        return text or None
    return read_markup(_json(text, "Can't parse reply keyboard markup JSON object"))


def _kinds(text: object) -> object:
    """What is no list of words changes nothing."""
    if not isinstance(text, str):
        return text
    try:
        value = read_json(text)
    except ValueError:
        return None
    if not isinstance(value, list):
        return None
    words = tuple(word.lower() for word in value if isinstance(word, str))
    return words if len(words) == len(value) else None


def _message_ids(text: object) -> object:
    if not isinstance(text, str) or not text:
        raise bad_request("Message identifiers are not specified")
    values = _json(text, "Can't parse message_ids JSON object")
    if not isinstance(values, list):
        raise bad_request("Expected an Array of message identifiers")
    if len(values) > _MESSAGES_MAX:
        raise bad_request("Too many message identifiers specified")
    if not all(isinstance(value, int) and value > 0 for value in values):
        raise bad_request("Invalid message identifier specified")
    return tuple(values)


def _object(text: object) -> object:
    if not isinstance(text, str) or not text:
        return text or {}
    value = _json(text, "Can't parse JSON object")
    if not isinstance(value, dict):
        raise bad_request("Object expected")
    return value


def _commands(text: object) -> object:
    if not isinstance(text, str) or not text:
        return text or ()
    values = _json(text, "Can't parse commands JSON object")
    if not isinstance(values, list):
        raise bad_request("Expected an Array of BotCommand")
    if len(values) > _COMMANDS_MAX:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    return tuple(_command(value) for value in values)


def _command(value: JsonValue) -> BotCommand:
    try:
        read = BotCommand.model_validate(value)
    except ValidationError as error:
        raise bad_request("Can't parse BotCommand: expected an Object") from error
    command, description = read.command.strip().removeprefix("/"), read.description.strip()
    if not command:
        raise bad_request("Command must be non-empty")
    if not description:
        raise bad_request("Command description must be non-empty")
    if len(description) > _DESCRIPTION_MAX:
        raise bad_request(f"Command description length must not exceed {_DESCRIPTION_MAX}")
    if not _COMMAND.fullmatch(command):
        raise bad_request("BOT_COMMAND_INVALID")
    return BotCommand(command=command, description=description)


Number = Annotated[int, BeforeValidator(_number)]
Flag = Annotated[bool, BeforeValidator(_flag)]
ChatId = Annotated[int, BeforeValidator(_chat)]
Entities = Annotated[tuple[MessageEntity, ...], BeforeValidator(_entities)]
Markup = Annotated[ReplyMarkup | None, BeforeValidator(_markup)]
Kinds = Annotated[tuple[str, ...] | None, BeforeValidator(_kinds)]
MessageIds = Annotated[tuple[int, ...], BeforeValidator(_message_ids)]
JsonObject = Annotated[dict[str, JsonValue], BeforeValidator(_object)]
Commands = Annotated[tuple[BotCommand, ...], BeforeValidator(_commands)]


class Params(BaseModel):
    """Parameters of one method."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_default=True)


class NoParams(Params):
    """getMe and its like."""


class GetUpdates(Params):
    offset: Number = 0
    limit: Number = 100
    timeout: Number = 0
    allowed_updates: Kinds = None


class SetWebhook(Params):
    url: str = ""
    secret_token: str = ""
    max_connections: Number = 40
    allowed_updates: Kinds = None
    drop_pending_updates: Flag = False


class DeleteWebhook(Params):
    drop_pending_updates: Flag = False


class InChat(Params):
    chat_id: ChatId = 0


class SendChatAction(InChat):
    action: str = ""


class Sending(InChat):
    """What every send method takes."""

    parse_mode: str = ""
    reply_markup: Markup = None
    reply_parameters: JsonObject = {}
    reply_to_message_id: Number = 0
    protect_content: Flag = False


class SendMessage(Sending):
    text: str = ""
    entities: Entities = ()


class SendPhoto(Sending):
    photo: str = ""
    caption: str = ""
    caption_entities: Entities = ()


class SendDocument(Sending):
    document: str = ""
    caption: str = ""
    caption_entities: Entities = ()


class Editing(InChat):
    """What every edit method takes."""

    message_id: Number = 0
    reply_markup: Markup = None


class EditMessageText(Editing):
    text: str = ""
    parse_mode: str = ""
    entities: Entities = ()


class EditMessageCaption(Editing):
    caption: str = ""
    parse_mode: str = ""
    caption_entities: Entities = ()


class EditMessageMedia(Editing):
    media: JsonObject = {}


class DeleteMessage(InChat):
    message_id: Number = 0


class DeleteMessages(InChat):
    message_ids: MessageIds = ()


class AnswerCallbackQuery(Params):
    callback_query_id: str = ""
    text: str = ""
    show_alert: Flag = False
    url: str = ""


class GetFile(Params):
    file_id: str = ""


class InputMediaParams(Params):
    """The `media` of editMessageMedia, itself JSON."""

    type: str = ""
    media: str = ""
    caption: str = ""
    parse_mode: str = ""
    caption_entities: tuple[MessageEntity, ...] = ()


class CommandScope(Params):
    scope: JsonObject = {}
    language_code: str = ""


class SetMyCommands(CommandScope):
    commands: Commands = ()


class MenuButtonOf(Params):
    chat_id: Number = 0


class SetChatMenuButton(MenuButtonOf):
    menu_button: JsonObject = {}
