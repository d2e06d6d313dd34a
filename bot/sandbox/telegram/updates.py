"""The queue of updates: one per bot, shared by long polling and webhook; only one of them may take from it.

An update leaves the queue when it is confirmed (a higher offset, or a 2xx of the webhook) or too old.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Literal

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.errors import ApiError, conflict
from bot.sandbox.telegram.journal import Journal
from bot.sandbox.telegram.wire import Update, Wire
from providers.sdk.clock import Clock

Kind = Literal["message", "callback_query", "pre_checkout_query", "my_chat_member"]

# Lifetimes as in telegram-bot-api, Client.cpp, `add_update`.
MESSAGE_LIFETIME_S = 86400
QUERY_LIFETIME_S = 150
# Every update type of the Bot API except those that must be asked for by name.
ON_REQUEST_ONLY = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
KNOWN_KINDS = ON_REQUEST_ONLY | {
    "message", "edited_message", "channel_post", "edited_channel_post", "inline_query", "chosen_inline_result",
    "callback_query", "shipping_query", "pre_checkout_query", "poll", "poll_answer", "my_chat_member",
    "chat_join_request", "chat_boost", "removed_chat_boost", "business_connection", "business_message",
    "edited_business_message", "deleted_business_messages", "purchased_paid_media",
}  # fmt: skip
_FUTURE_SLACK = 10  # TDLib, TQueue.cpp: an offset further ahead is taken for a mistake and ignored


class Pending(Wire):
    """An update in the queue. Updates of one lane are delivered to a webhook one after the other."""

    update: Update
    lane: str
    expires_at: int

    @property
    def id(self) -> int:
        """The update's number."""
        return self.update.update_id


class Subscription(Wire):
    """Which kinds the bot asked for; None means the default set."""

    kinds: tuple[str, ...] | None = None

    def wants(self, kind: str) -> bool:
        """Whether an update of that kind enters the queue."""
        return kind in self.kinds if self.kinds else kind not in ON_REQUEST_ONLY


class UpdateQueue:
    """Pending updates in the order of their numbers."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        stored = (Pending.model_validate_json(value) for _, value in journal.scan("update/"))
        self._pending = {pending.id: pending for pending in stored}
        asked = journal.get("subscription")
        self.subscription = Subscription() if asked is None else Subscription.model_validate_json(asked)
        self._poller: asyncio.Future[None] | None = None
        self.on_added: Callable[[], None] = lambda: None

    def subscribe(self, kinds: Iterable[str] | None) -> None:
        """`allowed_updates` of getUpdates and setWebhook: None keeps what was asked before, empty is the default.

        It does not touch updates that are already in the queue.
        """
        if kinds is None:
            return
        known = tuple(kind for kind in kinds if kind in KNOWN_KINDS)
        self.subscription = Subscription(kinds=known or None)
        self._journal.put("subscription", self.subscription.json_bytes())

    def add(self, kind: Kind, event: Wire, *, lane: str, lifetime_s: int = MESSAGE_LIFETIME_S) -> None:
        """Queue it, if the bot asked for that kind."""
        if not self.subscription.wants(kind):
            return
        now = int(self._clock.now().timestamp())
        update_id = self._journal.count(
            "update", first=now
        )  # so that no two worlds give out the same numbers
        update = Update.model_validate({"update_id": update_id, kind: event})
        pending = Pending(update=update, lane=lane, expires_at=now + lifetime_s)
        self._pending[update_id] = pending
        self._journal.put(_key(update_id), pending.json_bytes())
        if self._poller is not None and not self._poller.done():
            self._poller.set_result(None)
        self.on_added()

    def pending(self) -> tuple[Pending, ...]:
        """What waits, oldest first; the expired are dropped."""
        now = int(self._clock.now().timestamp())
        for late in [pending.id for pending in self._pending.values() if pending.expires_at < now]:
            self.forget(late)
        return tuple(self._pending.values())

    def forget(self, update_id: int) -> None:
        """Confirmed: it will not be delivered again."""
        if self._pending.pop(update_id, None) is not None:
            self._journal.drop(_key(update_id))

    def clear(self) -> None:
        """Forget all that is pending."""
        for update_id in list(self._pending):
            self.forget(update_id)

    async def poll(self, offset: int, limit: int, timeout_s: int) -> tuple[Update, ...]:
        """What getUpdates answers. A second call that has to wait ends the first with 409."""
        found = self._take(offset, limit)
        if found or not timeout_s:
            return found
        self.interrupt(conflict(errors.OTHER_POLLER))
        self._journal.commit()
        poller = self._poller = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await poller
        except TimeoutError:
            pass
        finally:
            if self._poller is poller:
                self._poller = None
        return self._take(offset, limit)

    def interrupt(self, reason: ApiError | None = None) -> None:
        """End the waiting getUpdates, with that error or with an empty answer."""
        poller, self._poller = self._poller, None
        if poller is None or poller.done():
            return
        if reason is None:
            poller.set_result(None)
        else:
            poller.set_exception(reason)

    def _take(self, offset: int, limit: int) -> tuple[Update, ...]:
        waiting = self.pending()
        first = self._first_wanted(offset, [pending.id for pending in waiting])
        for pending in waiting:
            if pending.id < first:
                self.forget(pending.id)
        return tuple(pending.update for pending in waiting if pending.id >= first)[:limit]

    def _first_wanted(self, offset: int, waiting: list[int]) -> int:
        """The update that an offset points at; negative offsets count from the end of the queue."""
        if offset < 0:
            return waiting[offset:][0] if waiting else 0
        next_id = self._journal.counted("update") + 1
        return 0 if offset > next_id + _FUTURE_SLACK else offset


def _key(update_id: int) -> str:
    return f"update/{update_id:012d}"
