"""Refunds, confinement, secrets, state and claims."""

import logging
import os
from dataclasses import replace

from providers.sdk.money import Money
from providers.sdk.results import (
    Declined,
    Returned,
    Unknown,
)
from tests.providers.spoilt.planting import PlainPay, fault, wire


@fault("a_repeated_refund_returns_once", "fifty_repeats_at_once_are_one_refund")
class NewNumberForEveryRefund(PlainPay):
    async def refund(self, request, call):
        answer = await super().refund(replace(request, number=f"R{call.random.text(12)}"), call)
        return replace(answer, number=request.number) if hasattr(answer, "number") else answer


@fault("partial_refunds_add_up")
class TellsTheRunningTotal(PlainPay):
    async def query_refund(self, ref, call):
        answer = await super().query_refund(ref, call)
        return (
            replace(answer, amount=answer.amount + Money(1, "CNY")) if hasattr(answer, "amount") else answer
        )


@fault("more_than_was_paid_never_goes_back")
class TakesARefusedRefundForPending(PlainPay):
    async def refund(self, request, call):
        answer = await super().refund(request, call)
        return Unknown(answer.message) if isinstance(answer, Declined) else answer


@fault("a_full_refund_gives_everything_back")
class TakesPendingForFailed(PlainPay):
    async def query_refund(self, ref, call):
        answer = await super().query_refund(ref, call)
        return replace(answer, state=Returned.FAILED) if hasattr(answer, "state") else answer


@fault("every_verb_can_be_cancelled")
class SwallowsCancellation(PlainPay):
    async def query(self, ref, call):
        try:
            return await super().query(ref, call)
        except BaseException:  # noqa: BLE001  # this is the fault
            return Unknown("Something happened.")


@fault("no_verb_waits_on_its_own")
class Sleeps(PlainPay):
    async def query(self, ref, call):
        await call.clock.sleep(5)
        return await super().query(ref, call)


@fault("nothing_is_remembered_between_calls")
class RemembersOrders(PlainPay):
    def __init__(self, settings):
        super().__init__(settings)
        self.orders = {}

    async def create(self, intent, call):
        self.orders[intent.number] = intent
        return await super().create(intent, call)


@fault("fifty_orders_at_once_stay_apart")
class SharesTheOrderInHand(PlainPay):
    async def create(self, intent, call):
        self.intent = intent
        answer = await super().create(intent, call)
        return replace(answer, code=f"{wire.CODE_PREFIX}{self.intent.number}")


@fault("nothing_of_the_machine_is_touched")
class ReadsTheEnvironment(PlainPay):
    async def create(self, intent, call):
        os.environ.get("HTTPS_PROXY")
        return await super().create(intent, call)


@fault("no_secret_stands_in_a_log")
class LogsItsKey(PlainPay):
    async def query(self, ref, call):
        logging.getLogger("plainpay").debug("asking with key %s", self._key)
        return await super().query(ref, call)


@fault("no_secret_stands_in_a_repr")
class ShowsItsKey(PlainPay):
    def __repr__(self):
        return f"PlainPay({self._key})"


@fault("what_explains_a_payment_survives")
class ScrubsEverything(PlainPay):
    def scrub(self, transcript):
        return b"***" if transcript else b""


@fault("scrubbing_is_total_and_repeatable")
class ScrubsOnlyText(PlainPay):
    def scrub(self, transcript):
        return transcript.decode().encode()


@fault("no_float_is_on_the_wire")
class SendsFloats(PlainPay):
    async def _send(self, call, path, fields):
        if "amount" in fields:
            fields = {**fields, "amount": fields["amount"] / 100}
        return await super()._send(call, path, fields)


@fault("info_is_whole", info={"min_minor": 0})
class AllowsNothing(PlainPay):
    pass


@fault("quality_agrees_with_info", info={"can_payout": True})
class ClaimsPayouts(PlainPay):
    pass


@fault("addresses_are_on_pinned_hosts", info={"hosts": ("elsewhere.example",)})
class PinsAnotherHost(PlainPay):
    pass
