"""Payouts, where a provider offers them: sent once, found by our number."""

from providers.sdk.gateway import Fault
from providers.sdk.results import NotFound, PayoutSnapshot, Unknown
from providers.sdk.testing.kit.bench import Bench, hold
from providers.sdk.testing.kit.check import Part, check


@check(Part.TRANSPORT)
async def a_payout_is_found_by_our_number(bench: Bench) -> None:
    """Sent, it is known with its number and amount; another number is not."""
    bench.need("payout")
    request, stranger = bench.payout(), bench.payout()
    sent = await bench.stall.provider.payout(request, bench.stall.call)
    found = await bench.stall.provider.query_payout(request, bench.stall.call)
    for answer in (sent, found):
        told = (answer.number, answer.amount) if isinstance(answer, PayoutSnapshot) else answer
        hold(told == (request.number, request.amount), f"a payout is told as {told}")
    absent = await bench.stall.provider.query_payout(stranger, bench.stall.call)
    hold(isinstance(absent, NotFound), f"a payout that nobody sent is {absent}")


@check(Part.TRANSPORT)
async def a_lost_payout_is_found(bench: Bench) -> None:
    """Made, and its answer lost: `Unknown`, then found; sent again under its number, it is still one."""
    bench.need("payout")
    request = bench.payout()
    bench.stall.faults.arm(Fault.TIMEOUT_AFTER)
    lost = await bench.stall.provider.payout(request, bench.stall.call)
    hold(isinstance(lost, Unknown), f"a payout without an answer said {lost}")
    first = await bench.stall.provider.query_payout(request, bench.stall.call)
    await bench.stall.provider.payout(request, bench.stall.call)
    second = await bench.stall.provider.query_payout(request, bench.stall.call)
    hold(isinstance(first, PayoutSnapshot), f"a payout whose answer was lost is {first}")
    hold(first == second, "sent again under its number, a payout is another one")
