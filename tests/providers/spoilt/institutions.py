"""Gateways that an institution would be ashamed of."""

from contextlib import suppress
from dataclasses import replace

from providers.sdk.gateway import BillGone, PurseRefused
from providers.sdk.transport import Headers
from tests.providers.spoilt.planting import PlainGateway, fault, signing


@fault("a_request_changed_on_the_way_is_refused", "a_merchant_with_other_keys_is_refused")
class TakesAnyMerchant(PlainGateway):
    async def handle(self, request):
        signature = signing.sign(self._key(), request.target, request.body)
        headers = Headers.of({signing.HEADER: signature})
        return await super().handle(replace(request, headers=headers))


@fault("a_killed_gateway_goes_on_where_it_was")
class ForgetsItsOrders(PlainGateway):
    def __init__(self, context):
        super().__init__(context)
        for key, _ in list(context.drawer.scan("order:")):
            context.drawer.texts.pop(key)


@fault("a_bill_is_paid_once")
class ChargesTwice(PlainGateway):
    def settle(self, bill_id, wallet):
        with suppress(BillGone):
            super().settle(bill_id, wallet)


@fault("an_empty_purse_changes_nothing")
class ClosesWhatCannotBePaid(PlainGateway):
    def settle(self, bill_id, wallet):
        order = self._context.drawer.get(f"order:{bill_id}")
        if order and self._context.purses.left[wallet] < order["amount"]:
            self._context.drawer.put(f"order:{bill_id}", {**order, "state": "CLOSED"})
            raise PurseRefused("Insufficient balance.")
        super().settle(bill_id, wallet)


@fault("two_halves_and_one_unit_are_too_much")
class ForgetsWhatWasRefunded(PlainGateway):
    def _refund(self, fields):
        key = f"order:{fields['number']}"
        order = self._context.drawer.get(key)
        if order:
            self._context.drawer.put(key, {**order, "refunded": 0})
        return super()._refund(fields)


@fault("an_expired_order_is_never_paid")
class NeverExpires(PlainGateway):
    def _state(self, order):
        return str(order["state"])


@fault("the_gateway_takes_no_other_status")
class TakesAnyAcknowledgement(PlainGateway):
    def acknowledged(self, reply):
        return reply.status != 500


@fault("a_notification_with_bad_signature_is_rejected")
class KnowsNoFaults(PlainGateway):
    def _tell(self, order):
        held, self._context.faults._armed = self._context.faults._armed, {}
        super()._tell(order)
        self._context.faults._armed = held
