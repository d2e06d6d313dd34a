"""Part 12: what is secret stands in no log, no repr, no error and no scrubbed transcript."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from providers.sdk.contract import Way
from providers.sdk.errors import NoReplyError, ProviderError
from providers.sdk.gateway import Fault
from providers.sdk.results import Snapshot
from providers.sdk.testing.kit.bench import Bench, hold
from providers.sdk.testing.kit.check import Part, check
from providers.sdk.testing.kit.verbs import on
from providers.sdk.testing.kit.wires import ODD_REPLIES, Scripted
from providers.sdk.transport import HttpReply, HttpRequest

_LEAST = 8  # shorter values are words, not secrets


def _keys(bench: Bench) -> set[str]:
    """The merchant's secrets: whole, and a line out of the middle of what has lines."""
    found: set[str] = set()
    for name in bench.plugin.settings.model_fields:
        value = getattr(bench.stall.settings, name)
        if isinstance(value, SecretStr):
            lines = [line for line in value.get_secret_value().splitlines() if "-----" not in line]
            found.update(line.strip() for line in lines[:3])
    return {key for key in found if len(key) >= _LEAST}


async def _everything(bench: Bench) -> tuple[set[str], list[object]]:
    """One of everything done, well and badly. The canaries, and all that was answered."""
    canaries, answers = _keys(bench), list[object]()
    provider, stall = bench.stall.provider, bench.stall
    opened = await bench.paid()
    answers += [opened.intent, opened.ref, opened.first, await bench.query(opened)]
    if bench.quality.of("payer_code").is_done:
        for fault in (None, Fault.DECLINED, Fault.TIMEOUT_AFTER):
            intent = bench.intent(way=Way.PAYER_CODE)
            canaries.add(intent.payer_code.get_secret_value() if intent.payer_code else "")
            if fault is not None:
                stall.faults.arm(fault)
            answers += [intent, await provider.create(intent, stall.call)]
    if bench.quality.of("refund").is_done:
        answers.append(await provider.refund(stall.refund(opened.ref, bench.price, "TooMuch001"), stall.call))
    for wire in (Scripted(NoReplyError("No answer in time.")), *map(Scripted, ODD_REPLIES)):
        answers.append(await provider.create(bench.intent(), on(bench, wire)))
    answers += stall.read_post()
    return canaries - {""}, answers


def _found(canaries: set[str], text: str) -> bool:
    return any(canary in text for canary in canaries)


@check(Part.SCRUB)
async def no_secret_stands_in_a_repr(bench: Bench) -> None:
    """Neither in settings, provider and plugin, nor in what was asked and answered."""
    canaries, answers = await _everything(bench)
    parts = {"settings": bench.stall.settings, "provider": bench.stall.provider, "answers": answers}
    parts["attributes"] = getattr(bench.stall.provider, "__dict__", {})
    for name, value in parts.items():
        hold(not _found(canaries, repr(value)), f"a secret stands in the repr of the {name}")


@check(Part.SCRUB)
async def no_secret_stands_in_a_log(bench: Bench) -> None:
    """Everything that any logger was told at any level, while everything was done."""
    with _listening() as heard:
        canaries, _ = await _everything(bench)
    hold(not _found(canaries, heard.getvalue()), "a secret was logged")


@contextmanager
def _listening() -> Iterator[io.StringIO]:
    heard, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(heard), root.level
    root.addHandler(handler)
    root.setLevel(logging.NOTSET + 1)
    try:
        yield heard
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@check(Part.SCRUB)
async def no_secret_stands_in_an_error(bench: Bench) -> None:
    """Settings with one key spoilt: the refusal names the setting, never the value."""
    for name in bench.plugin.settings.model_fields:
        value = getattr(bench.stall.settings, name)
        if not isinstance(value, SecretStr) or len(value.get_secret_value()) < _LEAST:
            continue
        spoilt = "CANARY" + value.get_secret_value()[6:][::-1]
        try:
            bench.plugin.build(bench.stall.settings_with(**{name: spoilt}), bench.stall.keys)
        except (ProviderError, LookupError, ValueError, TypeError, OSError) as error:
            text = f"{error!r} {error} {error.__cause__!r}"
            hold("CANARY" not in text and spoilt[6:40] not in text, f"the refusal of {name} shows its value")


@check(Part.SCRUB)
async def a_scrubbed_transcript_holds_no_secret(bench: Bench) -> None:
    """Every request, reply and notification of everything that was done, scrubbed one by one and together."""
    canaries, answers = await _everything(bench)
    canaries |= {answer.payer for answer in answers if isinstance(answer, Snapshot) and answer.payer}
    requests, replies = bench.stall.transport.requests, bench.stall.transport.replies
    post = [one.request for one in bench.stall.courier.sent]
    transcripts = [_transcript(one) for one in (*requests, *post)] + [_transcript(one) for one in replies]
    for raw in (*transcripts, b"\r\n\r\n".join(transcripts)):
        clean = bench.stall.provider.scrub(raw).decode("utf-8", "replace")
        shown = [canary[:3] + "…" for canary in canaries if canary in clean]
        hold(not shown, f"a scrubbed transcript still holds {shown}")


@check(Part.SCRUB)
async def what_explains_a_payment_survives(bench: Bench) -> None:
    """Our number is still there after scrubbing: a transcript without it explains nothing."""
    opened = await bench.paid()
    clean = b"".join(bench.stall.provider.scrub(_transcript(one)) for one in bench.stall.transport.requests)
    hold(opened.intent.number.encode() in clean, "scrubbing removed our own number")


@check(Part.SCRUB)
async def scrubbing_is_total_and_repeatable(bench: Bench) -> None:
    """Any bytes may be scrubbed, and twice is once."""
    await bench.paid()
    wire = [_transcript(one) for one in bench.stall.transport.requests]
    for raw in (b"", b"\xff\xfe\x00", b'{"sign":"' * 500, b"%", b"a=" * 999, *wire):
        once = bench.stall.provider.scrub(raw)
        hold(bench.stall.provider.scrub(once) == once, "scrubbing twice differs from scrubbing once")


def _transcript(message: HttpRequest | HttpReply) -> bytes:
    """As a log would hold it."""
    first = f"{message.method} {message.url}" if isinstance(message, HttpRequest) else str(message.status)
    head = [first, *(f"{name}: {value}" for name, value in message.headers.lines), "", ""]
    return "\r\n".join(head).encode() + message.body
