"""Methods that put messages into a chat."""

from collections.abc import Mapping

from pydantic import JsonValue

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.chats import ChatRecord
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.files import Upload
from bot.sandbox.telegram.formatting import format_caption, format_text
from bot.sandbox.telegram.marked_text import Formatted
from bot.sandbox.telegram.params import SendChatAction, SendDocument, Sending, SendMessage, SendPhoto
from bot.sandbox.telegram.wire import Content, Document, InlineKeyboardMarkup, Message, PhotoSize
from bot.sandbox.telegram.world import World

Uploads = Mapping[str, Upload]


async def send_message(world: World, params: SendMessage, _: Uploads) -> Message:
    """Text, 1 to 4096 characters."""
    said = format_text(params.text, params.parse_mode, params.entities)
    return post(world, world.chats.find(params.chat_id), params, saying(said))


async def send_photo(world: World, params: SendPhoto, uploads: Uploads) -> Message:
    """A picture, uploaded or by `file_id`, with a caption of at most 1024 characters."""
    caption = format_caption(params.caption, params.parse_mode, params.caption_entities)
    chat = world.chats.find(params.chat_id)
    photo = take_photo(world, params.photo, uploads, "photo")
    return post(world, chat, params, captioned(caption, photo=photo))


async def send_document(world: World, params: SendDocument, uploads: Uploads) -> Message:
    """A file as it is, uploaded or by `file_id`."""
    caption = format_caption(params.caption, params.parse_mode, params.caption_entities)
    chat = world.chats.find(params.chat_id)
    document = take_document(world, params.document, uploads, "document")
    return post(world, chat, params, captioned(caption, document=document))


async def send_chat_action(world: World, params: SendChatAction, _: Uploads) -> bool:
    """«typing …», for five seconds or until the next message."""
    chat = world.chats.writable(params.chat_id)
    world.menu.act(chat.chat.id, params.action.lower(), world.clock.now().timestamp())
    world.chats.touch()
    return True


def saying(said: Formatted) -> Content:
    """A text message."""
    return Content(text=said.text, entities=said.entities or None)


def captioned(
    said: Formatted, *, photo: tuple[PhotoSize, ...] | None = None, document: Document | None = None
) -> Content:
    """A photo or a document with its caption."""
    return Content(
        photo=photo, document=document, caption=said.text or None, caption_entities=said.entities or None
    )


def take_photo(world: World, named: str, uploads: Uploads, field: str) -> tuple[PhotoSize, ...]:
    """The picture a parameter means: a part of this request, or one that was sent before."""
    upload = _uploaded(named, uploads, field)
    if upload is not None:
        return world.files.add_photo(upload.data)
    _refuse_unusable(named, "There is no photo in the request")
    file = world.files.find(named)
    if file is None or file.photo is None:
        raise bad_request("Wrong remote file identifier specified: can't unserialize it")
    return file.photo


def take_document(world: World, named: str, uploads: Uploads, field: str) -> Document:
    """The same for a document."""
    upload = _uploaded(named, uploads, field)
    if upload is not None:
        return world.files.add_document(upload)
    _refuse_unusable(named, "There is no document in the request")
    file = world.files.find(named)
    if file is None or file.document is None:
        raise bad_request("Wrong remote file identifier specified: can't unserialize it")
    return file.document


def _uploaded(named: str, uploads: Uploads, field: str) -> Upload | None:
    """`attach://name` points at a part by its name; without a text the part has the parameter's name."""
    return uploads.get(named.removeprefix("attach://") if named.startswith("attach://") else named or field)


def _refuse_unusable(named: str, complaint: str) -> None:
    if not named or named.startswith("attach://"):
        raise bad_request(complaint)
    if named.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")  # the emulator fetches nothing from the network


def post(world: World, chat: ChatRecord, params: Sending, content: Content) -> Message:
    """Put a message of the bot into the chat, with what every send method takes."""
    replied = _replied(world, chat, params)
    world.chats.writable(chat.chat.id)
    markup = params.reply_markup
    message = Message(
        message_id=world.chats.next_message_id(chat.chat.id),
        sender=world.bot,
        chat=chat.chat,
        date=world.now(),
        reply_to_message=replied,
        has_protected_content=True if params.protect_content else None,
        reply_markup=markup if isinstance(markup, InlineKeyboardMarkup) else None,
    ).saying(content)
    world.menu.stop_acting(chat.chat.id)
    world.chats.post(message)
    if markup is not None and not isinstance(markup, InlineKeyboardMarkup):
        world.chats.show_bar(message, markup)
    return message


def _replied(world: World, chat: ChatRecord, params: Sending) -> Message | None:
    wanted: JsonValue = params.reply_parameters.get("message_id", params.reply_to_message_id)
    if not isinstance(wanted, int) or wanted <= 0:
        return None
    replied = world.chats.message(chat.chat.id, wanted)
    if replied is None and not params.reply_parameters.get("allow_sending_without_reply"):
        raise bad_request(errors.REPLY_NOT_FOUND)
    return None if replied is None else replied.model_copy(update={"reply_to_message": None})
