"""The order page as a code: what stands in it, when it is open at China Unicom, how an order ends."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from providers.sdk.contract import Way
from providers.sdk.gateway import BillGone, Fault, PurseRefused
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    DeclineReason,
    NotFound,
    NotSent,
    Paid,
    Snapshot,
    Unknown,
)
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpReply, HttpRequest
from providers.sdk.wallets import Wallet
from providers.unicompay import plugin, signing, wire

LATTE = Money.cny("18.00")
BY_PAYER = {"open_first": False}


async def opened(stall, **more):
    intent = stall.intent(LATTE, **more)
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created)
    return intent, created


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query))


@pytest.mark.parametrize("way", [Way.MERCHANT_CODE, Way.LINK])
async def test_the_code_is_the_signed_order_page(stall, way):
    intent, created = await opened(stall, way=way)

    fields = query_of(created.code)
    assert created.link == created.code
    assert created.usable_until == intent.expires_at
    assert urlsplit(created.code).path == "/pay/servlet/MerOrderPayReqServlte.htm"
    assert (fields["reqCharSet"], fields["charSet"]) == ("UTF-8", "UTF-8")
    assert (fields["tranType"], fields["tradeMode"], fields["respMode"]) == ("20101", "0001", "1")
    assert (fields["orderNo"], fields["amount"], fields["goodsName"]) == (intent.number, "1800", "拿铁 Latte")
    assert (fields["orderDate"], fields["reqTime"]) == ("20260701", "20260701120000")
    assert (fields["orderValidityNum"], fields["orderValidityUnits"]) == ("30", "m")
    assert "bankCode" not in fields
    signing.check({k: v for k, v in fields.items() if k != "reqCharSet"}, stall.merchant["sign_key"], "MD5")


async def test_the_page_that_is_scanned_can_be_opened_by_a_browser(stall):
    _, created = await opened(stall)
    parts = urlsplit(created.code)

    page = await stall.gateway.handle(HttpRequest("GET", f"{parts.path}?{parts.query}"))

    assert page.status == 200
    assert "拿铁 Latte ¥18.00" in page.body.decode()


async def test_an_order_is_unpaid_then_paid(stall):
    intent, created = await opened(stall)

    before = await stall.provider.query(stall.ref(intent), stall.call)
    bill = stall.pay(created.code, Wallet.UNICOMPAY)
    after = await stall.provider.query(stall.ref(intent), stall.call)

    assert (before.state, before.amount, before.provider_ref) == (Paid.UNPAID, LATTE, "")
    assert (after.state, after.amount, after.merchant) == (Paid.PAID, LATTE, stall.settings.merchant)
    assert (after.paid_at, after.wallet) == (stall.clock.now(), Wallet.UNICOMPAY)
    assert (bill.title, bill.number, bill.amount) == ("拿铁 Latte", intent.number, LATTE)
    assert stall.purses.left[Wallet.UNICOMPAY] == 100_000_00 - 1800


async def test_until_a_payer_opens_the_page_nothing_stands_at_china_unicom():
    stall = Stall(plugin, overrides=BY_PAYER)
    intent, created = await opened(stall)

    before = await stall.provider.query(stall.ref(intent), stall.call)
    assert stall.gateway.recognise(created.code).number == intent.number
    after = await stall.provider.query(stall.ref(intent), stall.call)

    assert before == NotFound("ORDER_NOT_EXIST")
    assert after.state is Paid.UNPAID
    assert all("MerOrderPayReq" not in request.url for request in stall.transport.requests)


@pytest.mark.parametrize("overrides", [{}, BY_PAYER])
async def test_the_same_order_has_the_same_address_for_ever_and_is_paid_once(overrides):
    stall = Stall(plugin, overrides=overrides)
    intent, first = await opened(stall)
    stall.clock.advance(600)

    again = await stall.provider.create(intent, stall.call)
    stall.pay(first.code, Wallet.UNICOMPAY)
    late = await stall.provider.create(intent, stall.call)

    assert again == first
    assert isinstance(late, Snapshot)
    assert late.state is Paid.PAID
    assert len(stall.purses.moves) == 1


async def test_fifty_at_once_are_one_order(stall):
    intent = stall.intent(LATTE)

    answers = await asyncio.gather(*(stall.provider.create(intent, stall.call) for _ in range(50)))

    assert len({answer.code for answer in answers}) == 1


async def test_a_number_that_is_known_with_another_amount_is_a_conflict(stall):
    await opened(stall)

    answer = await stall.provider.create(stall.intent(Money.cny("19.00")), stall.call)

    assert isinstance(answer, Declined)
    assert answer.reason is DeclineReason.CONFLICT


async def test_a_page_of_the_operator_s_own_gets_the_order():
    stall = Stall(plugin, overrides={"form_page_url": "https://shop.example/wo"})

    _, created = await opened(stall)

    assert created.code.startswith("https://shop.example/wo?interfaceVersion=1.0.0.0&")
    assert "signMsg=" in created.code


async def test_a_bank_is_named_where_the_order_goes_straight_to_it():
    stall = Stall(plugin, overrides={"tran_type": "20102", "bank_code": "ICBC_B2C"})

    _, created = await opened(stall)

    assert query_of(created.code)["bankCode"] == "ICBC_B2C"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("a|b|amount=1", "abamount=1"),
        ("☕️ 拿铁", "☕️ 拿铁"),
        ("\n\x00", "Latte20260701A1"),
        ("拿" * 99, "拿" * 60),
    ],
)
async def test_a_title_cannot_add_a_field_to_what_is_signed(stall, title, shown):
    _, created = await opened(stall, title=title)

    assert stall.gateway.recognise(created.code).title == shown
    assert len(created.code.encode()) < 2048


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.HTTP_500_BEFORE, Fault.HTTP_500_AFTER, Fault.TRUNCATED,
        Fault.GARBAGE, Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY,
    ],
)  # fmt: skip
async def test_every_odd_answer_is_unknown_for_every_verb(stall, fault):
    intent, created = await opened(stall)
    stall.pay(created.code, Wallet.UNICOMPAY)
    ref = stall.ref(intent)
    refund = stall.refund(ref, LATTE)
    calls = (
        lambda: stall.provider.create(stall.intent(LATTE, "Latte20260701A2"), stall.call),
        lambda: stall.provider.query(ref, stall.call),
        lambda: stall.provider.close(ref, stall.call),
        lambda: stall.provider.refund(refund, stall.call),
        lambda: stall.provider.query_refund(stall.refund_ref(refund), stall.call),
    )

    for call in calls:
        stall.faults.arm(fault, 2)
        assert isinstance(await call(), Unknown)
        stall.faults.clear()
    assert len(stall.purses.moves) == 1


@pytest.mark.parametrize("overrides", [{}, BY_PAYER])
async def test_a_refused_connection_is_not_sent(overrides):
    stall = Stall(plugin, overrides=overrides)
    stall.transport.refuse()

    assert isinstance(await stall.provider.create(stall.intent(LATTE), stall.call), NotSent)


async def test_a_connection_refused_after_the_page_was_opened_is_unknown(stall):
    class Half:
        async def send(self, request):
            if "query" in request.url:
                stall.transport.refuse()
            return await stall.transport.send(request)

    call = stall.call.__class__(Half(), stall.clock, stall.random)

    assert isinstance(await stall.provider.create(stall.intent(LATTE), call), Unknown)


async def test_nothing_closes_an_order_but_its_time(stall):
    intent, created = await opened(stall)

    early = await stall.provider.close(stall.ref(intent), stall.call)
    stall.clock.advance(30 * 60 + 119)
    nearly = await stall.provider.close(stall.ref(intent), stall.call)
    stall.clock.advance(1)
    late = await stall.provider.close(stall.ref(intent), stall.call)

    assert isinstance(early, Unknown)
    assert isinstance(nearly, Unknown)
    assert isinstance(late, Closed)
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.UNICOMPAY)


async def test_a_page_nobody_opened_closes_with_its_time_too():
    stall = Stall(plugin, overrides=BY_PAYER)
    intent, _ = await opened(stall)

    early = await stall.provider.close(stall.ref(intent), stall.call)
    stall.clock.advance(30 * 60 + 120)
    late = await stall.provider.close(stall.ref(intent), stall.call)

    assert isinstance(early, Unknown)
    assert late == Closed(code="ORDER_NOT_EXIST")


async def test_a_page_without_validity_may_be_paid_late_and_says_so():
    stall = Stall(plugin, overrides={"send_validity": False})
    intent, created = await opened(stall)
    stall.clock.advance(3 * 3600)
    assert isinstance(await stall.provider.close(stall.ref(intent), stall.call), Closed)

    stall.pay(created.code, Wallet.UNICOMPAY)

    assert stall.read_post()[0].fact.state is Paid.PAID
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.PAID


async def test_a_paid_order_is_not_closed(stall):
    intent, created = await opened(stall)
    stall.pay(created.code, Wallet.UNICOMPAY)

    assert isinstance(await stall.provider.close(stall.ref(intent), stall.call), AlreadyPaid)


async def test_another_wallet_or_an_empty_one_pays_nothing_and_the_order_stays_open(stall):
    intent, created = await opened(stall)
    stall.purses.left[Wallet.UNICOMPAY] = 1799

    for wallet in (Wallet.WECHAT, Wallet.UNICOMPAY):
        with pytest.raises(PurseRefused):
            stall.pay(created.code, wallet)

    assert stall.purses.moves == stall.courier.take() == []
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.UNPAID


async def test_an_address_that_was_changed_is_not_recognised(stall):
    _, created = await opened(stall)

    for changed in (
        created.code.replace("amount=1800", "amount=1"),
        created.code + "&merExtend=1",
        created.code.replace("signMsg=", "signMsg=0"),
        created.code.replace(wire.PAGE_PATH, "/elsewhere"),
        "http://[",
    ):
        assert stall.gateway.recognise(changed) is None


async def test_a_killed_institution_goes_on_from_its_drawer(stall):
    intent, created = await opened(stall)

    stall.restart_gateway()
    stall.pay(created.code, Wallet.UNICOMPAY)

    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.PAID


class Says:
    """A query that answers with these lines, well signed."""

    def __init__(self, stall, **fields):
        self.stall, self.fields = stall, fields

    async def send(self, request):
        asked = wire.decode_form(request.body)
        known = {"merNo": asked["merNo"], "orderNo": asked["orderNo"], "queryResult": "SUCCESS"} | self.fields
        return HttpReply(
            200, body=wire.encode_lines(signing.signed(known, self.stall.merchant["sign_key"], "MD5"))
        )


async def asked(stall, **fields):
    call = stall.call.__class__(Says(stall, **fields), stall.clock, stall.random)
    return await stall.provider.query(stall.ref(stall.intent(LATTE)), call)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"orderState": "7"},
        {"orderState": "1"},
        {"orderState": "1", "payAmount": "18.00"},
        {"orderState": "1", "payAmount": "-1"},
        {"orderState": "1", "payAmount": "1800", "orderNo": "Latte20260701A2"},
        {"orderState": "1", "payAmount": "1800", "merNo": "301100710007123"},
        {"orderState": "1", "payAmount": "1800", "orderNo": ""},
        {"queryResult": "FAILED"},
        {"queryResult": ""},
        {"queryResult": "SUCCESS", "orderState": "1", "payAmount": "1800", "note": "a|b"},
    ],
)
async def test_a_signed_answer_that_is_odd_is_unknown(stall, fields):
    assert isinstance(await asked(stall, **fields), Unknown)


@pytest.mark.parametrize(
    ("setting", "state"),
    [("closed_states", Paid.CLOSED), ("refunded_states", Paid.REFUNDED), ("unpaid_states", Paid.UNPAID)],
)
async def test_other_states_are_what_the_operator_says(setting, state):
    stall = Stall(plugin, overrides={setting: "7, 8"})

    assert (await asked(stall, orderState="8", payAmount="1800")).state is state


async def test_a_wrong_amount_is_told_as_it_is(stall):
    intent, created = await opened(stall)
    stall.pay(created.code, Wallet.UNICOMPAY)
    stall.faults.arm(Fault.WRONG_AMOUNT)

    seen = await stall.provider.query(stall.ref(intent), stall.call)

    assert (seen.state, seen.amount) == (Paid.PAID, Money.cny("18.01"))


async def test_payer_codes_are_not_offered(stall):
    answer = await stall.provider.create(
        stall.intent(LATTE, way=Way.PAYER_CODE, payer_code="6" * 18), stall.call
    )

    assert Way.PAYER_CODE not in plugin.info.ways
    assert isinstance(answer, Declined)
    assert stall.transport.requests == []


async def test_an_order_that_china_unicom_does_not_take_is_unknown_not_open(stall):
    intent = stall.intent(Money(0, "CNY"), expires_at=stall.clock.now() + timedelta(minutes=5))

    assert isinstance(await stall.provider.create(intent, stall.call), Unknown)
