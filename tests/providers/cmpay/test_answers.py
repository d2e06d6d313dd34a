"""What China Mobile answers is believed word for word, or not at all."""

from dataclasses import replace

import pytest

from providers.cmpay import messages, plugin, signing, wire
from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import (
    Declined,
    DeclineReason,
    NotFound,
    Paid,
    Snapshot,
    Unknown,
)
from providers.sdk.testing import Stall
from providers.sdk.transport import Headers, HttpReply

LATTE = Money.cny("18.00")


class Says:
    """A cmpayService that answers with these fields, well signed unless told otherwise."""

    def __init__(self, stall, kind, *, charset="GBK", key="", **fields):
        self.stall, self.kind, self.fields = stall, kind, fields
        self.charset, self.key = charset, key or stall.merchant["sign_key"]

    async def send(self, request):
        asked = wire.decode_form(request.body, "gbk")
        order = messages.field_orders("", "2.0.0")[self.kind + ".answer"]
        known = asked | {"returnCode": "000000", "message": "SUCCESS"} | self.fields
        fields = signing.signed({name: known.get(name, "") for name in order}, order, self.key)
        body = wire.encode_answer(fields, self.charset.lower(), {"message", "reserved1", "reserved2"})
        return HttpReply(200, Headers((("Content-Type", f"text/html;charset={self.charset}"),)), body)


async def asked(stall, kind="OrderQueryByYPOS", **fields):
    call = replace(stall.call, transport=Says(stall, kind, **fields))
    return await stall.provider.query(stall.ref(stall.intent(LATTE)), call)


@pytest.mark.parametrize(
    "fields",
    [
        {"ordSts": "已退款", "amount": "1800"},
        {"ordSts": ""},
        {"ordSts": "支付完成"},
        {"ordSts": "支付完成", "amount": "18.00"},
        {"ordSts": "支付完成", "amount": "-1"},
        {"ordSts": "支付完成", "amount": "١٨٠٠"},
        {"ordSts": "支付完成", "amount": "1800", "orderId": "Latte20260701A2"},
        {"ordSts": "支付完成", "amount": "1800", "merchantId": "888009953110002"},
        {"ordSts": "支付完成", "amount": "1800", "merchantId": ""},
        {"ordSts": "支付完成", "amount": "1800", "orderId": ""},
        {"returnCode": "D99981"},
        {"returnCode": "SYS00001"},
        {"returnCode": ""},
        {"returnCode": "0 0"},
    ],
)
async def test_a_signed_answer_that_is_odd_is_unknown(stall, fields):
    assert isinstance(await asked(stall, **fields), Unknown)


async def test_both_heads_of_the_unknown_order_code_mean_not_found(stall):
    assert await asked(stall, returnCode="RPM22201") == NotFound("RPM22201")


async def test_an_answer_may_be_in_the_charset_it_declares(stall):
    seen = await asked(stall, charset="UTF-8", ordSts="支付完成", amount="1800", payDate="20260701115900")

    assert isinstance(seen, Snapshot)
    assert (seen.state, seen.paid_at.isoformat()) == (Paid.PAID, "2026-07-01T03:59:00+00:00")


async def test_a_broken_pay_date_is_no_time(stall):
    assert (await asked(stall, ordSts="支付完成", amount="1800", payDate="20260701")).paid_at is None


async def test_words_of_a_refunded_order_are_what_the_operator_says():
    stall = Stall(plugin, overrides={"refunded_words": "已退款, 部分退款"})

    assert (await asked(stall, ordSts="部分退款", amount="1800")).state is Paid.REFUNDED


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("IPS0008", DeclineReason.MISCONFIGURED),
        ("D77040", DeclineReason.MISCONFIGURED),
        ("RPM77040", DeclineReason.MISCONFIGURED),
        ("MCG01033", DeclineReason.OTHER),
        ("D99981", DeclineReason.WINDOW),
        ("X99999", DeclineReason.OTHER),
    ],
)
async def test_a_signed_refusal_of_an_order_is_declined(stall, code, reason):
    call = replace(stall.call, transport=Says(stall, "CASDirectPayConfirm", returnCode=code, message="不行"))

    answer = await stall.provider.create(stall.intent(LATTE), call)

    assert answer == Declined(reason, code, "不行")


@pytest.mark.parametrize(
    "pay_url",
    [
        "",
        "url<hi:=>https://ipos.10086.cn/ips/FormTrans3<hi:$$>method<hi:=>POST",
        "url<hi:=>https://ipos.10086.cn/x<hi:$$>method<hi:=>POST<hi:$$>sessionId<hi:=>a b",
        "sessionId<hi:=>" + "9" * 200,
        "<script>",
    ],
)
async def test_an_order_without_a_session_is_unknown(stall, pay_url):
    call = replace(stall.call, transport=Says(stall, "CASDirectPayConfirm", payUrl=pay_url))

    assert isinstance(await stall.provider.create(stall.intent(LATTE), call), Unknown)


@pytest.mark.parametrize(
    "pay_url", ["20160408201604080466790130", "<hi:=>x<hi:$$>sessionId <hi:=>2011010199999"]
)
async def test_a_bare_session_and_the_documents_own_sample_are_read(stall, pay_url):
    call = replace(stall.call, transport=Says(stall, "CASDirectPayConfirm", payUrl=pay_url))

    created = await stall.provider.create(stall.intent(LATTE), call)

    assert created.code in {
        wire.CODE_PREFIX + "20160408201604080466790130",
        wire.CODE_PREFIX + "2011010199999",
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "javascript:alert(1)",
        "https://10086.cn.evil.example/",
        "https://x@evil.example",
        "",
    ],
)
async def test_a_page_that_is_not_china_mobiles_is_shown_to_nobody(stall, url):
    pay_url = f"url<hi:=>{url}<hi:$$>method<hi:=>POST<hi:$$>sessionId<hi:=>20160408201604"
    call = replace(stall.call, transport=Says(stall, "WAPDirectPayConfirm", payUrl=pay_url))

    assert isinstance(await stall.provider.create(stall.intent(LATTE, way=Way.LINK), call), Unknown)


async def test_an_unsigned_refusal_settles_nothing_unless_the_operator_says_so(stall):
    trusting = Stall(plugin, overrides={"unsigned_refusals": True, "sign_key": "another key"})
    stranger = Stall(plugin, overrides={"sign_key": "another key"})

    doubted = await stranger.provider.create(stranger.intent(LATTE), stranger.call)
    believed = await trusting.provider.create(trusting.intent(LATTE), trusting.call)

    assert isinstance(doubted, Unknown)
    assert "IPS0008" in doubted.reason
    assert believed == Declined(DeclineReason.MISCONFIGURED, "IPS0008", "签名不符")


async def test_an_unsigned_success_is_never_believed():
    stall = Stall(plugin, overrides={"unsigned_refusals": True})
    stall.faults.arm(Fault.NO_SIGNATURE)

    assert isinstance(await stall.provider.create(stall.intent(LATTE), stall.call), Unknown)
