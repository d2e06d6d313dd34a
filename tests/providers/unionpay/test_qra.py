"""The second mode: the QRA gateway, XML signed by MD5."""

import asyncio
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from providers.sdk.contract import Way
from providers.sdk.errors import ConfigurationError, ReplyError, SignatureError
from providers.sdk.gateway import BillGone, Fault, PurseRefused
from providers.sdk.money import Money
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    NotFound,
    Paid,
    RefundSnapshot,
    Rejected,
    Returned,
    Snapshot,
    Unknown,
)
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpRequest
from providers.sdk.wallets import Wallet
from providers.unionpay import UnionPaySettings, plugin, qra_wire

LATTE = Money.cny("18.00")
DIGITS = "6221234567890123456"
# yansongda/pay's published fixture.
VECTOR_KEY = "979da4cfccbae7923641daa5dd7047c2"
VECTOR = {
    "auth_code": "131969896307360385",
    "body": "测试商品",
    "charset": "UTF-8",
    "mch_create_ip": "127.0.0.1",
    "mch_id": "QRA29045311KKR1",
    "nonce_str": "UhxOr4kzerPGku9wCaVQyfd1zisoAnAm",
    "op_device_id": "123",
    "out_trade_no": "pos-qra-20240106163401",
    "service": "unified.trade.micropay",
    "sign_type": "MD5",
    "terminal_info": '{"device_type":"07","terminal_id":"123"}',
    "total_fee": "1",
}
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
TEXTS = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=60
)


@pytest.fixture
def stall():
    stall = Stall(plugin, overrides={"mode": "qra"})
    stall.purses.show(DIGITS, Wallet.QUICKPASS)
    return stall


async def opened(stall):
    intent = stall.intent(LATTE)
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created), created
    return created, stall.ref(intent, created)


def payer_intent(stall):
    return stall.intent(LATTE, way=Way.PAYER_CODE, payer_code=DIGITS)


def test_the_published_request_has_its_published_sign():
    signed = qra_wire.signed({**VECTOR, "attach": ""}, VECTOR_KEY)

    assert signed["sign"] == "DB571C2F75C657B42485CD07470F0FB9"
    qra_wire.check(qra_wire.decode(qra_wire.encode(signed)), VECTOR_KEY)
    for name in signed:
        with pytest.raises(SignatureError):
            qra_wire.check({**signed, name: signed[name] + "0"}, VECTOR_KEY)


@given(st.dictionaries(NAMES, TEXTS, min_size=1, max_size=8))
def test_any_text_comes_back_out_of_the_xml_as_it_went_in(fields):
    assert qra_wire.decode(qra_wire.encode(fields)) == fields


@pytest.mark.fault("N6")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<xml></xml>",
        b"<xml><a>1</a><a>2</a></xml>",
        b"<xml><a><b>1</b></a></xml>",
        b"<root><a>1</a></root>",
        b"<xml><a>1</a>",
        b'<!DOCTYPE xml [<!ENTITY e "1">]><xml><a>&e;</a></xml>',
        b'<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><a>&e;</a></xml>',
        b"<xml><a>\xff</a></xml>",
        b"<xml>" + b"<a>1</a>" * 10_000 + b"</xml>",
    ],
)
def test_xml_that_is_not_flat_and_plain_is_refused(body):
    with pytest.raises(ReplyError):
        qra_wire.decode(body)


async def test_a_scanned_code_is_paid_in_notification_and_query_alike(stall):
    created, ref = await opened(stall)
    before = await stall.provider.query(ref, stall.call)

    stall.pay(created.code, Wallet.BANK)
    [verdict] = stall.read_post()
    seen = await stall.provider.query(ref, stall.call)

    assert before.state is Paid.UNPAID
    assert verdict.fact == seen
    assert (seen.state, seen.amount, seen.number) == (Paid.PAID, LATTE, ref.number)
    assert seen.merchant == stall.merchant["qra_mch_id"]
    assert seen.paid_at == stall.clock.now()
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.BANK)


async def test_other_wallets_cannot_pay(stall):
    created, _ = await opened(stall)

    with pytest.raises(PurseRefused):
        stall.pay(created.code, Wallet.ALIPAY)


async def test_an_unpaid_code_is_closed_and_a_paid_one_says_so(stall):
    created, ref = await opened(stall)

    assert isinstance(await stall.provider.close(ref, stall.call), Closed)
    with pytest.raises(BillGone):
        stall.pay(created.code, Wallet.BANK)

    other = stall.intent(LATTE, "Other20260701")
    paid = await stall.provider.create(other, stall.call)
    stall.pay(paid.code, Wallet.BANK)
    assert isinstance(await stall.provider.close(stall.ref(other), stall.call), AlreadyPaid)


async def test_an_unknown_number_is_not_found(stall):
    ref = stall.ref(stall.intent(LATTE))

    assert await stall.provider.query(ref, stall.call) == NotFound("ORDERNOTEXIST")
    assert isinstance(
        await stall.provider.query_refund(stall.refund_ref(stall.refund(ref, LATTE)), stall.call), NotFound
    )


async def test_refunds_in_parts_stop_at_what_was_paid_and_repeat_once(stall):
    created, ref = await opened(stall)
    stall.pay(created.code, Wallet.QUICKPASS)
    first = stall.refund(ref, Money.cny("10.00"), "Part1")

    answers = [await stall.provider.refund(first, stall.call) for _ in range(3)]
    over = await stall.provider.refund(stall.refund(ref, Money.cny("8.01"), "Part2"), stall.call)
    seen = await stall.provider.query_refund(stall.refund_ref(first), stall.call)

    assert all(isinstance(answer, RefundSnapshot) for answer in answers)
    assert isinstance(over, Declined)
    assert (seen.state, seen.amount, seen.number) == (Returned.DONE, Money.cny("10.00"), "Part1")
    assert seen.attempt_number == ref.number
    assert stall.purses.left[Wallet.QUICKPASS] == 100_000_00 - 800


async def test_a_payer_code_is_paid_at_once(stall):
    answer = await stall.provider.create(payer_intent(stall), stall.call)

    assert isinstance(answer, Snapshot)
    assert (answer.state, answer.amount) == (Paid.PAID, LATTE)


async def test_a_payer_entering_a_password_is_paying_then_paid(stall):
    stall.faults.arm(Fault.USER_PAYING)
    intent = payer_intent(stall)

    states = [(await stall.provider.create(intent, stall.call)).state]
    states += [(await stall.provider.query(stall.ref(intent), stall.call)).state for _ in range(2)]

    assert states == [Paid.PAYING, Paid.PAYING, Paid.PAID]


async def test_a_payer_who_never_finishes_is_reversed(stall):
    stall.faults.arm(Fault.USER_PAYING)
    intent = payer_intent(stall)
    await stall.provider.create(intent, stall.call)

    assert isinstance(await stall.provider.close(stall.ref(intent), stall.call), Closed)
    assert stall.purses.moves == []


async def test_a_wallet_that_says_no_is_declined(stall):
    stall.faults.arm(Fault.DECLINED)
    intent = payer_intent(stall)

    assert isinstance(await stall.provider.create(intent, stall.call), Declined)
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.FAILED


async def test_twenty_sendings_of_one_payer_code_charge_once(stall):
    intent = payer_intent(stall)

    await asyncio.gather(*(stall.provider.create(intent, stall.call) for _ in range(20)))

    assert len(stall.purses.moves) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_AFTER,
        Fault.HTTP_500_AFTER,
        Fault.TRUNCATED,
        Fault.GARBAGE,
        Fault.BAD_SIGNATURE,
        Fault.NO_SIGNATURE,
        Fault.UNKNOWN_KEY,
    ],
)
async def test_a_spoilt_answer_is_unknown_and_a_query_finds_the_truth(stall, fault):
    stall.faults.arm(fault)
    intent = payer_intent(stall)

    answer = await stall.provider.create(intent, stall.call)
    seen = await stall.provider.query(stall.ref(intent), stall.call)

    assert isinstance(answer, Unknown)
    assert seen.state is Paid.PAID


@pytest.mark.parametrize("fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY])
async def test_a_notification_with_a_spoilt_signature_is_rejected(stall, fault):
    created, _ = await opened(stall)
    stall.faults.arm(fault)
    stall.pay(created.code, Wallet.BANK)

    [verdict] = stall.read_post()

    assert isinstance(verdict, Rejected)


async def test_a_forged_twin_is_rejected_and_a_repeat_has_the_same_key(stall):
    created, _ = await opened(stall)
    stall.faults.arm(Fault.NOTIFY_FORGED)
    stall.faults.arm(Fault.NOTIFY_TWICE)
    stall.pay(created.code, Wallet.BANK)

    forged, first, second = stall.read_post()

    assert isinstance(forged, Rejected)
    assert first == second


@pytest.mark.parametrize("name", ["status", "result_code", "pay_result"])
async def test_a_notification_is_a_payment_only_with_three_zeros(stall, name):
    fields = {
        "status": "0",
        "result_code": "0",
        "pay_result": "0",
        "out_trade_no": "Latte20260701A1",
        "mch_id": "x",
        "total_fee": "1",
        name: "1",
    }
    body = qra_wire.encode(qra_wire.signed(fields, stall.merchant["qra_key"]))

    verdict = stall.provider.read_notification(HttpRequest("POST", "/n", body=body), stall.clock.now())

    assert verdict.fact is None


async def test_a_wrong_key_is_unknown_never_declined():
    stall = Stall(plugin, overrides={"mode": "qra", "qra_key": "wrong"})

    assert isinstance(await stall.provider.create(stall.intent(LATTE), stall.call), Unknown)


async def test_the_payer_code_is_scrubbed_and_the_key_stands_in_no_repr(stall):
    await stall.provider.create(payer_intent(stall), stall.call)
    body = stall.transport.requests[0].body

    assert DIGITS.encode() in body
    assert DIGITS.encode() not in stall.provider.scrub(body)
    assert stall.merchant["qra_key"] not in repr(stall.settings) + repr(vars(stall.provider))


def test_there_is_no_statement_in_this_mode(stall):
    with pytest.raises(ConfigurationError):
        stall.provider.statement(date(2026, 7, 1), stall.call)


def test_each_mode_asks_for_its_own_settings_by_name():
    with pytest.raises(ValidationError, match="mer_id, sign_key, root_cert, middle_cert"):
        UnionPaySettings()
    with pytest.raises(ValidationError, match="qra_mch_id, qra_key"):
        UnionPaySettings(mode="qra")
