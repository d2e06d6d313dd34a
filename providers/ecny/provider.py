"""The digital yuan as a provider: what an e-CNY payment is, whoever the institution may be.

Every institution answers in the same three words: taken, in process, failed. "In process" is all that one hears of a
code that nobody has scanned; so an order is ended by the institution's own word, or by "in process" after its own
expiry and a grace, and money that comes still later is told by a notification.
"""

import re
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Final

from providers.ecny.channel import Answer, Ask, Channel, Notice, Stand, Verdict
from providers.ecny.settings import EcnySettings
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
from providers.sdk.errors import ConfigurationError, ReplyError
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
    StatementLine,
    Unknown,
    Verified,
)
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

PAYER_CODE: Final = re.compile(r"01[0-9]{17}", re.ASCII)

_RETURNED: Final = {
    Stand.OPEN: Returned.PENDING,
    Stand.DONE: Returned.DONE,
    Stand.FAILED: Returned.FAILED,
    None: Returned.PENDING,
}


class Ecny:
    """One merchant account behind one channel. Holds keys and settings, no state."""

    def __init__(self, channel: Channel, settings: EcnySettings) -> None:
        self._channel = channel
        self._grace = timedelta(seconds=settings.close_grace_s)
        self._send_close = settings.send_close
        self._merchant = settings.merchant

    @settled
    async def create(self, intent: Intent, call: Call) -> Created | Snapshot | Declined | NotSent | Unknown:
        """Get a code for the payer to scan, or take the code that the payer shows."""
        match intent.way:
            case Way.MERCHANT_CODE:
                return await self._open_code(intent, call)
            case Way.PAYER_CODE:
                return await self._take_code(intent, call)
        return Declined(DeclineReason.MISCONFIGURED, "", f"e-CNY has no way {intent.way}.")

    @settled
    async def query(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound | NotSent | Unknown:
        """Ask by our number and the day it was made on."""
        return await self._look_up(ref, call)

    @settled
    async def close(self, ref: AttemptRef, call: Call) -> Closed | AlreadyPaid | NotSent | Unknown:
        """Ask the institution to close it; when it will not or cannot, see how the attempt stands.

        An attempt that the institution does not close ends at its expiry: see `_state`.
        """
        if self._send_close and not self._over(ref, call.clock.now()):
            answer = await self._send(self._channel.shut(ref, call), call)
            if answer.verdict is Verdict.ACCEPTED and answer.stand is Stand.DONE:
                return Closed(code=answer.code)
        seen = await self._look_up(ref, call)
        if isinstance(seen, NotFound):
            over = self._over(ref, call.clock.now())
            return Closed(code=seen.code) if over else Unknown("Not known there yet; ask again.")
        if seen.state is Paid.PAID:
            return AlreadyPaid(code=seen.code)
        if seen.state in {Paid.CLOSED, Paid.FAILED}:
            return Closed(code=seen.code)
        return Unknown("The institution has not closed it; ask again, at the latest after its expiry.")

    @settled
    async def refund(
        self, request: RefundRequest, call: Call
    ) -> RefundSnapshot | Declined | NotSent | Unknown:
        """Return part or all to the wallet that paid."""
        answer = await self._send(self._channel.give_back(request), call)
        match answer.verdict:
            case Verdict.ACCEPTED:
                return _refund(answer, request.attempt.number)
            case Verdict.REFUSED:
                return Declined(answer.reason, answer.code, answer.message)
            case Verdict.REPEATED:  # this number went through before: what became of it then?
                seen = await self._look_up_refund(_ref_of(request), call)
                return seen if isinstance(seen, RefundSnapshot) else Unknown("Known there, not yet found.")
        return _undecided(answer)

    @settled
    async def query_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound | NotSent | Unknown:
        """Ask by our refund number and the day it was made on."""
        return await self._look_up_refund(ref, call)

    async def payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | Declined | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return Declined(DeclineReason.MISCONFIGURED, "", "e-CNY is only collected here, not paid out.")

    async def query_payout(
        self, request: PayoutRequest, call: Call
    ) -> PayoutSnapshot | NotFound | NotSent | Unknown:
        """Never called: `info.can_payout` is false."""
        del request, call
        return NotFound()

    def read_notification(self, request: HttpRequest, now: datetime) -> Verified | Rejected:
        """Verify and read. No sending time is signed: a replay carries the same `event_key` and is caught there."""
        del now
        try:
            notice = self._channel.read_notice(request)
            if notice.way is None and notice.answer and notice.answer.merchant != self._merchant:
                return Rejected("The refund is of another merchant.")  # its snapshot has no place to say so
            return Verified(event_key=notice.event_key, event=notice.event, fact=_fact(notice))
        except ReplyError as error:
            return Rejected(str(error))

    def reply(self, *, accepted: bool, request: HttpRequest | None = None) -> HttpReply:
        """The institution's own receipt, which names the notification; a 500 makes it try again."""
        return self._channel.acknowledge(request) if accepted else HttpReply(500, body=b"fail")

    def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        """Never called: `info.has_statement` is false. Raises `ConfigurationError`."""
        del day, call
        raise ConfigurationError("The columns of the e-CNY reconciliation file are not public.")

    def scrub(self, transcript: bytes) -> bytes:
        """Mask payer codes, signatures and what tells who paid."""
        return self._channel.scrub(transcript)

    async def _open_code(self, intent: Intent, call: Call) -> Created | Declined | Unknown | Snapshot:
        ask = self._channel.open_code(intent, call.clock.now())
        answer = ask if isinstance(ask, Declined) else await self._opened(ask, intent, call)
        if not isinstance(answer, Answer):
            return answer
        if answer.stand is Stand.DONE or not answer.qr_code:
            raise ReplyError("The order was accepted, and there is no code to scan.")
        return Created(code=answer.qr_code, provider_ref=answer.reference, usable_until=intent.expires_at)

    async def _take_code(self, intent: Intent, call: Call) -> Snapshot | Declined | Unknown:
        digits = intent.payer_code.get_secret_value() if intent.payer_code else ""
        if not PAYER_CODE.fullmatch(digits):
            return Declined(DeclineReason.PAYER, "", "An e-CNY payer code has 19 digits and starts with 01.")
        ask = self._channel.take_code(intent, digits, call.clock.now())
        answer = ask if isinstance(ask, Declined) else await self._opened(ask, intent, call)
        if not isinstance(answer, Answer):
            return answer
        paid = answer.stand is Stand.DONE
        return _snapshot(answer, Paid.PAID if paid else Paid.PAYING, answer.amount if paid else intent.amount)

    async def _opened(self, ask: Ask, intent: Intent, call: Call) -> Answer | Declined | Unknown | Snapshot:
        """The accepted answer to a new order, or what else became of it."""
        answer = await self._send(ask, call)
        match answer.verdict:
            case (
                Verdict.REPEATED
            ):  # a code is given once: only what a payer-code order became is still of use
                seen = await self._look_up(_attempt_of(intent), call)
                if isinstance(seen, Snapshot) and seen.state is not Paid.UNPAID:
                    return seen
                return Unknown("This number is known there.")
            case Verdict.ACCEPTED if answer.stand is not Stand.FAILED:
                if answer.amount not in {None, intent.amount}:
                    raise ReplyError("The order was accepted with another amount.")
                return answer
            case Verdict.ACCEPTED | Verdict.REFUSED:
                return Declined(answer.reason, answer.code, answer.message)
        return _undecided(answer)

    async def _look_up(self, ref: AttemptRef, call: Call) -> Snapshot | NotFound:
        answer = await self._send(self._channel.look_up(ref), call)
        if answer.verdict is Verdict.ABSENT:
            return NotFound(answer.code)
        if answer.verdict is not Verdict.ACCEPTED or answer.stand is None:
            raise ReplyError(f"The query was not answered: {answer.code}.")
        return _snapshot(answer, self._state(answer, ref, call.clock.now()), answer.amount)

    async def _look_up_refund(self, ref: RefundRef, call: Call) -> RefundSnapshot | NotFound:
        answer = await self._send(self._channel.look_up_refund(ref), call)
        if answer.verdict is Verdict.ABSENT:
            return NotFound(answer.code)
        if answer.verdict is not Verdict.ACCEPTED or answer.stand is None:
            raise ReplyError(f"The query was not answered: {answer.code}.")
        return _refund(answer, ref.attempt.number)

    def _state(self, answer: Answer, ref: AttemptRef, now: datetime) -> Paid:
        if answer.stand is Stand.OPEN and self._over(ref, now):
            return Paid.CLOSED
        return _paid(answer, ref.way)

    def _over(self, ref: AttemptRef, now: datetime) -> bool:
        return now >= ref.expires_at + self._grace

    async def _send(self, ask: Ask, call: Call) -> Answer:
        return self._channel.read(ask, await call.transport.send(ask.request))


def _paid(answer: Answer, way: Way) -> Paid:
    """Where an attempt stands. "Failed" ends a merchant code unpaid, and says no to a payer code."""
    by_code = way is Way.PAYER_CODE
    match answer.stand:
        case Stand.DONE:
            return Paid.PAID
        case Stand.FAILED:
            return Paid.FAILED if by_code else Paid.CLOSED
    return Paid.PAYING if by_code or answer.payer_types else Paid.UNPAID


def _snapshot(answer: Answer, state: Paid, amount: Money | None) -> Snapshot:
    if amount is None:
        raise ReplyError("The answer names no amount.")
    return Snapshot(
        number=answer.number,
        merchant=answer.merchant,
        amount=amount,
        state=state,
        provider_ref=answer.reference,
        paid_at=answer.finished_at if state is Paid.PAID else None,
        wallet=Wallet.ECNY if state is Paid.PAID else None,
        code=answer.word or answer.code,
        message=answer.message,
    )


def _refund(answer: Answer, attempt_number: str) -> RefundSnapshot:
    if answer.amount is None:
        raise ReplyError("The answer names no amount.")
    state = _RETURNED[answer.stand]
    return RefundSnapshot(
        number=answer.number,
        attempt_number=attempt_number,
        amount=answer.amount,
        state=state,
        provider_ref=answer.reference,
        done_at=answer.finished_at if state is Returned.DONE else None,
        code=answer.word or answer.code,
    )


def _fact(notice: Notice) -> Snapshot | RefundSnapshot | None:
    if notice.answer is None:
        return None
    if notice.way is None:
        return _refund(notice.answer, notice.attempt_number)
    return _snapshot(notice.answer, _paid(notice.answer, notice.way), notice.answer.amount)


def _undecided(answer: Answer) -> Unknown:
    return Unknown(f"The institution has not decided: {answer.code}.")


def _attempt_of(intent: Intent) -> AttemptRef:
    return AttemptRef(
        number=intent.number,
        amount=intent.amount,
        created_at=intent.created_at,
        expires_at=intent.expires_at,
        way=intent.way,
    )


def _ref_of(request: RefundRequest) -> RefundRef:
    return RefundRef(
        number=request.number,
        attempt=request.attempt,
        amount=request.amount,
        created_at=request.created_at,
    )
