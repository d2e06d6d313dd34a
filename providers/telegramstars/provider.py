"""Telegram Stars as a provider: an invoice link to open, the ledger to ask, the host's own updates to hear.

Telegram keeps no record of an invoice that nobody has paid, and no invoice of the Bot API ever ends or can be taken
back. What makes an order of it is the host: before any Star moves, Telegram asks it (`pre_checkout_query`), and it
lets one payment of the right amount by the right person pass, while the order waits for one. See `close`.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from providers.sdk.clock import BEIJING
from providers.sdk.contract import (
    AttemptRef,
    Call,
    Intent,
    PayoutRequest,
    RefundRef,
    RefundRequest,
    Way,
    settled,
)
from providers.sdk.errors import ReplyError
from providers.sdk.handover import PASSED_AT, PAYER
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    Paid,
    PayoutSnapshot,
    RefundSnapshot,
    Rejected,
    Returned,
    Snapshot,
    StatementKind,
    StatementLine,
    Unknown,
    Verified,
)
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet
from providers.telegramstars import signing, wire
from providers.telegramstars.ledger import Ledger
from providers.telegramstars.settings import TelegramStarsSettings
from providers.telegramstars.wire import Refusal, Transaction

_JSON: Final = Headers((("Content-Type", "application/json"),))
_CLOCKS_APART: Final = timedelta(minutes=10)  # Telegram's clock may be behind ours
_REASONS: Final = (
    ("CURRENCY_TOTAL_AMOUNT_INVALID", DeclineReason.LIMIT),
    ("BALANCE_TOO_LOW", DeclineReason.BALANCE),
)
_MISCONFIGURED: Final = frozenset({401, 403, 404})  # 404: the token is none


class TelegramStars:
    """One bot. Holds its token and settings, no state."""

    def __init__(self, settings: TelegramStarsSettings) -> None:
        self._settings = settings

    @settled
    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """Make an invoice link (createInvoiceLink). `invoice` is for a messenger that shows invoices itself.

        The same number again makes another link to the same invoice: the host lets one payment pass, whichever.
        """
        if intent.way is not Way.INVOICE:
            return Declined(DeclineReason.MISCONFIGURED, "", f"Telegram Stars have no way {intent.way}.")
        if intent.amount.currency != wire.STARS:
            return Declined(DeclineReason.LIMIT, "", f"{intent.amount} is not in Stars.")
        invoice = wire.invoice(intent)
        asked = (
            {**invoice, "subscription_period": wire.SUBSCRIPTION_S}
            if self._settings.subscription
            else invoice
        )
        result = await self._ask("createInvoiceLink", asked, call)
        if isinstance(result, Refusal):
            return _declined(result)
        return Created(
            link=wire.link(result), invoice=self._message(intent, invoice), usable_until=intent.expires_at
        )

    @settled
    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """Look for our number in the ledger. `NotFound` is all that Telegram can say of an unpaid invoice."""
        return await self._look_up(ref, call)

    @settled
    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """Tell whether it can still be paid. Nothing is sent to close it: the host says no from now on.

        The host marks an attempt as unwanted before it closes it, and refuses its payments from then on. One that it
        let pass just before may still arrive, so for `settles_within_s` after that the answer is `Unknown`.
        """
        seen = await self._look_up(ref, call)
        if isinstance(seen, Snapshot):
            return AlreadyPaid(code=seen.code)
        if not isinstance(seen, NotFound):
            return seen
        passed_at = ref.memo.get(PASSED_AT)
        settles = timedelta(seconds=self._settings.settles_within_s)
        if passed_at and call.clock.now() < datetime.fromisoformat(passed_at) + settles:
            return Unknown("A payment that we have let pass may be on its way.")
        return Closed(code="refused at pre-checkout")

    @settled
    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """Send all of it back (refundStarPayment): Telegram knows no parts, and refunds a charge once."""
        attempt = request.attempt
        if request.amount != attempt.amount:
            return Declined(DeclineReason.LIMIT, "", "A payment in Stars goes back whole, and once.")
        charge, payer = attempt.provider_ref, attempt.memo.get(PAYER, "")
        if not (charge and payer):
            found = await self._look_up(attempt, call)
            if isinstance(found, NotFound):
                return Unknown("The payment is not in the ledger yet.")
            if not isinstance(found, Snapshot):
                return found
            charge, payer = found.provider_ref, found.payer
        asked = {"user_id": int(payer), "telegram_payment_charge_id": charge}
        result = await self._ask("refundStarPayment", asked, call)
        if isinstance(result, Refusal) and not result.says("CHARGE_ALREADY_REFUNDED"):
            return _declined(result)
        if result is not True and not isinstance(result, Refusal):
            raise ReplyError("Telegram did not say that the Stars went back.")
        return _returned(request.number, attempt, attempt.amount, charge)

    @settled
    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """Look for the refund of that payment in the ledger; there is at most one."""
        lines = await self._lines(ref.attempt, call)
        if isinstance(lines, NotSent | Unknown):
            return lines
        for line in lines:
            if not line.incoming:
                return replace(_returned(ref.number, ref.attempt, line.amount, line.charge), done_at=line.at)
        return NotFound()

    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return Declined(DeclineReason.MISCONFIGURED, "", "A bot pays no Stars out.")

    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return NotFound()

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Read an update that the host has handed over. Updates have no signed time: the charge tells repeats apart.

        The later months of a subscription are payments of no order: they are kept and acknowledged, and that is all.
        """
        del now
        if request.method != "POST":
            return Rejected("An update is handed over by POST.")
        try:
            signing.check_update(self._settings, request)
            update = wire.decode(request.body)
            told = wire.told(update)
        except ReplyError as error:
            return Rejected(str(error))
        if told is None:
            return Verified(event_key=f"update:{update.get('update_id')}", fact=None, event="other currency")
        event = "refunded" if told.refunded else "renewed" if told.renewal else "paid"
        fact = Snapshot(
            number=told.number,
            merchant=self._settings.token_id,
            amount=told.amount,
            state=Paid.REFUNDED if told.refunded else Paid.PAID,
            provider_ref=told.charge,
            paid_at=None if told.refunded else told.at,
            wallet=Wallet.TELEGRAM,
            payer=told.payer,
            code=event,
        )
        return Verified(
            event_key=f"{event}:{told.charge}", fact=None if told.renewal else fact, event=f"stars.{event}"
        )

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """For the host: 200, and the update may be confirmed; otherwise it must come again."""
        del request
        return HttpReply(200 if accepted else 500)

    async def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """The lines of one Beijing day. Telegram does not know our refund numbers: those lines have none."""
        begins = datetime(day.year, day.month, day.day, tzinfo=BEIJING)
        async for line in Ledger(partial(self._page, call)).since(begins):
            if line.at >= begins + timedelta(days=1):
                return
            kind = StatementKind.PAYMENT if line.incoming else StatementKind.REFUND
            yield StatementLine(
                line_key=f"{kind}:{line.charge}",
                kind=kind,
                number=line.number if line.incoming else "",
                attempt_number=line.number,
                amount=line.amount,
                fee=None,
                provider_ref=line.charge,
                at=line.at,
            )

    def scrub(self, transcript: bytes) -> bytes:
        """Mask the token, names and user numbers."""
        return wire.scrub(transcript)

    def _message(self, intent: Intent, invoice: wire.Fields) -> dict[str, str] | None:
        """The parameters of sendInvoice, which makes no subscriptions, but for the chat.

        With an empty `start_parameter` every forwarded copy could be paid by anybody. So there always is one.
        """
        if self._settings.subscription:
            return None
        asked = {**invoice, "start_parameter": intent.number}
        return {"sendInvoice": wire.encode(asked).decode()}

    async def _look_up(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        lines = await self._lines(ref, call)
        if isinstance(lines, NotSent | Unknown):
            return lines
        paid = next((line for line in lines if line.incoming), None)
        if paid is None:
            return NotFound()
        returned = any(not line.incoming for line in lines)
        return Snapshot(
            number=paid.number,
            merchant=self._settings.token_id,
            amount=paid.amount,
            state=Paid.REFUNDED if returned else Paid.PAID,
            provider_ref=paid.charge,
            paid_at=paid.at,
            wallet=Wallet.TELEGRAM,
            payer=paid.payer,
            code="refunded" if returned else "paid",
        )

    async def _lines(self, ref: AttemptRef, call: Call) -> list[Transaction] | NotSent | Unknown:
        """The first payment of that number and its refund, in this order. Renewals bear the same number."""
        found: list[Transaction] = []
        try:
            async for line in Ledger(partial(self._page, call)).since(ref.created_at - _CLOCKS_APART):
                if (line.incoming and not found and line.number == ref.number) or (
                    not line.incoming and found and line.charge == found[0].charge
                ):
                    found.append(line)
        except _RefusedError as error:
            return error.meaning
        return found

    async def _page(self, call: Call, offset: int, limit: int) -> object:
        result = await self._ask("getStarTransactions", {"offset": offset, "limit": limit}, call)
        if isinstance(result, Refusal):
            raise _RefusedError(result)
        return result

    async def _ask(self, method: str, fields: wire.Fields, call: Call) -> object | Refusal:
        request = HttpRequest("POST", signing.address(self._settings, method), _JSON, wire.encode(fields))
        return wire.answer(await call.transport.send(request))


class _RefusedError(ReplyError):
    """The ledger was not shown."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"Telegram does not show the ledger: {refusal.code} {refusal.description}")
        slow = refusal.code == _TOO_MANY
        self.meaning = NotSent(str(self)) if slow else Unknown(str(self))


_TOO_MANY: Final = 429  # HTTP: Too Many Requests; Telegram has done nothing


def _declined(refusal: Refusal) -> Declined | NotSent | Unknown:
    """A refusal is definite; `Too Many Requests` was not even looked at."""
    if refusal.code == _TOO_MANY:
        return NotSent(refusal.description)
    if refusal.code in _MISCONFIGURED:
        return Declined(DeclineReason.MISCONFIGURED, str(refusal.code), refusal.description)
    if refusal.code != 400:  # noqa: PLR2004  # HTTP: Bad Request
        return Unknown(refusal.description)
    reason = next((reason for word, reason in _REASONS if refusal.says(word)), DeclineReason.OTHER)
    return Declined(reason, str(refusal.code), refusal.description)


def _returned(number: str, attempt: AttemptRef, amount: Money, charge: str) -> RefundSnapshot:
    return RefundSnapshot(
        number=number,
        attempt_number=attempt.number,
        amount=amount,
        state=Returned.DONE,
        provider_ref=charge,
    )
