"""The emulator as a whole, and the person's side of it: writing, sending photos, tapping, reading the chat."""

from collections.abc import Sequence

from aiohttp import web

from bot.sandbox.telegram.chats import Chats
from bot.sandbox.telegram.checkouts import Checkouts
from bot.sandbox.telegram.faults import Fault, Faults
from bot.sandbox.telegram.files import Files
from bot.sandbox.telegram.formatting import TEXT_MAX, format_caption, plain
from bot.sandbox.telegram.invoices import Invoices
from bot.sandbox.telegram.journal import Journal
from bot.sandbox.telegram.keyboards import as_buttons
from bot.sandbox.telegram.menu import Menu
from bot.sandbox.telegram.payer import Payer, PaymentRefused, Receipt
from bot.sandbox.telegram.people import Button, ChatMessage, InputBar, NoSuchButton, Person, Place, Tap
from bot.sandbox.telegram.queries import Queries
from bot.sandbox.telegram.records import Records
from bot.sandbox.telegram.sending import captioned, saying
from bot.sandbox.telegram.server import Server
from bot.sandbox.telegram.stars import Stars
from bot.sandbox.telegram.updates import QUERY_LIFETIME_S, UpdateQueue
from bot.sandbox.telegram.webhook import Webhook
from bot.sandbox.telegram.wire import (
    BotCommand,
    CallbackQuery,
    Chat,
    ChatMember,
    ChatMemberUpdated,
    Content,
    Message,
    User,
)
from bot.sandbox.telegram.world import World
from providers.sdk.clock import Clock, Random

ANSWER_WAITED_S = 10.0
"""How long a person watches a tapped button spin."""


class BotApi:
    """One bot on a Bot API server of its own. Everything it knows is in its records, also after a kill."""

    def __init__(
        self,
        *,
        token: str,
        clock: Clock,
        random: Random,
        record: Records,
        name: str = "Moongate",
        username: str = "moongate_bot",
    ) -> None:
        journal = Journal(record)
        updates = UpdateQueue(journal, clock)
        self._faults = Faults()
        self._world = World(
            bot=User(id=int(token.partition(":")[0]), is_bot=True, first_name=name, username=username),
            clock=clock,
            journal=journal,
            chats=Chats(journal),
            updates=updates,
            queries=Queries(journal, clock),
            files=Files(journal, random),
            menu=Menu(journal),
            webhook=Webhook(journal, clock, updates),
            invoices=Invoices(journal, random),
            checkouts=Checkouts(journal, clock),
            stars=Stars(journal, clock, random),
        )
        self._payer = Payer(self._world)
        self._server = Server(self._world, token, self._faults)

    def routes(self) -> list[web.RouteDef]:
        """`/bot<token>/<method>` and `/file/bot<token>/<path>`."""
        return self._server.routes()

    def mount(self, app: web.Application) -> None:
        """Add the routes, and let go of waiting getUpdates calls when the app shuts down."""
        app.add_routes(self.routes())

        async def let_go(_: web.Application) -> None:
            self._world.updates.interrupt()

        app.on_shutdown.append(let_go)

    async def start(self) -> None:
        """Begin to deliver to the webhook, if one is set. Long polling needs no start."""
        self._world.webhook.start(self._server.run_unheard)

    async def close(self) -> None:
        """Stop delivering and end waiting calls; what is not confirmed stays pending."""
        self._world.updates.interrupt()
        await self._world.webhook.close()
        self._world.journal.commit()

    def reset(self) -> None:
        """A fresh world for the same running bot: its webhook and commands stay, chats and updates go."""
        self._world.journal.commit()
        world = self._world
        for part in (
            *(world.updates, world.queries, world.chats, world.files),
            *(world.invoices, world.checkouts, world.stars),
        ):
            part.clear()
        self._faults.clear()
        self._world.journal.commit()

    def fault(
        self, method: str, *, code: int, retry_after: int | None = None, times: int = 1, after: bool = False
    ) -> None:
        """Spoil the next `times` calls of a method (`*` for any): an error code, or `NO_ANSWER`.

        With `after` the call has its effect first. A fault on getUpdates hits the next call, not a waiting one.
        """
        self._faults.arm(Fault(method, code, retry_after, times, after))

    async def write(self, user: Person, chat_id: int, text: str, *, reply_to: int | None = None) -> int:
        """A person sends text; the number of the message. Writing to a bot one has blocked takes it back first.

        Raises `ValueError` for a text that no client would send as one message, and for another's private chat.
        """
        said = plain(text)
        if not 1 <= len(said.text) <= TEXT_MAX:
            raise ValueError(f"A message has 1 to {TEXT_MAX} characters; this one has {len(said.text)}.")
        return self._say(user, chat_id, saying(said), reply_to)

    async def photograph(self, user: Person, chat_id: int, png: bytes, caption: str = "") -> int:
        """A person sends a photo; the number of the message. Raises `ApiError` for what is no picture."""
        content = captioned(format_caption(caption, "", ()), photo=self._world.files.add_photo(png))
        return self._say(user, chat_id, content, None)

    async def tap(
        self,
        user: Person,
        chat_id: int,
        message_id: int,
        row: int,
        col: int,
        *,
        timeout_s: float = ANSWER_WAITED_S,
    ) -> Tap:
        """A person taps a button; to tap Pay is to pay. Raises `NoSuchButton` when there is none at that place any more."""
        message, button = self._button(chat_id, Place(message_id, row, col))
        if button.action == "pay":
            return await self._tap_pay(user, chat_id, message_id)
        if button.data is None:
            return Tap(answered=False, url=button.url, copied=button.copy)
        world = self._world
        query = world.queries.open(user.id, chat_id)
        event = CallbackQuery(
            id=query.id,
            sender=user.as_user(),
            message=message,
            chat_instance=str((chat_id << 20) ^ world.bot.id),
            data=button.data,
        )
        world.updates.add("callback_query", event, lane=f"tap {user.id}", lifetime_s=QUERY_LIFETIME_S)
        world.journal.commit()
        return await world.queries.watch(query, timeout_s)

    async def pay(self, user: Person, link: str) -> Receipt:
        """A person opens an invoice link and confirms. Raises `PaymentRefused`, then nothing has moved."""
        return await self._payer.pay_link(user, link)

    async def pay_message(self, user: Person, chat_id: int, message_id: int) -> Receipt:
        """A person pays the invoice that stands in the chat. Raises `PaymentRefused`, then nothing has moved."""
        return await self._payer.pay_message(user, chat_id, message_id)

    def stars(self, user: Person) -> int:
        """What the person has left."""
        return self._world.stars.purse(user.id)

    def find_button(self, chat_id: int, label: str) -> Place | None:
        """The newest button with that label."""
        for message in reversed(self.chat(chat_id)):
            for row, buttons in enumerate(message.buttons):
                for col, button in enumerate(buttons):
                    if button.label == label:
                        return Place(message.message_id, row, col)
        return None

    def block(self, user: Person) -> None:
        """The person stops the bot: sending answers 403 until they take it back."""
        self._set_blocked(user, blocked=True)

    def unblock(self, user: Person) -> None:
        """The person takes the bot back."""
        self._set_blocked(user, blocked=False)

    def chats(self) -> tuple[Chat, ...]:
        """Every chat that was ever written in."""
        return tuple(record.chat for record in self._world.chats.all())

    def chat(self, chat_id: int, after: int = 0) -> Sequence[ChatMessage]:
        """The messages with a number above `after`, oldest first, as they are now."""
        bot_id = self._world.bot.id
        return [
            _seen(message, bot_id)
            for message in self._world.chats.messages(chat_id)
            if message.message_id > after
        ]

    def input_bar(self, chat_id: int) -> InputBar:
        """The keys and the wish for a reply at the bottom of the chat."""
        return self._world.chats.bar(chat_id)

    def action(self, chat_id: int) -> str | None:
        """What the bot is seen doing now: `typing`, `upload_photo` …; None when nothing."""
        return self._world.menu.action(chat_id, self._world.clock.now().timestamp())

    def commands(self, user: Person, chat_id: int) -> tuple[BotCommand, ...]:
        """The command menu as this person sees it."""
        return self._world.menu.commands_seen(chat_id, user.language)

    def file(self, file_id: str) -> bytes:
        """The bytes of a photo or a document. Raises `LookupError` for an unknown id."""
        file = self._world.files.find(file_id)
        if file is None:
            raise LookupError("There is no file with this file_id; take one from a message.")
        return self._world.files.data(file)

    @property
    def seq(self) -> int:
        """The number of the last change that a person can see."""
        return self._world.chats.seq

    async def wait_change(self, after_seq: int, timeout_s: float) -> int:
        """Return when something visible has changed since `after_seq`, or the time is over; the present `seq`."""
        return await self._world.chats.wait_change(after_seq, timeout_s)

    async def _tap_pay(self, user: Person, chat_id: int, message_id: int) -> Tap:
        try:
            receipt = await self.pay_message(user, chat_id, message_id)
        except PaymentRefused as refusal:
            return Tap(answered=True, toast=str(refusal), alert=True)
        return Tap(answered=True, toast=f"You have paid ★{receipt.amount}.")

    def _say(self, user: Person, chat_id: int, content: Content, reply_to: int | None) -> int:
        chats = self._world.chats
        if chats.enter(user, chat_id).blocked:
            self.unblock(user)
        replied = chats.message(chat_id, reply_to) if reply_to is not None else None
        message = Message(
            message_id=chats.next_message_id(chat_id),
            sender=user.as_user(),
            chat=chats.find(chat_id).chat,
            date=self._world.now(),
            reply_to_message=None
            if replied is None
            else replied.model_copy(update={"reply_to_message": None}),
        ).saying(content)
        chats.drop_one_time_bar(chat_id)
        chats.post(message)
        self._world.updates.add("message", message, lane=f"chat {chat_id}")
        self._world.journal.commit()
        return message.message_id

    def _button(self, chat_id: int, place: Place) -> tuple[Message, Button]:
        message = self._world.chats.message(chat_id, place.message_id)
        if message is None:
            raise NoSuchButton(f"There is no message {place.message_id} in chat {chat_id} (any more).")
        rows = as_buttons(message.reply_markup)
        if not (0 <= place.row < len(rows) and 0 <= place.col < len(rows[place.row])):
            raise NoSuchButton(
                f"Message {place.message_id} has no button at row {place.row}, column {place.col}."
            )
        return message, rows[place.row][place.col]

    def _set_blocked(self, user: Person, *, blocked: bool) -> None:
        world = self._world
        if world.chats.find(user.id).blocked == blocked:
            return
        world.chats.set_blocked(user.id, blocked=blocked)
        in_chat, kicked = (
            ChatMember(user=world.bot, status="member"),
            ChatMember(user=world.bot, status="kicked", until_date=0),
        )
        event = ChatMemberUpdated(
            chat=world.chats.find(user.id).chat,
            sender=user.as_user(),
            date=world.now(),
            old_chat_member=in_chat if blocked else kicked,
            new_chat_member=kicked if blocked else in_chat,
        )
        world.updates.add("my_chat_member", event, lane=f"chat {user.id}")
        world.journal.commit()


def _seen(message: Message, bot_id: int) -> ChatMessage:
    return ChatMessage(
        message_id=message.message_id,
        from_bot=message.sender.id == bot_id,
        sender=message.sender.first_name,
        date=message.date,
        text=message.text or message.caption or _told(message),
        entities=message.entities or message.caption_entities or (),
        photo_file_id=message.photo[-1].file_id if message.photo else None,
        document_name=message.document.file_name if message.document else None,
        buttons=as_buttons(message.reply_markup),
        reply_to=message.reply_to_message.message_id if message.reply_to_message else None,
        edited=message.edit_date is not None,
    )


def _told(message: Message) -> str:
    """What clients write about money."""
    if message.invoice is not None:
        return f"{message.invoice.title}\n{message.invoice.description}\n★{message.invoice.total_amount}"
    if message.successful_payment is not None:
        return f"You have paid ★{message.successful_payment.total_amount}."
    if message.refunded_payment is not None:
        return f"★{message.refunded_payment.total_amount} came back to you."
    return ""
