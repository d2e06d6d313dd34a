"""Four kinds of post, each verified by its own key and answered in its own words."""

import pytest

from providers.bestpay import plugin, wire
from providers.bestpay.seals import Seals
from providers.bestpay.signing import REFUND_NOTICE, Mac, signature_of
from providers.sdk.contract import Way
from providers.sdk.gateway import Fault
from providers.sdk.results import Paid, Rejected, Returned, Verified
from providers.sdk.testing import MemoryKeys
from providers.sdk.transport import HttpRequest
from providers.sdk.wallets import Wallet

PAYMENT = {
    "UPTRANSEQ": "2026070100000001",
    "MERCHANTID": "043101180050000",
    "TRANDATE": "20260701",
    "RETNCODE": "0000",
    "RETNINFO": "0000",
    "ORDERREQTRANSEQ": "Latte20260701A11",
    "ORDERSEQ": "Latte20260701A11",
    "ORDERAMOUNT": "1800",
    "PRODUCTAMOUNT": "1800",
    "ATTACHAMOUNT": "0",
    "CURTYPE": "RMB",
    "ENCODETYPE": "1",
    "ATTACH": "",
}
REFUND = {
    "refundReqNo": "RefundA100",
    "ourTransNo": "2026070100000002",
    "oldOrderNo": "Latte20260701A11",
    "oldOrderReqNo": "Latte20260701A11",
    "merchantCode": "043101180050000",
    "transAmt": "600",
    "transStatus": "B",
}


def posted(body, method="POST"):
    return HttpRequest(method, "/notify/bestpay/main", body=body)


def payment(shop, *, mobile=False, **changes):
    fields = PAYMENT | changes
    sign = Mac(shop.merchant["data_key"]).of_payment(fields, mobile=mobile)
    return posted(wire.encode_form(fields | {"SIGN": sign}))


def refund(shop, **changes):
    fields = REFUND | changes
    return posted(
        wire.encode_form(fields | {"mac": Mac(shop.merchant["data_key"]).of(fields, REFUND_NOTICE)})
    )


def notice(shop, **fields):
    message = {"merchantNo": shop.settings.merchant, **fields}
    key = Seals.kept_in(shop.drawer, shop.random, shop.clock.now()).platform
    return posted(wire.encode_json({**message, "sign": signature_of(message, key, "SHA1")}))


def read(shop, request):
    return shop.provider.read_notification(request, shop.clock.now())


async def test_a_payer_codes_payment_is_told_as_a_query_tells_it(shop):
    foil = await shop.taken()
    seen = await shop.query(foil)

    [post] = shop.courier.take()
    verdict = shop.read(post)

    assert isinstance(verdict, Verified)
    assert (verdict.fact.number, verdict.fact.merchant) == (seen.number, seen.merchant)
    assert (verdict.fact.amount, verdict.fact.state) == (seen.amount, Paid.PAID)
    assert verdict.fact.provider_ref == seen.provider_ref
    assert verdict.event_key == f"pay-{seen.provider_ref}-0000"


async def test_a_payer_codes_payment_is_acknowledged_with_its_serial(shop):
    foil = await shop.taken()
    [post] = shop.courier.take()

    reply = shop.provider.reply(accepted=True, request=post.request)

    assert (reply.status, reply.body) == (200, f"UPTRANSEQ_{foil.answer.provider_ref}".encode())
    assert shop.gateway.acknowledged(reply)
    assert post.retry_after_s == (60, 180, 300, 3600, 7200, 14400, 28800)


async def test_a_payer_codes_refund_is_told_and_acknowledged_with_its_bare_serial(shop):
    foil = await shop.taken()
    shop.courier.take()
    request, _ = await shop.refund(foil, 600)

    [post] = shop.courier.take()
    verdict = shop.read(post)
    reply = shop.provider.reply(accepted=True, request=post.request)

    assert (verdict.fact.number, verdict.fact.attempt_number) == (request.number, foil.intent.number)
    assert (verdict.fact.amount.minor, verdict.fact.state) == (600, Returned.DONE)
    assert reply.body == verdict.fact.provider_ref.encode()
    assert shop.gateway.acknowledged(reply)


async def test_a_codes_payment_and_refund_are_acknowledged_with_a_fixed_text(shop):
    foil = await shop.paid()
    request, _ = await shop.refund(foil, 600)

    paid, returned = shop.courier.take()

    assert shop.read(returned).fact == await shop.query_refund(request)
    for post in (paid, returned):
        reply = shop.provider.reply(accepted=True, request=post.request)
        assert (reply.status, reply.body) == (200, b'{"resultCode":"SUCCESS","resultMsg":"OK"}')
        assert shop.gateway.acknowledged(reply)
        assert post.retry_after_s == (300, 300)


async def test_a_links_payment_is_acknowledged_with_its_two_numbers(shop):
    foil = await shop.paid(Way.LINK)
    [post] = shop.courier.take()

    reply = shop.provider.reply(accepted=True, request=post.request)

    assert wire.decode_json(reply.body) == {
        "success": True,
        "result": {
            "statusCode": "200",
            "outTradeNo": foil.intent.number,
            "tradeNo": foil.answer.provider_ref,
        },
    }
    assert shop.gateway.acknowledged(reply)


@pytest.mark.parametrize("way", [Way.MERCHANT_CODE, Way.LINK])
async def test_what_is_not_accepted_is_repeated(shop, way):
    await shop.paid(way)
    [post] = shop.courier.take()

    reply = shop.provider.reply(accepted=False, request=post.request)

    assert reply.body == b'{"resultCode":"FAILED","resultMsg":"FAILED"}'
    assert not shop.gateway.acknowledged(reply)


async def test_a_form_that_is_not_accepted_is_repeated(shop):
    reply = shop.provider.reply(accepted=False, request=payment(shop))

    assert reply.status == 500
    assert b"2026" not in reply.body
    assert not shop.gateway.acknowledged(reply)


@pytest.mark.parametrize("body", [b"a=1", b"UPTRANSEQ=%0d%0aX", b"UPTRANSEQ=a&UPTRANSEQ=b", b"{", b"\xff"])
def test_nothing_odd_is_put_into_an_acknowledgement(shop, body):
    reply = shop.provider.reply(accepted=True, request=posted(body))

    assert (reply.status, reply.body) == (500, b"fail")


@pytest.mark.parametrize(("mine", "theirs"), [("pc", True), ("mobile", False)])
def test_a_payment_is_signed_under_the_names_of_the_setting(shop_with, mine, theirs):
    shop = shop_with(notification_names=mine)

    pc, mobile = read(shop, payment(shop)), read(shop, payment(shop, mobile=True))

    assert isinstance(pc, Verified) is theirs
    assert isinstance(mobile, Verified) is not theirs


@pytest.mark.parametrize(
    "field", ["UPTRANSEQ", "MERCHANTID", "ORDERSEQ", "ORDERAMOUNT", "RETNCODE", "RETNINFO", "TRANDATE"]
)
def test_every_signed_field_of_a_payment_is_signed(shop, field):
    genuine = wire.decode_form(payment(shop).body)

    for changed in (genuine | {field: "1"}, {k: v for k, v in genuine.items() if k != field}):
        assert isinstance(read(shop, posted(wire.encode_form(changed))), Rejected)


@pytest.mark.parametrize("field", list(REFUND))
def test_every_field_of_a_refund_is_signed(shop, field):
    genuine = wire.decode_form(refund(shop).body)

    for changed in (genuine | {field: "1"}, {k: v for k, v in genuine.items() if k != field}):
        assert isinstance(read(shop, posted(wire.encode_form(changed))), Rejected)


@pytest.mark.parametrize(
    "changes",
    [
        {"ENCODETYPE": "0"},
        {"CURTYPE": "USD"},
        {"RETNCODE": ""},
        {"UPTRANSEQ": ""},
        {"ORDERAMOUNT": "18.00"},
        {"ORDERSEQ": "never-ours"},
        {"RETNINFO": "x&PAYDATE=1"},
    ],
)
def test_an_odd_payment_is_rejected_though_its_sign_fits(shop, changes):
    fields = PAYMENT | changes
    request = payment(shop) if "&" in changes.get("RETNINFO", "") else payment(shop, **changes)
    if "&" in changes.get("RETNINFO", ""):
        genuine = wire.decode_form(request.body)
        request = posted(wire.encode_form(genuine | fields))

    assert isinstance(read(shop, request), Rejected)


def test_a_failed_payment_is_told_as_failed(shop):
    verdict = read(shop, payment(shop, RETNCODE="0007"))

    assert (verdict.fact.state, verdict.fact.code) == (Paid.FAILED, "0007")


def test_a_failed_refund_is_told_as_failed_and_is_another_event(shop):
    failed, done = (read(shop, refund(shop, transStatus=word)) for word in "CB")

    assert (failed.fact.state, done.fact.state) == (Returned.FAILED, Returned.DONE)
    assert failed.event_key != done.event_key


def test_a_payment_of_another_merchant_says_so(shop):
    verdict = read(shop, payment(shop, MERCHANTID="043101180059999"))

    assert verdict.fact.merchant == "043101180059999" != shop.settings.merchant


def test_refunds_of_another_merchant_are_rejected(shop):
    other = notice(
        shop,
        merchantNo="3178999999999999",
        notifyType="REFUND",
        outTradeNo="A1",
        outRefundNo="R1",
        refundAmt="1",
        tradeStatus="SUCCESS",
    )

    assert isinstance(read(shop, refund(shop, merchantCode="043101180059999")), Rejected)
    assert isinstance(read(shop, other), Rejected)


@pytest.mark.parametrize(
    ("word", "state"),
    [("SUCCESS", Paid.PAID), ("FAIL", Paid.FAILED), ("NOTPAY", Paid.UNPAID), ("CLOSE", Paid.CLOSED)],
)
def test_the_state_of_the_trade_counts_and_not_the_notification(shop, word, state):
    verdict = read(
        shop, notice(shop, notifyType="PAY", outTradeNo="A1", tradeNo="T1", totalAmt="1800", tradeStatus=word)
    )

    assert verdict.fact.state is state


@pytest.mark.parametrize(
    ("tool", "wallet"),
    [
        ("BESTPAY", Wallet.BESTPAY),
        ("WECHAT", Wallet.WECHAT),
        ("CTDIGICCY", Wallet.ECNY),
        ("B2C", Wallet.BESTPAY),
    ],
)
def test_the_wallet_that_paid_an_aggregate_code_is_kept(shop, tool, wallet):
    fields = {"outTradeNo": "A1", "tradeNo": "T1", "totalAmt": "1800", "tradeStatus": "SUCCESS"}

    verdict = read(shop, notice(shop, notifyType="PAY", payTool=tool, **fields))

    assert verdict.fact.wallet is wallet


@pytest.mark.parametrize(
    "fields",
    [
        {"notifyType": "PAY", "outTradeNo": "A1", "tradeStatus": "SUCCESS"},
        {"notifyType": "PAY", "outTradeNo": "A1", "totalAmt": "18.00", "tradeStatus": "SUCCESS"},
        {"notifyType": "PAY", "outTradeNo": "A1", "totalAmt": "1800", "tradeStatus": "DONE"},
        {"notifyType": "PAY", "outTradeNo": "A1", "totalAmt": "1800", "tradeStatus": "SUCCESS", "ccy": "840"},
        {"notifyType": "PAY", "totalAmt": "1800", "tradeStatus": "SUCCESS"},
        {"notifyType": "REFUND", "outTradeNo": "A1", "refundAmt": "1", "tradeStatus": "SUCCESS"},
        {"notifyType": "REFUND", "outTradeNo": "A1", "outRefundNo": "R1", "tradeStatus": "SUCCESS"},
    ],
)
def test_an_odd_json_notification_is_rejected_though_its_sign_fits(shop, fields):
    assert isinstance(read(shop, notice(shop, **fields)), Rejected)


def test_a_kind_that_this_house_does_not_use_is_kept_and_ignored(shop):
    verdict = read(shop, notice(shop, notifyType="SIGN", tradeNo="T1"))

    assert isinstance(verdict, Verified)
    assert verdict.fact is None


@pytest.mark.parametrize("fault", [Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.UNKNOWN_KEY])
@pytest.mark.parametrize("way", [Way.MERCHANT_CODE, Way.LINK])
async def test_a_badly_signed_notification_is_rejected(shop, way, fault):
    foil = await shop.open(way)
    shop.faults.arm(fault)
    shop.pay(foil.answer.code or foil.answer.link, Wallet.BESTPAY)

    [verdict] = shop.read_post()

    assert isinstance(verdict, Rejected)


@pytest.mark.parametrize("way", [Way.MERCHANT_CODE, Way.PAYER_CODE])
async def test_a_strangers_twin_is_rejected_and_the_genuine_one_believed(shop, way):
    shop.faults.arm(Fault.NOTIFY_FORGED)
    await (shop.taken() if way is Way.PAYER_CODE else shop.paid(way))

    verdicts = shop.read_post()

    assert [type(verdict) for verdict in verdicts] == [Rejected, Verified]


async def test_a_repeat_has_the_key_of_the_first(shop):
    shop.faults.arm(Fault.NOTIFY_TWICE, 2)
    await shop.paid()
    await shop.taken(number="Latte20260701A3")

    verdicts = shop.read_post()

    assert len(verdicts) == 4
    assert len({verdict.event_key for verdict in verdicts}) == 2


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b"x", b"a=1", b"{" * 9000, b"\x00\xff", b'{"sign":"AAAA"}']
)
def test_noise_is_rejected(shop, body):
    assert isinstance(read(shop, posted(body)), Rejected)


def test_bestpay_notifies_by_post(shop):
    genuine = payment(shop)

    assert isinstance(read(shop, posted(genuine.body, "GET")), Rejected)


def test_an_account_hears_only_the_gateway_that_it_uses(shop):
    codes_only = plugin.build(shop.settings_with(data_key=""), MemoryKeys())
    payer_only = plugin.build(shop.settings_with(sign_key="", platform_cert=""), MemoryKeys())
    paid = notice(shop, notifyType="PAY", outTradeNo="A1", tradeNo="T", totalAmt="1", tradeStatus="SUCCESS")
    now = shop.clock.now()

    assert isinstance(codes_only.read_notification(paid, now), Verified)
    assert isinstance(codes_only.read_notification(payment(shop), now), Rejected)
    assert isinstance(payer_only.read_notification(payment(shop), now), Verified)
    assert isinstance(payer_only.read_notification(paid, now), Rejected)
