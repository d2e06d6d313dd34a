"""The Bot API's objects as they stand on the wire; field names are Telegram's (core.telegram.org/bots/api).

Absent fields are None and are left out when written.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Wire(BaseModel):
    """An object of the Bot API."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    def json_value(self) -> dict[str, JsonValue]:
        """As JSON, without the absent fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def json_bytes(self) -> bytes:
        """The same as text, for the records."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class User(Wire):
    """A person or a bot."""

    id: int
    is_bot: bool = False
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None


class Chat(Wire):
    """A private chat has the id of its person; groups have negative ids."""

    id: int
    type: Literal["private", "group", "supergroup"] = "private"
    title: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None


class MessageEntity(Wire):
    """Offset and length count UTF-16 code units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    user: User | None = None
    language: str | None = None
    custom_emoji_id: str | None = None

    @property
    def end(self) -> int:
        """The offset behind the last unit."""
        return self.offset + self.length


class PhotoSize(Wire):
    """One size of a photo; the last of the list is the largest."""

    file_id: str
    file_unique_id: str
    width: int
    height: int
    file_size: int


class Document(Wire):
    """A file sent as it is."""

    file_id: str
    file_unique_id: str
    file_name: str
    mime_type: str
    file_size: int


class WebAppInfo(Wire):
    """A page opened inside Telegram."""

    url: str


class CopyTextButton(Wire):
    """A button that puts its text on the clipboard."""

    text: str


class InlineKeyboardButton(Wire):
    """A label and exactly one thing that happens when it is tapped."""

    text: str
    url: str | None = None
    callback_data: str | None = None
    web_app: WebAppInfo | None = None
    copy_text: CopyTextButton | None = None
    switch_inline_query: str | None = None
    switch_inline_query_current_chat: str | None = None
    login_url: dict[str, JsonValue] | None = None
    pay: bool | None = None
    style: str | None = None
    icon_custom_emoji_id: str | None = None


class InlineKeyboardMarkup(Wire):
    """Rows of buttons under a message."""

    inline_keyboard: tuple[tuple[InlineKeyboardButton, ...], ...]


class KeyboardButton(Wire):
    """A key of the person's own keyboard: a tap sends its label as a message."""

    text: str
    request_contact: bool | None = None
    request_location: bool | None = None
    web_app: WebAppInfo | None = None
    style: str | None = None


class ReplyKeyboardMarkup(Wire):
    """Replaces the person's keyboard until it is removed."""

    keyboard: tuple[tuple[KeyboardButton, ...], ...]
    is_persistent: bool | None = None
    resize_keyboard: bool | None = None
    one_time_keyboard: bool | None = None
    input_field_placeholder: str | None = None
    selective: bool | None = None


class ReplyKeyboardRemove(Wire):
    """Gives the person the ordinary keyboard back."""

    remove_keyboard: Literal[True] = True
    selective: bool | None = None


class ForceReply(Wire):
    """Opens the reply field as if the person had chosen to answer the message."""

    force_reply: Literal[True] = True
    input_field_placeholder: str | None = None
    selective: bool | None = None


ReplyMarkup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | ForceReply


class Invoice(Wire):
    """What a person sees of an invoice. `total_amount` is in the currency's smallest unit, of Stars in whole ones."""

    title: str
    description: str
    start_parameter: str
    currency: str
    total_amount: int


class SuccessfulPayment(Wire):
    """A service message: the money has moved."""

    currency: str
    total_amount: int
    invoice_payload: str
    subscription_expiration_date: int | None = None
    is_recurring: Literal[True] | None = None
    is_first_recurring: Literal[True] | None = None
    telegram_payment_charge_id: str
    provider_payment_charge_id: str = ""


class RefundedPayment(Wire):
    """A service message: the money has gone back."""

    currency: str
    total_amount: int
    invoice_payload: str
    telegram_payment_charge_id: str


class Content(Wire):
    """What a message says, wherever it stands."""

    text: str | None = None
    entities: tuple[MessageEntity, ...] | None = None
    photo: tuple[PhotoSize, ...] | None = None
    document: Document | None = None
    caption: str | None = None
    caption_entities: tuple[MessageEntity, ...] | None = None
    invoice: Invoice | None = None
    successful_payment: SuccessfulPayment | None = None
    refunded_payment: RefundedPayment | None = None


class Message(Content):
    """A message in a chat. `reply_markup` holds inline keyboards only, as on the real wire."""

    message_id: int
    sender: User = Field(alias="from")
    chat: Chat
    date: int
    edit_date: int | None = None
    reply_to_message: "Message | None" = None
    has_protected_content: Literal[True] | None = None
    reply_markup: InlineKeyboardMarkup | None = None

    def saying(self, content: Content) -> "Message":
        """The same message with another content."""
        return self.model_copy(update={name: getattr(content, name) for name in Content.model_fields})


class CallbackQuery(Wire):
    """A tap on a button with `callback_data`; the message travels as it is at that moment."""

    id: str
    sender: User = Field(alias="from")
    message: Message
    chat_instance: str
    data: str


class PreCheckoutQuery(Wire):
    """The person has confirmed; the bot has the last word, and ten seconds for it."""

    id: str
    sender: User = Field(alias="from")
    currency: str
    total_amount: int
    invoice_payload: str


class ChatMember(Wire):
    """The bot's standing in a private chat: `member`, or `kicked` when the person blocked it."""

    user: User
    status: Literal["member", "kicked"]
    until_date: int | None = None


class ChatMemberUpdated(Wire):
    """The person blocked or unblocked the bot."""

    chat: Chat
    sender: User = Field(alias="from")
    date: int
    old_chat_member: ChatMember
    new_chat_member: ChatMember


class Update(Wire):
    """One thing that happened; exactly one of the optional fields is there."""

    update_id: int
    message: Message | None = None
    callback_query: CallbackQuery | None = None
    pre_checkout_query: PreCheckoutQuery | None = None
    my_chat_member: ChatMemberUpdated | None = None


class BotCommand(Wire):
    """A line of the command menu."""

    command: str
    description: str
