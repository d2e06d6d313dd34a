"""What the sweeper does with an attempt or an order that is due: asks, then does what is left to do."""

from dataclasses import replace

from bot.orders import schedule
from bot.orders.audit import Cause, CauseKind
from bot.orders.ending import Answer, Ending
from bot.orders.opening import Opening, mark_called
from bot.orders.order import Attempt, AttemptState, Order, OrderState
from bot.orders.posting import Posting
from bot.orders.table import AttemptEvent
from bot.orders.till import Till
from providers.sdk.contract import Way
from providers.sdk.results import NotFound, Paid, Snapshot


class Checking:
    """Asks about attempts nobody is waiting for."""

    def __init__(self, till: Till, opening: Opening, ending: Ending) -> None:
        self._till = till
        self._opening = opening
        self._ending = ending

    async def check(self, number: str) -> Order:
        """Ask about one attempt and act on the answer. Raises `UnknownOrderError`."""
        found = await self._till.find_by_number(number)
        async with self._till.hold(found.id):
            order = await self._till.find_by_number(number)
            attempt = order.attempt(number)
            if attempt.next_check_at is None:
                return order  # settled while it stood in the queue
            account = self._till.account_of(attempt)
            if order.ending is not None or attempt.state is AttemptState.INTENT or account is None:
                return await self._later(order, number)
            order, answer = await self._ending.ask(order, attempt, account)
            return await self._act(order, order.attempt(number), answer)

    async def _act(self, order: Order, attempt: Attempt, answer: Answer) -> Order:
        alive = isinstance(answer, Snapshot) and answer.state in {Paid.UNPAID, Paid.PAYING}
        if attempt.by_payer_code and attempt.open:
            return await self._watch_till(order, attempt)
        unwanted = attempt.leaving or not order.payable
        reopened = alive and attempt.state in {AttemptState.CLOSED, AttemptState.DECLINED}
        if reopened or (attempt.open and unwanted):
            return await self._ending.let_go(order, attempt, answer)
        if attempt.state is AttemptState.UNKNOWN and self._may_send_again(order, attempt, answer):
            cause = Cause(CauseKind.HOUSE, f"resend:{attempt.number}")
            order, _ = await self._till.change(
                order.id, cause, lambda posting: mark_called(posting, attempt.number)
            )
            await self._opening.call(order, attempt.number)
            return await self._till.find_by_number(attempt.number)
        return order

    async def _watch_till(self, order: Order, attempt: Attempt) -> Order:
        """The payer has a minute or so, and the code is dead by then; nothing is sent again."""
        account = self._till.account_of(attempt)
        within_s = account.info.payer_code_within_s if account else 0
        late = schedule.overdue(attempt, within_s, self._till.clock.now())
        if late or attempt.leaving or not order.payable:
            return await self._ending.reverse(order, attempt)
        return order

    def _may_send_again(self, order: Order, attempt: Attempt, answer: Answer) -> bool:
        """The same number with the same content: at the institution it is one order however often it arrives."""
        now = self._till.clock.now()
        unpaid = isinstance(answer, NotFound) or (
            isinstance(answer, Snapshot) and answer.state is Paid.UNPAID
        )
        if attempt.way is Way.IN_APP:
            return False  # nobody keeps who the payer was there
        return unpaid and now < order.expires_at and not schedule.in_flight(attempt, now)

    async def _later(self, order: Order, number: str) -> Order:
        """Nothing to ask: an unsent intent, an account that is gone, or an order that is being ended as a whole."""

        def work(posting: Posting) -> None:
            attempt = posting.order.attempt(number)
            if attempt.next_check_at is None:
                return  # settled since it was looked at
            if attempt.state is AttemptState.INTENT and posting.order.state is not OrderState.PENDING:
                posting.move_attempt(attempt, AttemptEvent.CLOSED, "never sent")
                return
            if self._till.account_of(attempt) is None:
                posting.alert(
                    f"{attempt.provider}/{attempt.account} is no longer configured; {number} is open there."
                )
            at = schedule.next_attempt_check(AttemptState.INTENT, 0, posting.order, posting.now)
            step = posting.order.next_check_at  # where the order is being ended, that asks about its attempts
            later = max(at, step) if at and step else at
            posting.set_attempt(replace(attempt, next_check_at=later))

        order, _ = await self._till.change(order.id, Cause(CauseKind.HOUSE, f"schedule:{number}"), work)
        return order
