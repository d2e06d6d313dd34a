"""Methods that change or delete messages."""

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.formatting import format_caption, format_text, read_entities
from bot.sandbox.telegram.keyboards import inline_only
from bot.sandbox.telegram.params import (
    DeleteMessage,
    DeleteMessages,
    Editing,
    EditMessageCaption,
    EditMessageMedia,
    EditMessageText,
)
from bot.sandbox.telegram.sending import Uploads, captioned, saying, take_document, take_photo
from bot.sandbox.telegram.wire import Content, Message
from bot.sandbox.telegram.world import World

DELETABLE_FOR_S = 48 * 3600  # Bot API, deleteMessage


async def edit_message_text(world: World, params: EditMessageText, _: Uploads) -> Message:
    """Only of a text message."""
    said = format_text(params.text, params.parse_mode, params.entities)
    message = _editable(world, params)
    if message.text is None:
        raise bad_request(errors.EDIT_NO_TEXT)
    return _edit(world, message, params, saying(said))


async def edit_message_caption(world: World, params: EditMessageCaption, _: Uploads) -> Message:
    """Only of a photo or a document; an empty caption removes it."""
    said = format_caption(params.caption, params.parse_mode, params.caption_entities)
    message = _editable(world, params)
    if message.photo is None and message.document is None:
        raise bad_request(errors.EDIT_NO_CAPTION)
    return _edit(world, message, params, captioned(said, photo=message.photo, document=message.document))


async def edit_message_media(world: World, params: EditMessageMedia, uploads: Uploads) -> Message:
    """Another photo or document in place of the old one, or of a text; an invoice stays what it is."""
    message = _editable(world, params)
    if message.invoice is not None:
        raise bad_request(errors.EDIT_FORBIDDEN)
    return _edit(world, message, params, _media(world, params, uploads))


async def edit_message_reply_markup(world: World, params: Editing, _: Uploads) -> Message:
    """Only the keyboard; people do not see the message as edited."""
    message = _editable(world, params)
    markup = inline_only(params.reply_markup)
    if message.reply_markup == markup:
        raise bad_request(errors.NOT_MODIFIED)
    edited = message.model_copy(update={"reply_markup": markup})
    world.chats.post(edited)
    return edited


async def delete_message(world: World, params: DeleteMessage, _: Uploads) -> bool:
    """Raise for a message that is not there, or older than 48 hours."""
    world.chats.find(params.chat_id)
    message = world.chats.message(params.chat_id, params.message_id)
    if message is None:
        raise bad_request(errors.DELETE_NOT_FOUND)
    if not _deletable(world, message):
        raise bad_request(errors.DELETE_FORBIDDEN)
    world.chats.remove(params.chat_id, params.message_id)
    return True


async def delete_messages(world: World, params: DeleteMessages, _: Uploads) -> bool:
    """Those that are not there are skipped."""
    world.chats.find(params.chat_id)
    found = (world.chats.message(params.chat_id, message_id) for message_id in params.message_ids)
    for message in [message for message in found if message is not None and _deletable(world, message)]:
        world.chats.remove(params.chat_id, message.message_id)
    return True


def _deletable(world: World, message: Message) -> bool:
    return world.now() - message.date <= DELETABLE_FOR_S


def _editable(world: World, params: Editing) -> Message:
    world.chats.find(params.chat_id)
    message = world.chats.message(params.chat_id, params.message_id)
    if message is None:
        raise bad_request(errors.EDIT_NOT_FOUND)
    if message.sender.id != world.bot.id:
        raise bad_request(errors.EDIT_FORBIDDEN)
    return message


def _edit(world: World, message: Message, params: Editing, content: Content) -> Message:
    """A keyboard that is not given again is gone, as on Telegram."""
    edited = message.saying(content).model_copy(update={"reply_markup": inline_only(params.reply_markup)})
    if edited == message:
        raise bad_request(errors.NOT_MODIFIED)
    edited = edited.model_copy(update={"edit_date": world.now()})
    world.chats.post(edited)
    return edited


def _media(world: World, params: EditMessageMedia, uploads: Uploads) -> Content:
    text = {name: value for name, value in params.media.items() if isinstance(value, str)}
    if not params.media:
        raise bad_request('Parameter "media" is required')
    said = format_caption(
        text.get("caption", ""),
        text.get("parse_mode", ""),
        read_entities(params.media.get("caption_entities")),
    )
    named = text.get("media", "")
    match text.get("type"):
        case "photo":
            return captioned(said, photo=take_photo(world, named, uploads, ""))
        case "document":
            return captioned(said, document=take_document(world, named, uploads, ""))
    raise bad_request("Can't parse InputMedia: this emulator has the types photo and document")
