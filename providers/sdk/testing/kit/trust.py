"""Part 5: a notification is what was signed, every bit of it, or it is rejected."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from pydantic import SecretStr, ValidationError

from providers.sdk.contract import ProviderSettings
from providers.sdk.errors import ConfigurationError
from providers.sdk.gateway import Fault
from providers.sdk.results import Rejected, Verified
from providers.sdk.testing.kit.bench import Bench, Broken, NotAsked, another_stall, hold
from providers.sdk.testing.kit.check import Part, Run, check, check_each
from providers.sdk.transport import Headers, HttpRequest

WEEK_S: Final = 7 * 86_400
_KEYS: Final = ("private", "secret", "password", "key", "cert", "public")
_FAULTS: Final = (Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY, Fault.STALE_CLOCK, Fault.PROBE)


class Ear:
    """Listens to one genuine notification and to what was made of it."""

    def __init__(self, bench: Bench, request: HttpRequest, verdict: Verified) -> None:
        self._bench, self.request, self._verdict = bench, request, verdict
        self.refused = 0

    @classmethod
    async def of(cls, bench: Bench) -> "Ear":
        """An ear that has heard the genuine one."""
        notification, verdict = await bench.genuine()
        return cls(bench, notification.request, verdict)

    def hear(self, request: HttpRequest, change: str) -> None:
        """Rejected, or exactly what the genuine one said (an unsigned header, another spelling of one field)."""
        verdict = self._bench.stall.provider.read_notification(request, self._bench.stall.clock.now())
        if isinstance(verdict, Rejected):
            self.refused += 1
        elif verdict != self._verdict:
            raise Broken(f"with {change}, the notification was believed, and says something else")


def _flips(octets: bytes) -> Iterator[tuple[int, bytes]]:
    for place in range(8 * len(octets)):
        flipped = bytearray(octets)
        flipped[place // 8] ^= 1 << (place % 8)
        yield place, bytes(flipped)


def _with_line(headers: Headers, index: int, lines: Iterable[tuple[str, str]]) -> Headers:
    return Headers((*headers.lines[:index], *lines, *headers.lines[index + 1 :]))


@check(Part.VERIFY)
async def a_genuine_notification_is_believed(bench: Bench) -> None:
    """What the institution signed is `Verified`, with a key for its event."""
    _, verdict = await bench.genuine()
    hold(verdict.event_key, "a verified notification has no event_key")
    hold(verdict.fact, "the notification of a payment states no fact")


@check(Part.VERIFY)
async def no_bit_of_the_body_can_be_flipped(bench: Bench) -> None:
    """Every bit of every byte of the body, flipped one at a time."""
    ear = await Ear.of(bench)
    for place, body in _flips(ear.request.body):
        ear.hear(replace(ear.request, body=body), f"bit {place} of the body flipped")
    hold(ear.refused, "no flip of any bit was noticed")


@check(Part.VERIFY)
async def no_bit_of_a_header_can_be_flipped(bench: Bench) -> None:
    """Every bit of every header's value, flipped one at a time; an unsigned header may change nothing."""
    ear = await Ear.of(bench)
    for index, (name, value) in enumerate(ear.request.headers.lines):
        for place, octets in _flips(value.encode("latin-1", "replace")):
            line = (name, octets.decode("latin-1"))
            changed = replace(ear.request, headers=_with_line(ear.request.headers, index, [line]))
            ear.hear(changed, f"bit {place} of the header {name} flipped")


@check(Part.VERIFY)
async def no_header_can_be_left_out_emptied_or_doubled(bench: Bench) -> None:
    """Each header missing, empty, doubled with another value: rejected, or without meaning."""
    ear = await Ear.of(bench)
    for index, (name, value) in enumerate(ear.request.headers.lines):
        lines = {
            "missing": [],
            "empty": [(name, "")],
            "twice": [(name, value), (name, f"{value}0")],
            "first another": [(name, f"{value}0"), (name, value)],
        }
        for how, instead in lines.items():
            headers = _with_line(ear.request.headers, index, instead)
            ear.hear(replace(ear.request, headers=headers), f"the header {name} {how}")
    ear.hear(replace(ear.request, headers=Headers()), "no header at all")


@check(Part.VERIFY)
async def no_part_of_the_body_can_be_cut_or_added(bench: Bench) -> None:
    """The body cut short, lengthened, emptied, wrapped, or re-encoded."""
    ear = await Ear.of(bench)
    body = ear.request.body
    cuts = [body[:length] for length in range(0, len(body), max(1, len(body) // 64))]
    more = [body + tail for tail in (b"\0", b"}", b"&a=1", b"<a/>", body)]
    for changed in (*cuts, *more, b"[" + body + b"]", body[::-1]):
        ear.hear(replace(ear.request, body=changed), f"a body of {len(changed)} instead of {len(body)} bytes")


@check(Part.VERIFY)
async def no_field_can_be_added_doubled_or_removed(bench: Bench) -> None:
    """Where the body is JSON or a form: each field twice with another value, each left out, each emptied."""
    ear = await Ear.of(bench)
    for change, body in _tampered(ear.request.body):
        ear.hear(replace(ear.request, body=body), change)


def _tampered(body: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        fields = json.loads(body)
    except ValueError:
        yield from _tampered_form(body)
        return
    if isinstance(fields, dict):
        for name in fields:
            less = {key: value for key, value in fields.items() if key != name}
            twice = body.rstrip()[:-1] + f",{json.dumps(name)}:1}}".encode()
            yield f"the field {name} left out", json.dumps(less).encode()
            yield f"the field {name} emptied", json.dumps({**fields, name: ""}).encode()
            yield f"the field {name} twice", twice


def _tampered_form(body: bytes) -> Iterator[tuple[str, bytes]]:
    pairs = body.split(b"&")
    for index, pair in enumerate(pairs):
        name = pair.split(b"=")[0]
        rest = pairs[:index] + pairs[index + 1 :]
        label = name.decode("latin-1")[:40]
        yield f"the field {label} left out", b"&".join(rest)
        yield f"the field {label} emptied", b"&".join([*rest, name + b"="])
        yield f"the field {label} twice", b"&".join([*pairs, name + b"=1"])
        yield f"the field {label} twice, first another", b"&".join([name + b"=1", *pairs])


def _rejects(fault: Fault) -> Run:
    async def run(bench: Bench) -> None:
        notification = await bench.told(fault)
        verdict = bench.stall.read(notification)
        if not isinstance(verdict, Rejected):
            raise Broken(f"a notification with {fault} was believed")
        hold(fault is not Fault.PROBE or verdict.probe, "the institution's own probe is not told as one")

    return run


check_each(
    Part.VERIFY,
    "a_notification_with_{}_is_rejected",
    "The gateway's fault `{}`, where its wire knows it.",
    {fault.value: _rejects(fault) for fault in _FAULTS},
)


@check(Part.VERIFY)
async def a_strangers_twin_is_rejected(bench: Bench) -> None:
    """The same words, signed by a stranger with a good key of the same kind."""
    bench.need("notification")
    opened = await bench.open()
    bench.stall.faults.arm(Fault.NOTIFY_FORGED)
    bench.pay(opened)
    forged, *genuine = bench.stall.courier.take()
    hold(genuine, "the gateway gives its courier no forged twin")
    hold(isinstance(bench.stall.read(forged), Rejected), "a notification signed by a stranger was believed")
    hold(isinstance(bench.stall.read(genuine[0]), Verified), "after a forged twin the genuine is rejected")


@check(Part.VERIFY)
async def another_environments_notification_is_rejected(bench: Bench) -> None:
    """Signed by the same institution with the keys of its test environment, or with keys it gave up."""
    bench.need("notification")
    elsewhere = Bench(bench.plugin)
    elsewhere.stall = another_stall(bench.plugin)
    notification, _ = await elsewhere.genuine()
    for reader, request in (
        (bench.stall, notification.request),
        (elsewhere.stall, (await bench.told()).request),
    ):
        verdict = reader.provider.read_notification(request, reader.clock.now())
        hold(isinstance(verdict, Rejected), "a notification signed with other keys was believed")


@check(Part.VERIFY)
async def without_keys_nothing_is_believed(bench: Bench) -> None:
    """All keys empty: the settings or the provider refuse, or every notification is rejected."""
    notification, _ = await bench.genuine()
    keys = {name: "" for name in bench.stall.merchant if _is_key(bench.stall.settings, name)}
    hold(keys, "no setting holds a key: what is a notification verified with?")
    try:
        settings = bench.stall.settings_with(**keys)
        reader = bench.plugin.build(settings, type(bench.stall.keys)())
        verdict = reader.read_notification(notification.request, bench.stall.clock.now())
    except (ValidationError, ConfigurationError):
        return
    hold(isinstance(verdict, Rejected), "a provider without any key believed a notification")


def _is_key(settings: ProviderSettings, name: str) -> bool:
    value = getattr(settings, name, None)
    return isinstance(value, SecretStr) or any(word in name for word in _KEYS)


@check(Part.VERIFY)
async def a_replay_says_nothing_new(bench: Bench) -> None:
    """Read a second time, an hour and a week later: rejected as stale, or the same event with the same key."""
    ear = await Ear.of(bench)
    for wait_s in (0, 3600, WEEK_S):
        bench.stall.clock.advance(wait_s)
        ear.hear(ear.request, f"{wait_s} seconds gone")


@check(Part.VERIFY)
async def a_time_far_from_now_is_not_fresh(bench: Bench) -> None:
    """Where the wire signs a time, a notification from the future is as strange as an old one."""
    ear = await Ear.of(bench)
    bench.stall.clock.advance(WEEK_S)
    ear.hear(ear.request, "a week gone")
    late = ear.refused
    bench.stall.clock.advance(-2 * WEEK_S)
    ear.hear(ear.request, "its clock a week ahead")
    if not late:
        raise NotAsked("stale_clock: this wire signs no time; replays are told by their event_key")
    hold(ear.refused > late, "a notification signed a week from now was believed")


@check(Part.VERIFY)
async def noise_is_rejected_and_never_raises(bench: Bench) -> None:
    """Empty, binary, endless and nested nonsense, with and without the genuine headers."""
    ear = await Ear.of(bench)
    noise = [
        b"", b"\0", b"{}", b"[]", b"null", b"1e999", b'"' * 999, b"[" * 5000, b"<xml>" * 500, b"=&=&=", b"%",
        b"\xff\xfe" * 99, b'{"a":' * 2000, b"a=" + b"1" * 70_000, "付款".encode("gbk"), b'{"amount":NaN}',
    ]  # fmt: skip
    for body in noise:
        for headers in (ear.request.headers, Headers()):
            for method in ("POST", "GET"):
                request = HttpRequest(method, ear.request.url, headers, body)
                verdict = bench.stall.provider.read_notification(request, bench.stall.clock.now())
                hold(isinstance(verdict, Rejected), f"{body[:20]!r} was believed")
