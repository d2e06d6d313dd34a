"""The gateway: it keeps what it knows, refuses what the institution refuses, and moves money once."""

from dataclasses import replace

from providers.sdk.gateway import BillGone, PurseRefused
from providers.sdk.results import Created, Declined, NotFound, Snapshot, Unknown
from providers.sdk.testing.kit.bench import Bench, Broken, NotAsked, Opened, another_stall, hold, is_paid
from providers.sdk.testing.kit.check import Part, check
from providers.sdk.testing.kit.verbs import on
from providers.sdk.transport import HttpReply, HttpRequest


async def _open_code(bench: Bench) -> Opened:
    bench.need("gateway")
    opened = await bench.open()
    if isinstance(opened.first, Snapshot):
        raise NotAsked("merchant_code: not offered")
    return opened


def _bill_id(bench: Bench, opened: Opened) -> str:
    for code in opened.codes:
        bill = bench.stall.gateway.recognise(code)
        if bill is not None:
            return bill.id
    raise Broken("the gateway does not recognise the code that it issued")


@check(Part.GATEWAY)
async def a_bill_says_what_was_ordered(bench: Bench) -> None:
    """The wallet shows payee, amount, title and our number."""
    opened = await _open_code(bench)
    for code in opened.codes:
        bill = bench.stall.gateway.recognise(code)
        if bill is not None:
            hold(bill.amount == opened.intent.amount, f"the bill says {bill.amount}")
            hold(bill.number == opened.intent.number, f"the bill's number is {bill.number}")
            hold(bill.payee.strip(), "the bill names no payee")


@check(Part.GATEWAY)
async def a_strangers_code_is_not_recognised(bench: Bench) -> None:
    """What it did not issue is not its own: None, never an error."""
    bench.need("gateway")
    codes = ("", "https://example.org/", "weixin://wxpay/none", "https://qr.95516.com/none", "1", "{}", "\0")
    prefixed = tuple(f"{prefix}nothing" for prefix in bench.info.code_prefixes)
    for code in (*codes, *prefixed):
        hold(bench.stall.gateway.recognise(code) is None, f"the gateway recognises {code!r}")


@check(Part.GATEWAY)
async def a_bill_is_paid_once(bench: Bench) -> None:
    """The second payer is turned away, and charged nothing."""
    opened = await _open_code(bench)
    bill = _bill_id(bench, opened)
    bench.stall.gateway.settle(bill, bench.wallet)
    for _ in range(2):
        try:
            bench.stall.gateway.settle(bill, bench.wallet)
        except BillGone:
            continue
        raise Broken("a bill was paid twice")
    hold(bench.money_moved() == opened.intent.amount.minor, "a bill was charged more than once")
    try:
        hold(bench.stall.gateway.recognise(opened.codes[0]) is None, "a paid code still shows a bill")
    except BillGone:
        return


@check(Part.GATEWAY)
async def an_empty_purse_changes_nothing(bench: Bench) -> None:
    """No money: `PurseRefused`, nothing posted, and the bill can still be paid by another."""
    opened = await _open_code(bench)
    bill, left = _bill_id(bench, opened), bench.stall.purses.left
    held, left[bench.wallet] = left[bench.wallet], opened.intent.amount.minor - 1
    try:
        bench.stall.gateway.settle(bill, bench.wallet)
    except PurseRefused:
        pass
    else:
        raise Broken("an empty purse paid")
    hold(not bench.stall.courier.take(), "a payment that was refused was notified")
    hold(not is_paid(await bench.query(opened)), "a payment that was refused counts as paid")
    left[bench.wallet] = held
    bench.stall.gateway.settle(bill, bench.wallet)
    hold(is_paid(await bench.query(opened)), "after a refused payment the bill is dead")


@check(Part.GATEWAY)
async def a_killed_gateway_goes_on_where_it_was(bench: Bench) -> None:
    """Everything lies in its drawer: open stays open, paid stays paid, keys stay keys."""
    opened, paid = await _open_code(bench), await bench.paid()
    bench.stall.restart_gateway()
    hold(is_paid(await bench.query(paid)), "after a restart a paid order is not")
    hold(not is_paid(await bench.query(opened)), "after a restart an open order is paid")
    bench.pay(opened)
    hold(is_paid(await bench.query(opened)), "after a restart an open code cannot be paid")


@check(Part.GATEWAY)
async def a_merchant_with_other_keys_is_refused(bench: Bench) -> None:
    """The merchant's signature is checked for real: with keys of another environment nothing is opened."""
    bench.need("gateway")
    stranger = another_stall(bench.plugin)
    provider = bench.plugin.build(stranger.settings, stranger.keys)
    intent = bench.intent()
    answer = await provider.create(intent, bench.stall.call)
    hold(isinstance(answer, Declined | Unknown), f"a merchant with other keys was answered with {answer}")
    found = await bench.stall.provider.query(bench.stall.ref(intent), bench.stall.call)
    hold(isinstance(found, NotFound), f"a merchant with other keys opened an order: {found}")


class _Tampering:
    """Changes the digits of the amount on the way to the institution."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self.changed = bench, False

    async def send(self, request: HttpRequest) -> HttpReply:
        """Nine times as much, if the amount stands there in digits."""
        amount = self._bench.price
        for form in (amount.decimal, str(amount.minor)):
            more = form.replace("1", "9", 1).encode()
            if form.encode() in request.body:
                self.changed = True
                request = replace(request, body=request.body.replace(form.encode(), more))
                break
        return await self._bench.stall.transport.send(request)


@check(Part.GATEWAY)
async def a_request_changed_on_the_way_is_refused(bench: Bench) -> None:
    """The merchant's signature covers the amount: another one opens nothing."""
    bench.need("gateway")
    bench.need_record()
    wire, intent = _Tampering(bench), bench.intent()
    answer = await bench.stall.provider.create(intent, on(bench, wire))
    hold(wire.changed, "the amount does not stand in the request as digits")
    hold(not isinstance(answer, Created), f"a request with another amount was answered with {answer}")
    found = await bench.stall.provider.query(bench.stall.ref(intent), bench.stall.call)
    hold(isinstance(found, NotFound), f"a request with another amount opened an order: {found}")


@check(Part.GATEWAY)
async def codes_cannot_be_guessed(bench: Bench) -> None:
    """Two orders have two codes, and neither is short."""
    first, second = await _open_code(bench), await _open_code(bench)
    hold(set(first.codes).isdisjoint(second.codes), "two orders share a code")
    hold(all(len(code) >= 16 for code in first.codes[:1]), "a code is short enough to be guessed")  # noqa: PLR2004  # characters


@check(Part.GATEWAY)
async def nonsense_gets_an_answer(bench: Bench) -> None:
    """A call that no merchant makes is refused with a reply; it neither raises nor opens anything."""
    bench.need("gateway")
    for method, url, body in (
        ("GET", "/", b""),
        ("POST", "/nowhere", b"{"),
        ("POST", "/v3/x?y=1", b"\xff" * 40),
    ):
        reply = await bench.stall.gateway.handle(HttpRequest(method, url, body=body))
        hold(isinstance(reply, HttpReply), f"{method} {url} was not answered")
