"""The chats, who is in them, and their messages."""

import asyncio
from collections.abc import Iterator

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.journal import Journal
from bot.sandbox.telegram.people import InputBar, Person
from bot.sandbox.telegram.wire import (
    Chat,
    ForceReply,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    User,
    Wire,
)


class ChatRecord(Wire):
    """What is kept of a chat beside its messages."""

    chat: Chat
    person: User  # in a group: whoever wrote last
    blocked: bool = False
    bar: ReplyKeyboardMarkup | ForceReply | None = None
    bar_message_id: int | None = None


class Chats:
    """Every chat the bot can see. A change moves `seq`, which the page waits on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._records: dict[int, ChatRecord] = {}
        self._messages: dict[int, dict[int, Message]] = {}
        self._changed = asyncio.Event()
        self._load()

    def _load(self) -> None:
        for _, value in self._journal.scan("chat/"):
            record = ChatRecord.model_validate_json(value)
            self._records[record.chat.id] = record
        for _, value in self._journal.scan("message/"):
            message = Message.model_validate_json(value)
            self._messages.setdefault(message.chat.id, {})[message.message_id] = message

    @property
    def seq(self) -> int:
        """Grows with every change of any chat, over restarts too."""
        return self._journal.counted("seq")

    async def wait_change(self, after_seq: int, timeout_s: float) -> int:
        """Return when `seq` is greater than `after_seq`, or the time is over; the present `seq`."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.seq <= after_seq:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self.seq

    def touch(self) -> None:
        """Something that a person can see has changed."""
        self._journal.count("seq")
        self._changed.set()
        self._changed = asyncio.Event()

    def enter(self, person: Person, chat_id: int) -> ChatRecord:
        """The chat, opened if it is new. A person may write in their private chat and in any group."""
        known = self._records.get(chat_id)
        record = ChatRecord(chat=_chat_of(person, chat_id), person=person.as_user())
        if known is not None:
            record = known.model_copy(update={"person": record.person, "chat": record.chat})
        self._keep(record)
        return record

    def find(self, chat_id: int) -> ChatRecord:
        """Raise «chat not found» for a chat that never started the bot."""
        record = self._records.get(chat_id)
        if record is None:
            raise bad_request(errors.CHAT_NOT_FOUND)
        return record

    def writable(self, chat_id: int) -> ChatRecord:
        """The same, and the person has not blocked the bot."""
        record = self.find(chat_id)
        if record.blocked:
            raise errors.blocked_by_user()
        return record

    def all(self) -> tuple[ChatRecord, ...]:
        """Every chat, in the order of their first message."""
        return tuple(self._records.values())

    def set_blocked(self, chat_id: int, *, blocked: bool) -> None:
        """The person stopped the bot, or takes it back."""
        self._keep(self.find(chat_id).model_copy(update={"blocked": blocked}))
        self.touch()

    def show_bar(
        self, message: Message, markup: ReplyKeyboardMarkup | ReplyKeyboardRemove | ForceReply
    ) -> None:
        """Change what stands at the bottom of the chat."""
        bar = None if isinstance(markup, ReplyKeyboardRemove) else markup
        record = self.find(message.chat.id)
        self._keep(record.model_copy(update={"bar": bar, "bar_message_id": message.message_id}))

    def drop_one_time_bar(self, chat_id: int) -> None:
        """The person has written: a one-time keyboard and a wish for a reply are gone."""
        record = self.find(chat_id)
        bar = record.bar
        if isinstance(bar, ForceReply) or (bar is not None and bar.one_time_keyboard):
            self._keep(record.model_copy(update={"bar": None, "bar_message_id": None}))

    def bar(self, chat_id: int) -> InputBar:
        """What stands at the bottom of the chat; nothing in a chat that nobody has opened."""
        record = self._records.get(chat_id)
        if record is None:
            return InputBar()
        match record.bar:
            case ReplyKeyboardMarkup() as bar:
                return InputBar(
                    keys=tuple(tuple(key.text for key in row) for row in bar.keyboard),
                    one_time=bool(bar.one_time_keyboard),
                    placeholder=bar.input_field_placeholder or "",
                )
            case ForceReply() as bar:
                return InputBar(reply_to=record.bar_message_id, placeholder=bar.input_field_placeholder or "")
        return InputBar()

    def next_message_id(self, chat_id: int) -> int:
        """All private chats of a bot share one sequence, as on Telegram; every group has its own."""
        return self._journal.count(f"message/{'private' if chat_id > 0 else chat_id}")

    def post(self, message: Message) -> None:
        """A new message, or a new version of one."""
        self._messages.setdefault(message.chat.id, {})[message.message_id] = message
        self._journal.put(_message_key(message.chat.id, message.message_id), message.json_bytes())
        self.touch()

    def message(self, chat_id: int, message_id: int) -> Message | None:
        """The message as it is now; None when it never was or is deleted."""
        return self._messages.get(chat_id, {}).get(message_id)

    def messages(self, chat_id: int) -> Iterator[Message]:
        """Oldest first."""
        kept = self._messages.get(chat_id, {})
        for message_id in sorted(kept):
            yield kept[message_id]

    def remove(self, chat_id: int, message_id: int) -> None:
        """Gone for everyone."""
        del self._messages[chat_id][message_id]
        self._journal.drop(_message_key(chat_id, message_id))
        self.touch()

    def clear(self) -> None:
        """A fresh world: no chats. `seq` and the message numbers go on."""
        self._journal.drop_all("chat/")
        self._journal.drop_all("message/")
        self._records.clear()
        self._messages.clear()
        self.touch()

    def _keep(self, record: ChatRecord) -> None:
        if self._records.get(record.chat.id) != record:
            self._records[record.chat.id] = record
            self._journal.put(f"chat/{record.chat.id}", record.json_bytes())


def _chat_of(person: Person, chat_id: int) -> Chat:
    if chat_id > 0 and chat_id != person.id:
        raise ValueError(
            f"Chat {chat_id} is another person's private chat; person {person.id} cannot write there."
        )
    if chat_id < 0:
        kind = "supergroup" if str(chat_id).startswith("-100") else "group"
        return Chat.model_validate({"id": chat_id, "type": kind, "title": f"Group {-chat_id}"})
    user = person.as_user()
    return Chat(id=chat_id, first_name=user.first_name, last_name=user.last_name, username=user.username)


def _message_key(chat_id: int, message_id: int) -> str:
    return f"message/{chat_id}/{message_id:010d}"
