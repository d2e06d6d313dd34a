"""Answers of the institution, misunderstood."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from providers.sdk.errors import NoReplyError, ReplyError
from providers.sdk.money import Money
from providers.sdk.results import (
    Closed,
    Created,
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    Paid,
    Snapshot,
    Unknown,
    Verified,
)
from providers.sdk.transport import HttpRequest
from tests.providers.spoilt.planting import PlainPay, fault, plugin, wire

FAILED = Declined(DeclineReason.OTHER, "FAILED", "The payment failed.")


@fault("create_without_an_answer_is_unknown", "a_lost_answer_is_found_by_our_number")
class TakesATimeoutForFailed(PlainPay):
    async def create(self, intent, call):
        answer = await super().create(intent, call)
        return FAILED if isinstance(answer, Unknown) else answer


@fault("refund_without_an_answer_is_unknown")
class TakesATimeoutForNotSent(PlainPay):
    async def refund(self, request, call):
        answer = await super().refund(request, call)
        return NotSent(answer.reason) if isinstance(answer, Unknown) else answer


@fault("query_without_a_connection_was_not_sent")
class TakesNoConnectionForUnknown(PlainPay):
    async def query(self, ref, call):
        answer = await super().query(ref, call)
        return Unknown(answer.reason) if isinstance(answer, NotSent) else answer


@fault("create_with_an_odd_reply_is_unknown", "create_spoilt_by_its_gateway_is_unknown")
class BelievesUnsignedAnswers(PlainPay):
    async def _send(self, call, path, fields):
        with suppress(ReplyError):
            return await super()._send(call, path, fields)
        reply = await call.transport.send(HttpRequest("POST", f"{self._settings.base_url}{path}"))
        return {"error": "GONE", "message": f"status {reply.status}"}


@fault("query_with_an_odd_reply_is_unknown")
class TakesAnErrorPageForNotFound(PlainPay):
    async def query(self, ref, call):
        answer = await super().query(ref, call)
        return NotFound() if isinstance(answer, Unknown) else answer


@fault("create_without_an_answer_is_unknown")
class RepeatsOnItsOwn(PlainPay):
    async def _send(self, call, path, fields):
        with suppress(NoReplyError):
            return await super()._send(call, path, fields)
        return await super()._send(call, path, fields)


@fault("a_wrong_amount_is_told_as_it_is", "the_amount_is_never_taken_from_the_question")
class EchoesTheAmountAsked(PlainPay):
    async def query(self, ref, call):
        answer = await super().query(ref, call)
        return replace(answer, amount=ref.amount) if isinstance(answer, Snapshot) else answer


@fault("a_wrong_amount_is_told_as_it_is", "a_notification_of_a_wrong_amount_is_told_as_it_is")
class ComparesAmountsLoosely(PlainPay):
    """A fen more or less is "the same" and becomes the round amount."""

    async def query(self, ref, call):
        return rounded(await super().query(ref, call))

    def read_notification(self, request, now):
        verdict = super().read_notification(request, now)
        return replace(verdict, fact=rounded(verdict.fact)) if isinstance(verdict, Verified) else verdict


@fault("the_answer_to_another_question_is_not_believed")
class TakesAnyReplyForItsOwn(PlainPay):
    async def query(self, ref, call):
        answer = await super().query(ref, call)
        return replace(answer, number=ref.number) if isinstance(answer, Snapshot) else answer

    def _same(self, fields, number):
        """Nothing is compared."""


@fault("an_open_order_is_unpaid")
class TakesAcceptedForPaid(PlainPay):
    async def query(self, ref, call):
        answer = await super().query(ref, call)
        return replace(answer, state=Paid.PAID) if isinstance(answer, Snapshot) else answer


@fault("an_unknown_number_is_not_found")
class TakesNotFoundForClosed(PlainPay):
    async def query(self, ref, call):
        answer = await super().query(ref, call)
        if isinstance(answer, NotFound):
            merchant = self._settings.merchant
            return Snapshot(number=ref.number, merchant=merchant, amount=ref.amount, state=Paid.CLOSED)
        return answer


@fault("a_refunded_order_stays_paid")
class TakesRefundedForClosed(PlainPay):
    async def query(self, ref, call):
        answer = await super().query(ref, call)
        refunded = isinstance(answer, Snapshot) and answer.state is Paid.REFUNDED
        return replace(answer, state=Paid.CLOSED) if refunded else answer


@fault("what_is_paid_cannot_be_closed")
class ClosesWhatIsPaid(PlainPay):
    async def close(self, ref, call):
        await super().close(ref, call)
        return Closed()


@fault("what_is_closed_cannot_be_paid")
class ClosesWithoutAsking(PlainPay):
    async def close(self, ref, call):
        return Closed()


@fault("another_amount_under_a_number_is_never_created")
class HidesAConflict(PlainPay):
    async def create(self, intent, call):
        answer = await super().create(intent, call)
        known = isinstance(answer, Declined) and answer.code == "CONFLICT"
        return Created(code=f"{wire.CODE_PREFIX}{intent.number}") if known else answer


@fault("codes_begin_as_declared")
class GivesAnotherCode(PlainPay):
    async def create(self, intent, call):
        answer = await super().create(intent, call)
        return replace(answer, code=f"http://evil.example/{intent.number}") if answer.code else answer


@fault("create_opens_an_order")
class GivesACodeThatOutlivesItsOrder(PlainPay):
    async def create(self, intent, call):
        answer = await super().create(intent, call)
        return replace(answer, usable_until=intent.expires_at + timedelta(hours=1))


@fault("a_way_not_offered_is_declined", info={"ways": frozenset(plugin.info.ways)})
class OpensByAnyWay(PlainPay):
    async def create(self, intent, call):
        return await super().create(replace(intent, way=min(plugin.info.ways)), call)


def rounded(fact):
    if not isinstance(fact, Snapshot):
        return fact
    return replace(fact, amount=Money((fact.amount.minor + 5) // 10 * 10, "CNY"))
