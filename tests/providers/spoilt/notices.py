"""Notifications misread, and acknowledged wrongly."""

import json
from contextlib import suppress
from dataclasses import replace

from providers.sdk.errors import ProviderError
from providers.sdk.results import (
    Rejected,
    Verified,
)
from providers.sdk.transport import Headers, HttpReply
from tests.providers.spoilt.planting import PlainPay, fault, signing, wire


@fault(
    "no_bit_of_the_body_can_be_flipped", "a_strangers_twin_is_rejected", "without_keys_nothing_is_believed"
)
class SkipsTheSignature(PlainPay):
    def read_notification(self, request, now):
        try:
            fields = wire.unpack(request.body)
            fresh = abs((now - wire.moment(fields["sent_at"])).total_seconds()) <= wire.NOTIFY_FRESH_S
            snapshot = wire.snapshot(fields)
            return Verified(event_key=str(fields["event"]), fact=snapshot) if fresh else Rejected("No.")
        except (ProviderError, LookupError, ValueError, TypeError, AttributeError):
            return Rejected("No.")


@fault("a_notification_with_no_signature_is_rejected", "no_header_can_be_left_out_emptied_or_doubled")
class BelievesTheUnsigned(PlainPay):
    def read_notification(self, request, now):
        signature = request.headers.get(signing.HEADER) if len(request.headers.lines) > 1 else None
        if signature:
            return super().read_notification(request, now)
        return SkipsTheSignature.read_notification(self, replace(request, headers=Headers()), now)


@fault("a_notification_with_stale_clock_is_rejected")
class TakesAnyTime(PlainPay):
    def read_notification(self, request, now):
        with suppress(ProviderError, LookupError, ValueError, TypeError, AttributeError):
            now = wire.moment(wire.unpack(request.body)["sent_at"])
        return super().read_notification(request, now)


@fault("a_time_far_from_now_is_not_fresh")
class TakesTheFuture(PlainPay):
    def read_notification(self, request, now):
        with suppress(ProviderError, LookupError, ValueError, TypeError, AttributeError):
            now = max(now, wire.moment(wire.unpack(request.body)["sent_at"]))
        return super().read_notification(request, now)


@fault("reading_leaves_no_trace", "a_duplicate_has_the_key_of_the_first")
class NewKeyForEveryRepeat(PlainPay):
    count = 0

    def read_notification(self, request, now):
        verdict = super().read_notification(request, now)
        type(self).count += 1
        return replace(verdict, event_key=f"{self.count}") if isinstance(verdict, Verified) else verdict


@fault("order_of_arrival_does_not_matter")
class OneKeyForAllEvents(PlainPay):
    def read_notification(self, request, now):
        verdict = super().read_notification(request, now)
        return replace(verdict, event_key="order.paid") if isinstance(verdict, Verified) else verdict


@fault("noise_is_rejected_and_never_raises")
class FallsOverNoise(PlainPay):
    def read_notification(self, request, now):
        json.loads(request.body)
        return super().read_notification(request, now)


@fault("another_merchants_notification_is_not_ours")
class PutsItsOwnMerchantIn(PlainPay):
    def _same(self, fields, number):
        fields["merchant"] = self._settings.merchant


@fault("not_accepted_is_repeated")
class AnswersSuccessBeforeStoring(PlainPay):
    def reply(self, *, accepted, request=None):
        return HttpReply(204)


@fault("accepted_is_acknowledged")
class AcknowledgesInItsOwnWords(PlainPay):
    def reply(self, *, accepted, request=None):
        return HttpReply(200, body=b"ok") if accepted else HttpReply(500)


@fault("an_answer_to_a_stranger_repeats_nothing")
class RepeatsWhatItRefuses(PlainPay):
    def reply(self, *, accepted, request=None):
        return HttpReply(204) if accepted else HttpReply(500, body=request.body if request else b"")
