"""Part 2: every verb maps what the network does to definite, `NotSent` or `Unknown`, and never guesses."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from providers.sdk.contract import Call, Way
from providers.sdk.errors import NoReplyError, NotSentError
from providers.sdk.gateway import CALL_FAULTS, Fault
from providers.sdk.results import NotSent, Unknown
from providers.sdk.testing.kit.bench import Bench, hold
from providers.sdk.testing.kit.check import Part, Run, check_each
from providers.sdk.testing.kit.wires import ODD_REPLIES, Scripted
from providers.sdk.transport import Transport

CALLS_MAX: Final = 4  # the requests of one verb: asking, looking, undoing, looking again
UNBELIEVABLE: Final = (
    *CALL_FAULTS, Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY, Fault.STALE_CLOCK, Fault.PROBE,
)  # fmt: skip
Ask = Callable[[Call], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb made ready: what it stands on exists, the call itself is still to be made."""

    ask: Ask


async def _create(bench: Bench) -> Verb:
    intent = bench.intent()
    return Verb(lambda call: bench.stall.provider.create(intent, call))


async def _charge(bench: Bench) -> Verb:
    bench.need("payer_code")
    intent = bench.intent(way=Way.PAYER_CODE)
    return Verb(lambda call: bench.stall.provider.create(intent, call))


async def _query(bench: Bench) -> Verb:
    opened = await bench.paid()
    return Verb(lambda call: bench.stall.provider.query(opened.ref, call))


async def _close(bench: Bench) -> Verb:
    bench.need("close")
    opened = await bench.open()
    bench.stall.clock.advance(120)
    return Verb(lambda call: bench.stall.provider.close(opened.ref, call))


async def _refund(bench: Bench) -> Verb:
    bench.need("refund")
    request = bench.stall.refund((await bench.paid()).ref, bench.price, bench.number("Ref"))
    return Verb(lambda call: bench.stall.provider.refund(request, call))


async def _query_refund(bench: Bench) -> Verb:
    bench.need("query_refund")
    bench.need("refund")
    ref = bench.stall.refund_ref(await bench.refund(await bench.paid()))
    return Verb(lambda call: bench.stall.provider.query_refund(ref, call))


async def _payout(bench: Bench) -> Verb:
    bench.need("payout")
    request = bench.payout()
    return Verb(lambda call: bench.stall.provider.payout(request, call))


async def _query_payout(bench: Bench) -> Verb:
    bench.need("payout")
    request = bench.payout()
    await bench.stall.provider.payout(request, bench.stall.call)
    return Verb(lambda call: bench.stall.provider.query_payout(request, call))


VERBS: Final[dict[str, Callable[[Bench], Awaitable[Verb]]]] = {
    "create": _create,
    "charge": _charge,
    "query": _query,
    "close": _close,
    "refund": _refund,
    "query_refund": _query_refund,
    "payout": _payout,
    "query_payout": _query_payout,
}


def on(bench: Bench, transport: Transport) -> Call:
    """A call over another network."""
    return Call(transport, bench.stall.clock, bench.stall.call.random)


def _not_sent(word: str) -> Run:
    async def run(bench: Bench) -> None:
        verb = await VERBS[word](bench)
        wire = Scripted(NotSentError("The connection was refused."))
        answer = await verb.ask(on(bench, wire))
        hold(isinstance(answer, NotSent), f"no connection opened, {word} answered {answer}; it is NotSent")

    return run


def _no_reply(word: str) -> Run:
    async def run(bench: Bench) -> None:
        verb = await VERBS[word](bench)
        wire = Scripted(NoReplyError("No answer in time."))
        answer = await verb.ask(on(bench, wire))
        hold(isinstance(answer, Unknown), f"no answer came, {word} answered {answer}; it is Unknown")
        hold(wire.asked == 1, f"{word} was sent {wire.asked} times without an answer; only the host repeats")

    return run


def _odd_replies(word: str) -> Run:
    async def run(bench: Bench) -> None:
        verb = await VERBS[word](bench)
        for reply in ODD_REPLIES:
            wire = Scripted(reply)
            answer = await verb.ask(on(bench, wire))
            told = f"status {reply.status}, body {reply.body[:40]!r}"
            hold(isinstance(answer, Unknown), f"{told}: {word} answered {answer}; it is Unknown")
            hold(wire.asked <= CALLS_MAX, f"{told}: {word} asked {wire.asked} times; only the host repeats")

    return run


def _spoilt(word: str) -> Run:
    async def run(bench: Bench) -> None:
        bench.need("faults")
        for fault in UNBELIEVABLE:
            verb = await VERBS[word](bench)
            bench.stall.faults.arm(fault, CALLS_MAX)
            answer = await verb.ask(bench.stall.call)
            left = sum(bench.stall.faults.take(fault) for _ in range(CALLS_MAX))
            if fault is Fault.TRUNCATED and not bench.stall.transport.replies[-1].body:
                continue  # there was nothing to cut off
            if left < CALLS_MAX:
                hold(isinstance(answer, Unknown), f"{fault}: {word} answered {answer}; it is Unknown")
            else:
                hold(fault not in CALL_FAULTS, f"{fault} had no chance: {word} asked nobody")

    return run


check_each(
    Part.TRANSPORT,
    "{}_without_a_connection_was_not_sent",
    "`{}`: when no connection opens, the answer is `NotSent`: the host may repeat it.",
    {word: _not_sent(word) for word in VERBS},
)
check_each(
    Part.TRANSPORT,
    "{}_without_an_answer_is_unknown",
    "`{}`: when no answer comes, the answer is `Unknown`, and it is not sent again on its own.",
    {word: _no_reply(word) for word in VERBS},
)
check_each(
    Part.TRANSPORT,
    "{}_with_an_odd_reply_is_unknown",
    "`{}`: each of twenty-two replies that nobody signed is `Unknown`, never a failure and never a success.",
    {word: _odd_replies(word) for word in VERBS},
)
check_each(
    Part.TRANSPORT,
    "{}_spoilt_by_its_gateway_is_unknown",
    "`{}`: each fault of the one table that bites in a reply leaves the answer `Unknown`.",
    {word: _spoilt(word) for word in VERBS},
)
