"""A person in a chat: writes, taps by label, and sees the messages as the page and the scripts read them."""

from dataclasses import dataclass
from typing import Final

from bot.runtime.picture import qr_png
from bot.sandbox.people import People
from bot.sandbox.pictures import QrReader
from bot.sandbox.shapes import (
    ButtonSeen,
    ChatSeen,
    CommandSeen,
    EntitySeen,
    InputSeen,
    InvoicePaid,
    MessageSeen,
    PayInvoice,
    PhotoSeen,
    Send,
    TapAsked,
    Tapped,
)
from bot.sandbox.telegram.bot_api import BotApi
from bot.sandbox.telegram.invoices import STARS
from bot.sandbox.telegram.people import Button, ChatMessage, InputBar, NoSuchButton, Person, Place

FILES_AT: Final = "/sandbox/files"


class NoSuchPlace(LookupError):  # noqa: N818  # an answer to the person's script, not a failure
    """There is no such button, message or file; the text says what there is."""


@dataclass(frozen=True, slots=True)
class ChatView:
    """The person's hands and eyes on the emulated Telegram."""

    api: BotApi
    people: People
    reader: QrReader

    async def send(self, user_id: int, asked: Send) -> int:
        """Write text, or send a photo of a QR code. Raises `ValueError` for a chat this person cannot write in."""
        person = self.people.get(user_id, language=asked.language, name=asked.name)
        chat_id = asked.chat_id or user_id
        if asked.qr is not None:
            return await self.api.photograph(person, chat_id, qr_png(asked.qr))
        return await self.api.write(person, chat_id, asked.text or "", reply_to=asked.reply_to)

    async def tap(self, user_id: int, asked: TapAsked) -> Tapped:
        """Tap a button; a label may also be one of the keys at the bottom. Raises `NoSuchPlace`."""
        person = self.people.get(user_id, language=asked.language)
        chat_id = asked.chat_id or user_id
        place = self._place(chat_id, asked)
        if place is None:
            return await self._press_key(person, chat_id, asked.label or "")
        try:
            tap = await self.api.tap(person, chat_id, place.message_id, place.row, place.col)
        except NoSuchButton as missing:
            raise NoSuchPlace(str(missing)) from missing
        return Tapped(answered=tap.answered, toast=tap.toast, alert=tap.alert, url=tap.url, copied=tap.copied)

    async def pay(self, user_id: int, asked: PayInvoice) -> InvoicePaid:
        """Pay an invoice in Stars. Raises `PaymentRefused` with what the person reads."""
        person = self.people.get(user_id, language=asked.language)
        if asked.link is not None:
            receipt = await self.api.pay(person, asked.link)
        else:
            receipt = await self.api.pay_message(person, asked.chat_id or user_id, asked.message_id or 0)
        return InvoicePaid(
            status="paid",
            charge_id=receipt.charge_id,
            amount_minor=receipt.amount,
            currency=STARS,
            stars_left=receipt.left,
        )

    def stars(self, user_id: int) -> int:
        """What the person has left."""
        return self.api.stars(self.people.get(user_id))

    def read(self, user_id: int, chat_id: int, after: int) -> ChatSeen:
        """The chat as it is now; empty before anybody wrote in it."""
        known = any(chat.id == chat_id for chat in self.api.chats())
        bar = self.api.input_bar(chat_id) if known else InputBar()
        person = self.people.get(user_id)
        return ChatSeen(
            messages=[self._message(message) for message in self.api.chat(chat_id, after)],
            action=self.api.action(chat_id),
            input=InputSeen(
                keys=[list(row) for row in bar.keys], placeholder=bar.placeholder, reply_to=bar.reply_to
            ),
            commands=[
                CommandSeen(command=line.command, description=line.description)
                for line in self.api.commands(person, chat_id)
            ],
        )

    def picture(self, file_id: str) -> bytes:
        """The bytes of a photo. Raises `NoSuchPlace`."""
        try:
            return self.api.file(file_id)
        except LookupError as missing:
            raise NoSuchPlace(str(missing.args[0])) from missing

    def _place(self, chat_id: int, asked: TapAsked) -> Place | None:
        if asked.message_id is not None:
            return Place(asked.message_id, asked.row, asked.col)
        return self._labelled(chat_id, asked.label or "")

    def _labelled(self, chat_id: int, label: str) -> Place | None:
        """The newest button of exactly that label, else the newest whose label holds it in any case."""
        exact = self.api.find_button(chat_id, label)
        if exact is not None:
            return exact
        for message in reversed(self.api.chat(chat_id)):
            for row, buttons in enumerate(message.buttons):
                for col, button in enumerate(buttons):
                    if label.casefold() in button.label.casefold():
                        return Place(message.message_id, row, col)
        return None

    async def _press_key(self, person: Person, chat_id: int, label: str) -> Tapped:
        known = any(chat.id == chat_id for chat in self.api.chats())
        rows = self.api.input_bar(chat_id).keys if known else ()
        key = next((key for row in rows for key in row if key == label), None)
        if key is None:
            raise NoSuchPlace(f"No message has a button “{label}”. {self._offered(chat_id)}")
        await self.api.write(person, chat_id, key)
        return Tapped(answered=True, toast="", alert=False, url=None, copied=None)

    def _offered(self, chat_id: int) -> str:
        newest = next((message for message in reversed(self.api.chat(chat_id)) if message.buttons), None)
        if newest is None:
            return "There are no buttons in this chat yet: send /start."
        labels = ", ".join(f"“{button.label}”" for row in newest.buttons for button in row)
        return f"The newest buttons are {labels}."

    def _message(self, message: ChatMessage) -> MessageSeen:
        return MessageSeen(
            message_id=message.message_id,
            from_bot=message.from_bot,
            text=message.text,
            photo=self._photo(message.photo_file_id),
            buttons=[[_button(button) for button in row] for row in message.buttons],
            edited=message.edited,
            entities=[
                EntitySeen(type=entity.type, offset=entity.offset, length=entity.length, url=entity.url)
                for entity in message.entities
            ],
            date=message.date,
            sender=message.sender,
            document=message.document_name,
            reply_to=message.reply_to,
        )

    def _photo(self, file_id: str | None) -> PhotoSeen | None:
        if file_id is None:
            return None
        return PhotoSeen(url=f"{FILES_AT}/{file_id}", qr_text=self.reader.read(file_id))


def _button(button: Button) -> ButtonSeen:
    return ButtonSeen(label=button.label, url=button.url, copies=button.copy, style=button.style or None)
