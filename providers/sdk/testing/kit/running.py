"""Parts 10, 11 and 15: cancelled cleanly, confined to the network it was lent, and right fifty at a time."""

import asyncio
import builtins
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn
from unittest.mock import patch
from urllib.parse import urlsplit

from providers.sdk.contract import Provider
from providers.sdk.money import Money
from providers.sdk.results import Created, Snapshot
from providers.sdk.testing.fakes import BASE_URL
from providers.sdk.testing.kit.bench import Bench, Broken, NotAsked, Opened, codes_of, hold, is_paid
from providers.sdk.testing.kit.check import Part, check
from providers.sdk.testing.kit.verbs import VERBS, on
from providers.sdk.testing.kit.wires import Hanging, Shuffling
from providers.sdk.transport import HttpRequest

_AT_ONCE = 50
_PATIENCE_S = 2.0


@check(Part.DEADLINE)
async def every_verb_can_be_cancelled(bench: Bench) -> None:
    """The host's deadline cancels a verb that waits: it ends at once, swallows nothing and leaves no task behind."""
    for word, ready in VERBS.items():
        try:
            verb = await ready(bench)
        except NotAsked:
            continue
        wire = Hanging()
        before = asyncio.all_tasks()
        task = asyncio.ensure_future(verb.ask(on(bench, wire)))
        await asyncio.wait_for(wire.waiting.wait(), _PATIENCE_S)
        task.cancel()
        await asyncio.wait({task}, timeout=_PATIENCE_S)
        hold(task.cancelled(), f"{word} was cancelled while it waited, and went on")
        hold(wire.let_go, f"{word} was cancelled, and its request still waits")
        hold(asyncio.all_tasks() == before, f"{word} left a task behind")


@check(Part.DEADLINE)
async def after_a_cancelled_call_the_provider_works(bench: Bench) -> None:
    """A call that was cut off spoils nothing for the next."""
    wire = Hanging()
    task = asyncio.ensure_future(bench.stall.provider.create(bench.intent(), on(bench, wire)))
    await asyncio.wait_for(wire.waiting.wait(), _PATIENCE_S)
    task.cancel()
    await asyncio.wait({task}, timeout=_PATIENCE_S)
    hold(is_paid(await bench.query(await bench.paid())), "after a cancelled call, an order cannot be paid")


@check(Part.DEADLINE)
async def no_verb_waits_on_its_own(bench: Bench) -> None:
    """Pauses belong to the host: a verb never turns the clock by sleeping."""
    before = bench.stall.clock.now()
    opened = await bench.paid()
    await bench.query(opened)
    if bench.quality.of("refund").is_done:
        await bench.refund(opened)
    hold(bench.stall.clock.now() == before, "a verb slept; the host decides when to ask again")


@check(Part.CONFINED)
async def only_the_set_address_is_called(bench: Bench) -> None:
    """Every request goes where the settings point, in the wire's own scheme."""
    opened = await bench.paid()
    await bench.query(opened)
    for request in bench.stall.transport.requests:
        hold(request.url.startswith(f"{BASE_URL}/"), f"{urlsplit(request.url).hostname} was called")
        hold(request.method in {"GET", "POST", "PUT"}, f"a request by {request.method}")
        for name, value in request.headers.lines:
            hold((name + value).isprintable(), f"the header {name} holds a line break")


@check(Part.CONFINED)
async def nothing_of_the_machine_is_touched(bench: Bench) -> None:
    """While it runs: no file opened, no socket, no variable of the environment read."""
    bench.stall.clock.now()  # the stall is made here, with settings that may come from the environment
    with _sealed_machine():
        opened = await bench.paid()
        await bench.query(opened)
        if bench.quality.of("refund").is_done:
            await bench.refund(opened)
        bench.stall.read_post()


@contextmanager
def _sealed_machine() -> Iterator[None]:
    def refuse(*_args: object, **_more: object) -> NoReturn:
        raise Broken("the provider touched a file, a socket or the environment")

    class Sealed(dict[str, str]):
        def __getitem__(self, name: str) -> str:
            return refuse(name)

        def get(self, name: str, default: object = None) -> NoReturn:
            refuse(name, default)

    with ExitStack() as seals:
        seals.enter_context(patch.object(builtins, "open", refuse))
        seals.enter_context(patch.object(socket.socket, "connect", refuse))
        seals.enter_context(patch.object(socket, "getaddrinfo", refuse))
        seals.enter_context(patch.object(os, "environ", Sealed()))
        yield


@check(Part.PARALLEL)
async def fifty_orders_at_once_stay_apart(bench: Bench) -> None:
    """Fifty orders of different amounts, opened, paid and asked for at once: each gets its own answer."""
    call = on(bench, Shuffling(bench.stall.transport))
    provider = bench.stall.provider
    intents = [bench.intent(_amount(bench, index)) for index in range(_AT_ONCE)]
    created = await asyncio.gather(*(provider.create(intent, call) for intent in intents))
    strange = [answer for answer in created if not isinstance(answer, Created | Snapshot)]
    hold(not strange, f"of fifty orders at once, {len(strange)} were answered with {strange[:1]}")
    codes = [answer.code or answer.link for answer in created if isinstance(answer, Created)]
    hold(len(set(codes)) == len(codes) or not any(codes), "two of fifty orders at once share a code")
    refs = [
        bench.stall.ref(intent, answer if isinstance(answer, Created) else None)
        for intent, answer in zip(intents, created, strict=True)
    ]
    for intent, ref, answer in zip(intents, refs, created, strict=True):
        if isinstance(answer, Created):
            bench.pay(Opened(intent, ref, tuple(codes_of(answer)), answer))
    found = await asyncio.gather(*(provider.query(ref, call) for ref in refs))
    for intent, seen in zip(intents, found, strict=True):
        told = (seen.number, seen.amount) if isinstance(seen, Snapshot) else seen
        hold(told == (intent.number, intent.amount), f"asked for {intent.number}, told {told}")


@check(Part.PARALLEL)
async def fifty_repeats_at_once_are_one_refund(bench: Bench) -> None:
    """The same refund sent fifty times at once goes back once."""
    bench.need("refund")
    paid = await bench.paid()
    request = await bench.refund(paid, 1 if bench.info.partial_refunds else None)
    call = on(bench, Shuffling(bench.stall.transport))
    await asyncio.gather(*(bench.stall.provider.refund(request, call) for _ in range(_AT_ONCE)))
    done = await bench.refund_done(request)
    left = paid.intent.amount.minor - done.amount.minor
    hold(bench.money_moved() == left, "a refund sent fifty times at once went back more than once")


@check(Part.PARALLEL)
async def nothing_is_remembered_between_calls(bench: Bench) -> None:
    """A provider holds keys, no state: after a whole purchase its attributes are what they were."""
    before = _held(bench.stall.provider)
    opened = await bench.paid()
    await bench.query(opened)
    bench.stall.read_post()
    hold(_held(bench.stall.provider) == before, "the provider object changed while it worked")
    fresh = bench.plugin.build(bench.stall.settings, bench.stall.keys)
    found = await fresh.query(opened.ref, bench.stall.call)
    hold(is_paid(found), f"another object of the same account finds {found}")


def _amount(bench: Bench, index: int) -> Money:
    """Another one for each of fifty, inside the limits."""
    spread = bench.info.max_minor - bench.info.min_minor + 1
    return Money(bench.info.min_minor + (index * 37) % min(spread, 5000), bench.currency)


def _held(provider: Provider) -> dict[str, object]:
    """Shallow, with the sizes of what could grow."""
    return {
        name: (id(value), len(value) if isinstance(value, list | dict | set | bytearray) else 0)
        for name, value in getattr(provider, "__dict__", {}).items()
    }


@check(Part.VECTORS)
async def the_same_question_is_the_same_bytes(bench: Bench) -> None:
    """Same clock, same random text, same order: the same request, so that vectors and recordings hold."""
    requests = []
    for one in (bench, Bench(bench.plugin)):
        await one.open()
        requests.append(one.stall.transport.requests)
    first, second = requests
    hold(
        [_head(one) for one in first] == [_head(one) for one in second], "two equal orders differ on the wire"
    )


def _head(request: HttpRequest) -> tuple[object, ...]:
    """All but signatures, which some algorithms salt."""
    return request.method, request.url, len(request.body), [name for name, _ in request.headers.lines]
