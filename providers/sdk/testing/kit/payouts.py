"""Payouts, where a provider offers them: sent once, found by our number, to somebody the institution has named."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast
from urllib.parse import parse_qsl, urlsplit

from providers.sdk.contract import Identifying
from providers.sdk.gateway import Fault
from providers.sdk.results import Declined, Identified, NotFound, NotSent, PayoutSnapshot, Unknown
from providers.sdk.testing.kit.bench import Bench, NotAsked, hold
from providers.sdk.testing.kit.check import Part, check
from providers.sdk.transport import Headers, HttpRequest
from providers.sdk.wallets import Wallet

# What a gateway looks for before it lets a web view in.
USER_AGENTS: Final[Mapping[Wallet, str]] = {
    Wallet.WECHAT: "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.49",
    Wallet.ALIPAY: "Mozilla/5.0 (Linux; Android 14) AlipayClient/10.5.96",
}
_STATE: Final = "stateSTATEstateSTATE0123456789stateSTATEstateSTATE0123456789ab"  # as long as the host's own
_BACK: Final = "https://shop.example/c/token/back/provider/main"


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


@check(Part.TRANSPORT)
async def a_visitor_is_identified_once(bench: Bench) -> None:
    """Through the institution's page and back: our state untouched, an id that can be paid out to, a code good once."""
    provider = _identifying(bench)
    answer = await _visited(bench, provider)
    hold(answer.get("state") == _STATE, f"the state came back as {answer.get('state')}")
    visitor = await provider.identify(answer, bench.stall.call)
    hold(isinstance(visitor, Identified) and visitor.payee, f"a visitor was identified as {visitor}")
    again = await provider.identify(answer, bench.stall.call)
    hold(isinstance(again, Declined), f"the same visit a second time was answered with {again}")
    if isinstance(visitor, Identified):
        sent = await bench.stall.provider.payout(
            replace(bench.payout(), payee=visitor.payee), bench.stall.call
        )
        hold(isinstance(sent, PayoutSnapshot), f"a payout to the visitor was answered with {sent}")


@check(Part.TRANSPORT)
async def a_made_up_visit_names_nobody(bench: Bench) -> None:
    """A code that the institution never gave, and none at all: declined, never an id."""
    provider = _identifying(bench)
    answer = await _visited(bench, provider)
    made_up = {name: f"{value}x" for name, value in answer.items()}
    for given in (made_up, {}):
        visitor = await provider.identify(given, bench.stall.call)
        hold(isinstance(visitor, Declined), f"a visit that never was is answered with {visitor}")


@check(Part.TRANSPORT)
async def a_visit_without_an_answer_is_not_decided(bench: Bench) -> None:
    """The question who it was is not heard, or its answer is lost: `Unknown` or `NotSent`, never an id or a raise."""
    provider = _identifying(bench)
    for fault in (Fault.TIMEOUT_BEFORE, Fault.GARBAGE, Fault.HTTP_500_AFTER):
        answer = await _visited(bench, provider)
        bench.stall.faults.arm(fault)
        visitor = await provider.identify(answer, bench.stall.call)
        hold(isinstance(visitor, Unknown | NotSent), f"{fault}: a visit was answered with {visitor}")


def _identifying(bench: Bench) -> Identifying:
    if not bench.info.identifies:
        raise NotAsked("identifies: not offered")
    return cast("Identifying", bench.stall.provider)


async def _visited(bench: Bench, provider: Identifying) -> dict[str, str]:
    """The query that the institution sends the wallet's web view back with."""
    url = urlsplit(provider.authorize_url(_STATE, _BACK))
    agent = next((USER_AGENTS[wallet] for wallet in bench.info.wallets if wallet in USER_AGENTS), "")
    target = url._replace(scheme="", netloc="", fragment="").geturl()
    request = HttpRequest("GET", target, Headers.of({"User-Agent": agent}))
    reply = await bench.stall.gateway.handle(request)
    where = reply.headers.get("Location") or ""
    hold(where.startswith(_BACK), f"the visitor is sent to {where or 'nowhere'}")
    return dict(parse_qsl(urlsplit(where).query))
