"""Parts 6 and 7: acknowledgements to the byte, and notifications read without a trace."""

from inspect import isawaitable

from providers.sdk.gateway import Fault, Notification
from providers.sdk.results import Rejected, Verified
from providers.sdk.testing.kit.bench import Bench, hold
from providers.sdk.testing.kit.check import Part, check

_REPLY_BYTES_MAX = 1024


@check(Part.ACKNOWLEDGE)
async def accepted_is_acknowledged(bench: Bench) -> None:
    """The institution takes our acknowledgement for received, and the same one every time."""
    notification, _ = await bench.genuine()
    first = bench.stall.provider.reply(accepted=True, request=notification.request)
    again = bench.stall.provider.reply(accepted=True, request=notification.request)
    hold(first == again, "the acknowledgement of one notification differs from time to time")
    hold(bench.stall.gateway.acknowledged(first), f"status {first.status} {first.body!r} is not taken")
    hold(len(first.body) <= _REPLY_BYTES_MAX, f"an acknowledgement of {len(first.body)} bytes")


@check(Part.ACKNOWLEDGE)
async def not_accepted_is_repeated(bench: Bench) -> None:
    """What was not stored is not acknowledged: the institution will send it again."""
    notification, _ = await bench.genuine()
    for request in (notification.request, None):
        reply = bench.stall.provider.reply(accepted=False, request=request)
        hold(not bench.stall.gateway.acknowledged(reply), f"{reply} tells the institution to stop")


@check(Part.ACKNOWLEDGE)
async def an_answer_to_a_stranger_repeats_nothing(bench: Bench) -> None:
    """The refusal of an unverified notification holds none of its words."""
    notification, _ = await bench.genuine()
    reply = bench.stall.provider.reply(accepted=False, request=notification.request)
    words = [word for word in notification.request.body.split(b'"') if len(word) > 12]  # noqa: PLR2004  # a value, not a name
    hold(not any(word in reply.body for word in words), "the refusal repeats what a stranger sent")


@check(Part.ACKNOWLEDGE)
async def the_gateway_takes_no_other_status(bench: Bench) -> None:
    """A server error, a redirect or a refusal is no acknowledgement, whatever its body."""
    notification, _ = await bench.genuine()
    right = bench.stall.provider.reply(accepted=True, request=notification.request)
    for status in (302, 400, 401, 404, 500, 502, 503):
        reply = type(right)(status, right.headers, right.body)
        hold(not bench.stall.gateway.acknowledged(reply), f"the gateway takes status {status} for received")


@check(Part.ACKNOWLEDGE)
async def the_gateway_repeats_for_hours(bench: Bench) -> None:
    """A notification has a key, and a schedule of repeats that does not run backwards."""
    notification = await bench.told()
    hold(notification.key, "a notification has no key")
    waits_s = notification.retry_after_s
    hold(waits_s and all(wait_s > 0 for wait_s in waits_s), f"the schedule of repeats is {waits_s}")


@check(Part.PURE)
async def reading_leaves_no_trace(bench: Bench) -> None:
    """`read_notification` asks nobody, keeps nothing, and is no coroutine."""
    notification = await bench.told()
    asked, kept = len(bench.stall.transport.requests), dict(bench.stall.keys.values)
    verdicts: list[object] = [bench.stall.read(notification) for _ in range(3)]
    hold(not any(isawaitable(verdict) for verdict in verdicts), "read_notification must not be async")
    hold(verdicts[0] == verdicts[1] == verdicts[2], "reading a notification again gives another answer")
    hold(len(bench.stall.transport.requests) == asked, "read_notification asked the institution")
    hold(bench.stall.keys.values == kept, "read_notification changed the key store")


@check(Part.PURE)
async def a_duplicate_has_the_key_of_the_first(bench: Bench) -> None:
    """Sent twice by the institution, it is one event."""
    verdicts = [bench.stall.read(one) for one in await _doubled(bench)]
    keys = {verdict.event_key for verdict in verdicts if isinstance(verdict, Verified)}
    hold(len(verdicts) > 1 and len(keys) == 1, f"one event, told {len(verdicts)} times, has keys {keys}")


async def _doubled(bench: Bench) -> list[Notification]:
    bench.need("notification")
    opened = await bench.open()
    bench.stall.faults.arm(Fault.NOTIFY_TWICE)
    bench.pay(opened)
    return bench.stall.courier.take()


@check(Part.PURE)
async def order_of_arrival_does_not_matter(bench: Bench) -> None:
    """Three payments and a refund, read forwards and backwards: the same facts, and a key for each."""
    bench.need("notification")
    orders = [await bench.paid() for _ in range(3)]
    if bench.quality.of("refund").is_done:
        await bench.refund_done(await bench.refund(orders[0]))
    post = bench.stall.courier.take()
    now = [bench.stall.read(one) for one in post]
    backwards = [bench.stall.read(one) for one in reversed(post)][::-1]
    hold(now == backwards, "read in another order, notifications say something else")
    keys = [verdict.event_key for verdict in now if isinstance(verdict, Verified)]
    hold(len(set(keys)) == len(keys), f"different events share a key: {keys}")


@check(Part.PURE)
async def an_account_does_not_hear_another_providers_post(bench: Bench) -> None:
    """The signature belongs to the wire: a body in any other form is rejected, as is our own acknowledgement."""
    notification, _ = await bench.genuine()
    reply = bench.stall.provider.reply(accepted=True, request=notification.request)
    request = type(notification.request)("POST", notification.request.url, reply.headers, reply.body)
    verdict = bench.stall.provider.read_notification(request, bench.stall.clock.now())
    hold(isinstance(verdict, Rejected), "an acknowledgement was taken for a notification")


@check(Part.PURE)
async def a_notification_overtakes_the_answer(bench: Bench) -> None:
    """Told before the provider was asked anything: a fresh provider object reads it as well as one that created."""
    notification, verdict = await bench.genuine()
    fresh = bench.plugin.build(bench.stall.settings, bench.stall.keys)
    heard = fresh.read_notification(notification.request, bench.stall.clock.now())
    hold(heard == verdict, "a provider object that did not create the order reads its notification otherwise")
