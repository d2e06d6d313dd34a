"""The line between the host and an institution: what is not known is pending, and is asked about until it is known."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bot.orders.answers import Opened, Refused, Why
from bot.orders.order import AttemptState
from providers.sdk.transport import REPLY_BYTES_MAX
from providers.sdk.wallets import Wallet
from tests.proof.guest import until
from tests.proof.house import becomes, draft
from tests.proof.proxy import BLACK_HOLE, BYTE_BY_BYTE, CLEAR, HALF_OPEN, Weather

RECEIPT = "✅"


@pytest.fixture
async def host(world):
    async with world.host() as host:
        yield host


@pytest.fixture
def line(world):
    return world.institutions["wechatpay"]


@asynccontextmanager
async def stranger(reply: bytes):
    """Whatever is asked, it says this and hangs up."""

    async def answer(asks, say):
        await asks.read(65536)
        say.write(reply)
        try:
            await say.drain()
        except OSError:
            return
        finally:
            say.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield "127.0.0.1", server.sockets[0].getsockname()[1]


async def placed(world, host):
    guest = world.guest()
    await guest.send("/start")
    await guest.see("Choose a mini program:")
    [order] = await host.checkout.place([draft("cup-1")])
    return guest, order


async def pays_in_the_end(world, host, guest, order):
    """Time goes by on the one clock until the code is there; it is paid, once."""

    async def code():
        answer = await host.checkout.open(order.id, Wallet.WECHAT)
        if isinstance(answer, Opened):
            return answer.attempt.code
        world.sandbox.clock.advance(10)
        return None

    await guest.pay("wechat", await until("a code", code))
    paid = await becomes(host, order.id, "paid")
    await guest.see(RECEIPT)
    assert await guest.count(RECEIPT) == 1
    assert [one.state for one in paid.attempts] == [AttemptState.PAID]
    moves = [move for move in world.sandbox.purses.history(Wallet.WECHAT) if move.minor < 0]
    assert len(moves) == 1


@pytest.mark.fault("B1")
async def test_an_institution_that_refuses_connections_has_heard_nothing_and_is_tried_again(
    world, host, line
):
    guest, order = await placed(world, host)
    await line.hang_up()

    answer = await host.checkout.open(order.id, Wallet.WECHAT)
    [attempt] = (await host.checkout.find(order.id)).attempts
    await line.listen()

    assert isinstance(answer, Refused)
    assert answer.why is Why.OUT_OF_ORDER
    assert attempt.state is AttemptState.INTENT
    await pays_in_the_end(world, host, guest, order)


@pytest.mark.fault("B2", "B3", "B17")
@pytest.mark.parametrize("weather", [BLACK_HOLE, HALF_OPEN], ids=["order not made", "order made"])
async def test_an_institution_that_does_not_answer_leaves_the_attempt_unknown_under_its_one_number(
    world, host, line, weather
):
    guest, order = await placed(world, host)
    line.weather = weather

    answer = await host.checkout.open(order.id, Wallet.WECHAT)
    [attempt] = (await host.checkout.find(order.id)).attempts
    line.weather = CLEAR
    line.reset()

    assert isinstance(answer, Refused)
    assert answer.why is Why.CHECKING
    assert attempt.state is AttemptState.UNKNOWN
    await pays_in_the_end(world, host, guest, order)


@pytest.mark.fault("B3")
@pytest.mark.parametrize("after", [0, 1, 40, 300])
async def test_an_answer_that_is_cut_short_is_no_answer(world, host, line, after):
    guest, order = await placed(world, host)
    line.weather = Weather(cut_answers_after=after)

    answer = await host.checkout.open(order.id, Wallet.WECHAT)
    line.weather = CLEAR

    assert isinstance(answer, Refused)
    assert answer.why is Why.CHECKING
    await pays_in_the_end(world, host, guest, order)


_PAGES = {
    "html": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<html>ok</html>",
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "half a JSON": b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"code_url": "w',
    "five megabytes": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * (5 * REPLY_BYTES_MAX),
    "no HTTP": b"220 mail.example.com ESMTP\r\n",
    "502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "504": b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n",
    "429": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.fault("B5", "B6", "B7")
@pytest.mark.parametrize("page", _PAGES.values(), ids=_PAGES)
async def test_a_page_of_somebody_in_between_decides_nothing(world, host, line, page):
    guest, order = await placed(world, host)
    institution = line.far_end
    async with stranger(page) as line.far_end:
        line.reset()
        answer = await host.checkout.open(order.id, Wallet.WECHAT)
        meanwhile = await host.checkout.find(order.id)
    line.far_end = institution
    line.reset()

    assert isinstance(answer, Refused)
    assert meanwhile.state == "pending"
    assert meanwhile.attempts[0].state in {AttemptState.UNKNOWN, AttemptState.INTENT}
    await pays_in_the_end(world, host, guest, order)


@pytest.mark.fault("B7")
async def test_an_institution_that_says_too_many_is_asked_ever_more_rarely(world, host, line):
    _, order = await placed(world, host)
    async with stranger(_PAGES["429"]) as line.far_end:
        line.reset()
        await host.checkout.open(order.id, Wallet.WECHAT)
        before = line.connections
        for _ in range(30):
            world.sandbox.clock.advance(10)
            await asyncio.sleep(0.05)
        asked = line.connections - before

    assert (await host.checkout.find(order.id)).state == "pending"
    assert asked < 15  # thirty looks of the sweeper, five minutes


@pytest.mark.fault("B20")
async def test_a_genuine_answer_to_another_question_is_not_believed(world, host, line):
    guest, paid = await placed(world, host)
    await guest.pay("wechat", (await host.checkout.open(paid.id, Wallet.WECHAT)).attempt.code)
    await becomes(host, paid.id, "paid")
    answered_before = line.answered
    [order] = await host.checkout.place([draft("cup-2")])
    code = (await host.checkout.open(order.id, Wallet.WECHAT)).attempt.code
    institution = line.far_end
    replayed = b"HTTP/1.1 " + answered_before.rpartition(b"HTTP/1.1 ")[2]
    async with stranger(replayed) as line.far_end:
        line.reset()
        before = line.connections
        world.sandbox.clock.advance(60)
        await until("the sweeper to ask", _more(line, before))
        await asyncio.sleep(0.5)
        meanwhile = await host.checkout.find(order.id)
    line.far_end = institution

    assert meanwhile.state == "pending"
    await guest.pay("wechat", code)
    await becomes(host, order.id, "paid")


@pytest.mark.fault("B15")
async def test_an_order_whose_close_is_not_answered_is_no_ended_order_and_late_money_counts(
    world, host, line
):
    guest, order = await placed(world, host)
    code = (await host.checkout.open(order.id, Wallet.WECHAT)).attempt.code
    line.weather = HALF_OPEN

    answer = await host.checkout.cancel(order.id, 7001)
    meanwhile = await host.checkout.find(order.id)
    line.weather = CLEAR
    line.reset()
    world.sandbox.clock.advance(60)

    assert isinstance(answer, Refused)
    assert answer.why is Why.CHECKING
    assert meanwhile.state == "pending"
    assert code
    await becomes(host, order.id, "cancelled")
    assert await guest.count(RECEIPT) == 0


async def test_byte_by_byte_an_institution_is_understood(world, host, line):
    line.weather = BYTE_BY_BYTE
    guest, order = await placed(world, host)

    await pays_in_the_end(world, host, guest, order)


def _more(line, before):
    async def look():
        return line.connections > before

    return look
