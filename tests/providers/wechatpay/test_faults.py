"""Whatever the network and the institution do, a verb ends in a word the host can act on."""

import asyncio
import json

import pytest

from providers.sdk.gateway import CALL_FAULTS, Fault
from providers.sdk.money import Money
from providers.sdk.results import Created, Declined, DeclineReason, NotFound, Paid, Returned, Unknown
from providers.sdk.transport import Headers, HttpReply
from providers.sdk.wallets import Wallet

PRICE = Money.cny("18.00")
SIGNATURE_FAULTS = (
    Fault.BAD_SIGNATURE,
    Fault.NO_SIGNATURE,
    Fault.UNKNOWN_KEY,
    Fault.STALE_CLOCK,
    Fault.PROBE,
)
REPLY_FAULTS = (*CALL_FAULTS, *SIGNATURE_FAULTS)
LEAVES_NO_EFFECT = {Fault.TIMEOUT_BEFORE, Fault.HTTP_500_BEFORE}


@pytest.mark.parametrize("fault", REPLY_FAULTS)
async def test_a_spoilt_create_is_unknown_and_the_same_number_heals_it(stall, fault) -> None:
    intent = stall.intent(PRICE)
    stall.faults.arm(fault)

    spoilt = await stall.provider.create(intent, stall.call)
    found = await stall.provider.query(stall.ref(intent), stall.call)
    healed = await stall.provider.create(intent, stall.call)

    assert isinstance(spoilt, Unknown)
    assert isinstance(found, NotFound) is (fault in LEAVES_NO_EFFECT)
    assert isinstance(healed, Created)


@pytest.mark.parametrize("fault", REPLY_FAULTS)
async def test_a_spoilt_query_never_says_paid_or_not(stall, opened, fault) -> None:
    _, ref, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)
    stall.faults.arm(fault)

    spoilt = await stall.provider.query(ref, stall.call)

    assert isinstance(spoilt, Unknown)
    assert (await stall.provider.query(ref, stall.call)).state is Paid.PAID


@pytest.mark.parametrize("fault", [fault for fault in REPLY_FAULTS if fault is not Fault.TRUNCATED])
async def test_a_spoilt_close_is_unknown(stall, opened, fault) -> None:
    _, ref, _ = await opened(PRICE)
    stall.faults.arm(fault)

    assert isinstance(await stall.provider.close(ref, stall.call), Unknown)


@pytest.mark.parametrize("fault", REPLY_FAULTS)
async def test_a_spoilt_refund_pays_back_once(stall, opened, fault) -> None:
    _, ref, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)
    request = stall.refund(ref, Money.cny("5.00"))
    stall.faults.clear()
    stall.faults.arm(fault)
    if fault in SIGNATURE_FAULTS:
        stall.faults.arm(fault)  # the notification of the refund takes the first

    spoilt = await stall.provider.refund(request, stall.call)
    found = await stall.provider.query_refund(stall.refund_ref(request), stall.call)
    healed = await stall.provider.refund(request, stall.call)

    assert isinstance(spoilt, Unknown)
    assert isinstance(found, NotFound) is (fault in LEAVES_NO_EFFECT)
    assert healed.state is Returned.DONE
    assert stall.purses.left[Wallet.WECHAT] == 100_000_00 - 1800 + 500


@pytest.mark.parametrize("fault", REPLY_FAULTS)
async def test_a_spoilt_refund_query_is_unknown(stall, opened, fault) -> None:
    _, ref, created = await opened(PRICE)
    stall.pay(created.code, Wallet.WECHAT)
    request = stall.refund(ref, PRICE)
    await stall.provider.refund(request, stall.call)
    stall.faults.arm(fault)

    assert isinstance(await stall.provider.query_refund(stall.refund_ref(request), stall.call), Unknown)


class Answering:
    """A transport whose institution answers these bytes, signed or not."""

    def __init__(self, stall, status: int, body: bytes, *, signed: bool = True) -> None:
        self._stall, self._status, self._body, self._signed = stall, status, body, signed

    async def send(self, request) -> HttpReply:
        signer = self._stall.merchant["public_key_id"]
        headers = self._stall.gateway._institution._seal(self._body, signer) if self._signed else {}
        return HttpReply(self._status, Headers.of(headers), self._body)


def answering(stall, status: int, body: object, *, signed: bool = True):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return type(stall.call)(Answering(stall, status, raw, signed=signed), stall.clock, stall.random)


GOOD = {
    "trade_state": "SUCCESS",
    "out_trade_no": "Latte20260701A1",
    "amount": {"total": 1800, "currency": "CNY"},
}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"trade_state":"SUCCESS","trade_state":"NOTPAY"}',
        b'{"trade_state":"SUCCESS","amount":{"total":NaN}}',
        {},
        {**GOOD, "trade_state": "TELEPORTED"},
        {**GOOD, "trade_state": 1},
        {**GOOD, "amount": None},
        {**GOOD, "amount": {}},
        {**GOOD, "amount": {"total": 1800}},
        {**GOOD, "amount": {"total": 1800.0, "currency": "CNY"}},
        {**GOOD, "amount": {"total": -1, "currency": "CNY"}},
        {**GOOD, "amount": {"total": True, "currency": "CNY"}},
        {**GOOD, "amount": {"total": 10**30, "currency": "CNY"}},
        {**GOOD, "amount": {"total": 1800, "currency": "BTC"}},
        {**GOOD, "success_time": "2026-07-01T12:00:00"},
        {**GOOD, "success_time": "yesterday"},
        {**GOOD, "appid": "wxsomeoneelse"},
        {**GOOD, "payer": "me"},
    ],
)
async def test_a_signed_answer_that_cannot_be_read_is_unknown(stall, body) -> None:
    if isinstance(body, dict):
        body = {"mchid": stall.merchant["mchid"], "appid": stall.merchant["appid"], **body}

    answer = await stall.provider.query(stall.ref(stall.intent(PRICE)), answering(stall, 200, body))

    assert isinstance(answer, Unknown)


@pytest.mark.fault("B6")
@pytest.mark.parametrize("status", [301, 302, 418, 500, 502, 503])
async def test_a_status_that_says_nothing_is_unknown_even_when_signed(stall, status) -> None:
    call = answering(stall, status, {"code": "ORDER_NOT_EXIST", "message": ""})

    assert isinstance(await stall.provider.query(stall.ref(stall.intent(PRICE)), call), Unknown)
    assert isinstance(await stall.provider.create(stall.intent(PRICE), call), Unknown)


@pytest.mark.parametrize("code", ["ORDER_NOT_EXIST", "ORDERNOTEXIST"])
async def test_an_unsigned_refusal_proves_nothing_and_a_signed_one_does_in_either_spelling(
    stall, code
) -> None:
    ref, body = stall.ref(stall.intent(PRICE)), {"code": code, "message": "订单不存在"}

    assert isinstance(await stall.provider.query(ref, answering(stall, 404, body, signed=False)), Unknown)
    assert await stall.provider.query(ref, answering(stall, 404, body)) == NotFound(code)


@pytest.mark.parametrize(
    ("status", "code", "message", "reason"),
    [
        (400, "PARAM_ERROR", "", DeclineReason.OTHER),
        (400, "INVALID_REQUEST", "201 商户订单号重复", DeclineReason.CONFLICT),
        (400, "APPID_MCHID_NOT_MATCH", "", DeclineReason.MISCONFIGURED),
        (400, "MCH_NOT_EXISTS", "", DeclineReason.MISCONFIGURED),
        (400, "ORDER_CLOSED", "", DeclineReason.WINDOW),
        (401, "SIGN_ERROR", "", DeclineReason.MISCONFIGURED),
        (403, "NO_AUTH", "", DeclineReason.MISCONFIGURED),
        (403, "RULELIMIT", "", DeclineReason.LIMIT),
        (403, "RULE_LIMIT", "", DeclineReason.LIMIT),
        (403, "OUT_TRADE_NO_USED", "", DeclineReason.CONFLICT),
        (429, "FREQUENCY_LIMITED", "", DeclineReason.LIMIT),
        (403, "SOMETHING_NEW", "", DeclineReason.OTHER),
    ],
)
async def test_a_signed_refusal_of_prepay_is_declined_with_its_reason(
    stall, status, code, message, reason
) -> None:
    fixed = {"code": code, "message": message}
    answers = iter([(status, fixed), (404, {"code": "ORDER_NOT_EXIST"})])

    class Two:
        async def send(self, request) -> HttpReply:
            status, body = next(answers)
            return await answering(stall, status, body).transport.send(request)

    call = type(stall.call)(Two(), stall.clock, stall.random)
    declined = await stall.provider.create(stall.intent(PRICE), call)

    assert isinstance(declined, Declined)
    assert (declined.reason, declined.code) == (reason, code)


@pytest.mark.parametrize("code", ["SOMETHING_NEW", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "SYSTEMERROR"])
async def test_a_refund_refused_for_now_or_for_an_unknown_reason_is_asked_about_again(stall, code) -> None:
    ref = stall.ref(stall.intent(PRICE))
    call = answering(stall, 403, {"code": code, "message": ""})

    assert isinstance(await stall.provider.refund(stall.refund(ref, PRICE), call), Unknown)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"code":"NO_AUTH","message":""}'])
async def test_an_unsigned_401_is_believed_only_in_its_own_words(stall, body) -> None:
    call = answering(stall, 401, body, signed=False)

    assert isinstance(await stall.provider.create(stall.intent(PRICE), call), Unknown)


async def test_an_order_object_without_currency_is_taken_from_the_question_only_while_unpaid(stall) -> None:
    ref = stall.ref(stall.intent(PRICE))
    names = {"mchid": stall.merchant["mchid"], "appid": stall.merchant["appid"], "out_trade_no": ref.number}

    unpaid = await stall.provider.query(ref, answering(stall, 200, {**names, "trade_state": "NOTPAY"}))
    paid = await stall.provider.query(ref, answering(stall, 200, {**names, "trade_state": "SUCCESS"}))

    assert (unpaid.state, unpaid.amount) == (Paid.UNPAID, PRICE)
    assert isinstance(paid, Unknown)


@pytest.mark.fault("B18")
async def test_cancelling_a_call_is_not_swallowed(stall) -> None:
    class Hanging:
        async def send(self, request) -> HttpReply:
            await asyncio.sleep(60)
            raise AssertionError

    call = type(stall.call)(Hanging(), stall.clock, stall.random)
    task = asyncio.ensure_future(stall.provider.create(stall.intent(PRICE), call))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
