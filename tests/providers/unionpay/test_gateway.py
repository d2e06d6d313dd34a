"""The simulated ACP refuses what ACP refuses, in signed answers of its own wire."""

import pytest

from providers.sdk.money import Money
from providers.sdk.results import Created, Declined, DeclineReason
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpRequest
from providers.sdk.wallets import Wallet
from providers.unionpay import plugin, wire

LATTE = Money.cny("18.00")
BACK = "/gateway/api/backTransReq.do"


def application(stall, **more):
    fields = {
        "version": "5.1.0",
        "encoding": "UTF-8",
        "txnType": "01",
        "txnSubType": "07",
        "bizType": "000000",
        "channelType": "08",
        "accessType": "0",
        "merId": stall.merchant["mer_id"],
        "orderId": "Latte20260701A1",
        "txnTime": "20260701120000",
        "txnAmt": "1800",
        "currencyCode": "156",
        "backUrl": "https://shop.example/notify",
    }
    return {**fields, **more}


async def answer_to(stall, fields, *, path=BACK, sign=True, method="POST"):
    sent = stall.settings.signer().sign(fields) if sign else fields
    reply = await stall.gateway.handle(HttpRequest(method, path, body=wire.encode_form(sent)))
    assert reply.status == 200
    answer = wire.decode_reply(reply.body)
    stall.settings.trust().check(answer, stall.clock.now())
    return answer


async def test_a_good_application_is_accepted_and_echoed(stall):
    answer = await answer_to(stall, application(stall, reqReserved="note"))

    assert (answer["respCode"], answer["respMsg"]) == ("00", "成功")
    assert answer["reqReserved"] == "note"
    assert answer["signPubKeyCert"].count("\r\n") == answer["signPubKeyCert"].count("\n") > 10
    assert answer["signPubKeyCert"].endswith("-----END CERTIFICATE-----")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"version": "5.0.0"}, "10"),
        ({"encoding": "GBK"}, "10"),
        ({"merId": "777290058110097"}, "31"),
        ({"txnTime": "2026-07-01"}, "10"),
        ({"orderId": "short"}, "10"),
        ({"orderId": "with-a-dash"}, "10"),
        ({"txnAmt": "18.00"}, "10"),
        ({"txnAmt": "0"}, "10"),
        ({"txnAmt": "018"}, "10"),
        ({"currencyCode": "840"}, "10"),
        ({"backUrl": ""}, "13"),
        ({"txnType": "88"}, "32"),
    ],
)
async def test_a_wrong_field_is_refused_by_its_code(stall, change, code):
    assert (await answer_to(stall, application(stall, **change)))["respCode"] == code


@pytest.mark.parametrize(
    "spoil",
    [{"signature": "AAAA"}, {"signature": ""}, {"txnAmt": "1"}, {"certId": "1"}, {"signMethod": "11"}],
)
async def test_a_merchants_signature_is_really_verified(stall, spoil):
    signed = stall.settings.signer().sign(application(stall))

    assert (await answer_to(stall, signed | spoil, sign=False))["respCode"] == "11"


async def test_another_merchants_key_is_refused(stall):
    other = Stall(plugin, start=stall.clock.now().replace(month=8))
    stranger = stall.settings_with(
        sign_key=other.merchant["sign_key"], cert_id=stall.settings.signer().cert_id
    )
    provider = plugin.build(stranger, stall.keys)

    answer = await provider.create(stall.intent(LATTE), stall.call)

    assert isinstance(answer, Declined)
    assert (answer.reason, answer.code) == (DeclineReason.MISCONFIGURED, "11")


async def test_a_wrong_path_or_method_is_refused(stall):
    wrong = await answer_to(stall, application(stall), path="/gateway/api/queryTrans.do")
    got = await answer_to(stall, application(stall), method="GET")

    assert wrong["respCode"] == got["respCode"] == "32"


async def test_what_is_no_form_is_refused(stall):
    reply = await stall.gateway.handle(HttpRequest("POST", BACK, body=b"a=1&a=2"))

    assert wire.decode_reply(reply.body)["respCode"] == "10"


async def test_a_path_prefix_does_not_matter(stall):
    answer = await answer_to(stall, application(stall), path=f"/institutions/unionpay{BACK}")

    assert answer["respCode"] == "00"


async def test_a_reversal_of_something_unknown_is_refused(stall):
    asked = application(stall, txnType="99", txnSubType="01")

    assert (await answer_to(stall, asked))["respCode"] == "34"


async def test_a_paid_code_cannot_be_reversed(stall):
    intent = stall.intent(LATTE)
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created)
    stall.pay(created.code, Wallet.BANK)
    asked = application(stall, txnType="99", txnSubType="01")

    assert (await answer_to(stall, asked))["respCode"] == "35"
    assert len(stall.purses.moves) == 1


async def test_the_same_keys_are_used_after_a_restart(stall):
    before = dict(stall.gateway.merchant("https://institution.test"))
    stall.restart_gateway()

    assert dict(stall.gateway.merchant("https://institution.test")) == before
