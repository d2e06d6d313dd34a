"""The till: places orders, opens them at an institution, takes its notifications, cancels and refunds.

The front of this room; each verb lives in a file of its own behind it. All of it may run at once, and in several
processes on one store.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.orders import rows
from bot.orders.answers import (
    ClosedError,
    Opened,
    OrderRefusedError,
    PayoutRefusedError,
    RefundRefusedError,
    Refused,
    Why,
)
from bot.orders.audit import Cause
from bot.orders.book import Book
from bot.orders.charging import Charging
from bot.orders.checking import Checking
from bot.orders.ending import Ending
from bot.orders.intake import Intake, OrphanError
from bot.orders.opening import Opening
from bot.orders.order import (
    Draft,
    Order,
    Payee,
    Payout,
    PayoutDraft,
    Refund,
    RefundDraft,
    Withdrawal,
)
from bot.orders.payouting import Payouting, PayoutLimits
from bot.orders.placing import Placing
from bot.orders.ports import Account, Watch
from bot.orders.reconciling import Comparison, Reconciling
from bot.orders.refunding import Refunding
from bot.orders.routing import WAYS_AT_TILL, WAYS_IN_CHAT, Offer, Refusal, offers, refusals
from bot.orders.sealing import Seal
from bot.orders.settling import Settling
from bot.orders.standing import Standing, StandingCode, StandingDraft
from bot.orders.till import Till, UnknownOrderError
from bot.orders.watch import LogWatch
from miniprograms.sdk.payment import IfLate
from providers.sdk.clock import Clock, Random
from providers.sdk.contract import Way
from providers.sdk.money import Money
from providers.sdk.results import Fact
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

__all__ = [
    "Checkout",
    "Opened",
    "OrderRefusedError",
    "OrphanError",
    "PayoutRefusedError",
    "RefundRefusedError",
    "Refused",
    "UnknownOrderError",
    "Why",
]


class Checkout:
    """One per process. Give its worker to `Worker`, or nothing is swept, shown or told."""

    def __init__(
        self,
        book: Book,
        accounts: Iterable[Account],
        *,
        clock: Clock,
        random: Random,
        watch: Watch | None = None,
        limits: PayoutLimits | None = None,
        if_late: IfLate = IfLate.KEEP,
        seal: Seal | None = None,
        keeps: timedelta = timedelta(days=400),
    ) -> None:
        self.till = Till(book, accounts, clock, random, watch or LogWatch())
        self.ending = Ending(self.till)
        self.opening = Opening(self.till, self.ending)
        self.charging = Charging(self.till, self.opening, self.ending)
        self.checking = Checking(self.till, self.opening, self.ending)
        self.refunding = Refunding(self.till)
        self.payouting = Payouting(self.till, limits or PayoutLimits())
        self.intake = Intake(self.till, seal, keeps)
        self.reconciling = Reconciling(self.till, self.ending, self.refunding, self.payouting, self.intake)
        self.settling = Settling(self.till, self.ending)
        self._placing = Placing(self.till, self.refunding, if_late)
        self.standing = Standing(self.till, self._placing)

    async def place(self, drafts: Sequence[Draft], refunds: Sequence[RefundDraft] = ()) -> tuple[Order, ...]:
        """Store what pages asked for: all of it or nothing, in one transaction. Nobody outside is called.

        The same `order_key` of the same person and mini program gives the same order again, shown again. Raises
        `OrderRefusedError` when it asks for another amount or title. An amount that no account can take gives an
        order that has failed; its page is told.

        A refund is reserved of the payment's budget, and the worker sends it; one that the book cannot grant is
        answered by `on_refund`. Raises `RefundRefusedError` when the order is not that program's and person's, and
        `ClosedError` while a restored book is being checked.
        """
        self._check_open()
        return await self._placing.place(drafts, refunds)

    async def find(self, order_id: str) -> Order | None:
        """The order as committed."""
        return await self.till.find(order_id)

    async def find_by_key(self, app_id: str, user_id: int, order_key: str) -> Order | None:
        """The order which that program asked that person for under that key."""

        async def query(connection: AsyncConnection) -> Order | None:
            return await rows.find_by_key(connection, app_id, user_id, order_key)

        return await self.till.book.read(query)

    async def orders_on(
        self, app_id: str, user_id: int, since: datetime, until: datetime, limit: int
    ) -> tuple[Order, ...]:
        """What that program asked that person for, placed from `since` until before `until`, newest first."""

        async def query(connection: AsyncConnection) -> tuple[Order, ...]:
            return await rows.placed_between(
                connection, app_id, user_id, since=since, until=until, limit=limit
            )

        return await self.till.book.read(query)

    async def stand(self, draft: StandingDraft) -> StandingCode:
        """See `Standing.put`."""
        return await self.standing.put(draft)

    async def unstand(self, app_id: str, user_id: int, code_key: str) -> None:
        """See `Standing.close`."""
        await self.standing.close(app_id, user_id, code_key)

    async def find_by_link(self, token: str) -> Order | None:
        """The order whose one-code page has that token."""

        async def query(connection: AsyncConnection) -> Order | None:
            return await rows.find_by_link(connection, token)

        return await self.till.book.read(query)

    async def orders_of(self, user_id: int | None, limit: int = 10) -> tuple[Order, ...]:
        """The newest orders of a person (of everybody for None), newest first."""

        async def query(connection: AsyncConnection) -> tuple[Order, ...]:
            return await rows.newest_of(connection, user_id, limit)

        return await self.till.book.read(query)

    def offers(self, order: Order, ways: Sequence[Way] = WAYS_IN_CHAT) -> tuple[Offer, ...]:
        """How this order can be paid now, best first; `routing.best_per_wallet` makes buttons of it."""
        return offers(order.amount, self.till.routes(), ways=ways)

    def refusals(self, order: Order, ways: Sequence[Way] = WAYS_IN_CHAT) -> tuple[Refusal, ...]:
        """Why the other accounts and wallets are not offered."""
        return refusals(order.amount, self.till.routes(), ways=ways)

    async def open(
        self,
        order_id: str,
        wallet: Wallet,
        *,
        user_id: int | None = None,
        way: Way | None = None,
        payer_id: str = "",
    ) -> Opened | Refused:
        """A payer chose a wallet: give them a code or link of it.

        A second tap gets the same code. A code of another wallet is closed first. The attempt is stored as called
        before the institution hears of it. `Why.CHECKING` means that nobody knows yet: the cashier message follows by
        itself. `user_id` is whoever tapped; None for the one-code page, which whoever holds the link may use. `payer_id` is the payer at the institution (openid), for `Way.IN_APP`; it is
        kept nowhere, and what is opened for it is given to nobody else.
        """
        if self.till.closed:
            return Refused(Why.CHECKING, self.till.closed)
        try:
            return await self.opening.open(order_id, wallet, user_id, way, payer_id)
        except UnknownOrderError:
            return Refused(Why.UNKNOWN_ORDER)

    async def charge(
        self, order_id: str, payer_code: SecretStr, wallet: Wallet, *, user_id: int
    ) -> Order | Refused:
        """Take the money of an order from whoever shows this code. The till's own operator may, nobody else.

        An earlier code of the order is reversed first; while that is not certain, `Why.CHECKING`. The order comes back
        when the code was sent and not refused: paid, or waiting for a password, which the sweeper watches and, at the
        institution's deadline, reverses. The code is kept nowhere.
        """
        if self.till.closed:
            return Refused(Why.CHECKING, self.till.closed)
        try:
            return await self.charging.charge(order_id, payer_code, wallet, user_id)
        except UnknownOrderError:
            return Refused(Why.UNKNOWN_ORDER)

    def wallet_at_till(self, amount: Money, candidates: Sequence[Wallet]) -> Wallet | None:
        """The first of these wallets whose payer code some account takes for this amount."""
        found = {offer.wallet for offer in offers(amount, self.till.routes(), ways=WAYS_AT_TILL)}
        return next((wallet for wallet in candidates if wallet in found), None)

    async def cancel(self, order_id: str, user_id: int) -> Order | Refused:
        """The payer changed their mind. Closed at the institution first; paid beats cancel.

        `Why.CHECKING`: the institution has not confirmed; the order is led to its end by the sweeper.
        """
        return await self.ending.cancel(order_id, user_id)

    async def receive(self, provider_id: str, account: str, request: HttpRequest) -> HttpReply:
        """An institution's notification, as it came: verified, stored, and only then acknowledged.

        What does not verify is answered as refused and counted, and changes nothing. A repeat is acknowledged. When
        the store does not take it, the answer is 503, so that the institution tries again.
        """
        return await self.intake.receive(provider_id, account, request)

    async def apply(self, fact: Fact, cause: Cause, *, provider_id: str, account: str) -> None:
        """The one function behind notification, query and operator: compare, look up, book, audit, outbox.

        Raises `OrphanError` when the fact is about nothing in the book, or about another account's number.
        """
        await self.intake.apply(fact, cause, provider_id, account)

    async def refund(
        self, order_id: str, amount: Money, reason: str, actor: str, *, refund_key: str = ""
    ) -> Refund | Refused:
        """Send part or all back. The amount is reserved before the call; the sweeper goes on where the answer is unknown.

        The caller checks that `actor` may do this. With a `refund_key`, asking twice refunds once.
        """
        if self.till.closed:
            return Refused(Why.CHECKING, self.till.closed)
        return await self.refunding.refund(order_id, amount, reason, actor, refund_key)

    async def offer_payouts(self, drafts: Sequence[PayoutDraft]) -> None:
        """Store what pages offer of paid orders: all of it or nothing, in one transaction. Nobody outside is called.

        The amount is held at once. The same `payout_key` of an order is the same offer, told again. What is beyond a
        person's limits goes back to the payer instead. Raises `PayoutRefusedError`.
        """
        self._check_open()
        await self.payouting.offer(drafts)

    async def payout_room(self, user_id: int, currency: str) -> Money:
        """How much that person may still offer now."""
        return await self.payouting.room(user_id, currency)

    async def withdraw_payout(self, asked: Withdrawal) -> None:
        """The payer takes an offer back: refunded, unless somebody has claimed it. The page hears how it stands.

        Raises `PayoutRefusedError` for a claim that is not theirs.
        """
        self._check_open()
        await self.payouting.withdraw(asked)

    async def find_claim(self, *, claim_id: str = "", token: str = "") -> Order | None:
        """The order of a claim, by the id that pages know or by the token of its link."""
        return await self.payouting.find(claim_id=claim_id, token=token)

    def payout_wallets(self, payout: Payout) -> tuple[Wallet, ...]:
        """The wallets it can be claimed with."""
        return tuple(self.payouting.accounts_for(payout.amount))

    async def claim_payout(self, token: str, payee: Payee) -> Payout | Refused:
        """Whoever holds the claim's link wants it in that wallet. The first wins; the same payee again is no second claim.

        Stored before the institution hears of it. What comes back may still be on its way.
        """
        if self.till.closed:
            return Refused(Why.CHECKING, self.till.closed)
        return await self.payouting.claim(token, payee)

    async def settle(self, order_id: str, actor: str, reason: str) -> Order | Refused:
        """An operator wants an order out of review: its institutions are asked, what is open there is closed.

        The order comes back paid, or failed when every institution says that nothing was and can be paid; else
        refused, with what stands in the way. The caller checks that `actor` may do this.
        """
        return await self.settling.settle(order_id, actor, reason)

    async def reconcile(self, day: date) -> tuple[Comparison, ...]:
        """Import every account's statement of that day and compare it with the book. May be run again at any time.

        Where the book is behind, the institution is asked; what nothing explains hangs in suspense; people are alerted.
        """
        return await self.reconciling.reconcile(day)

    def _check_open(self) -> None:
        if self.till.closed:
            raise ClosedError(self.till.closed)
