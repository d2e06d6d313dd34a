import json

import pytest

from providers.sdk.contract import PayoutRequest
from providers.sdk.gateway import CALL_FAULTS, BillGone
from providers.sdk.money import Money
from providers.sdk.results import Declined, DeclineReason, NotFound, PayoutSnapshot, Returned, Unknown
from providers.sdk.testing import NOTIFY_URL
from providers.sdk.wallets import Wallet

OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
START = 100_000_00


@pytest.fixture
def ask(stall):
    """A payout asked for now."""

    def make(yuan: str = "20.00", **more) -> PayoutRequest:
        fields = {"number": "Payout20260701A1", "amount": Money.cny(yuan), "payee": OPENID, "title": "退押金"}
        fixed = {"created_at": stall.clock.now(), "notify_url": NOTIFY_URL}
        return PayoutRequest(**{**fields, **fixed, **more})

    return make


async def test_a_payout_awaits_its_payee_and_is_done_when_received(stall, ask) -> None:
    sent = await stall.provider.payout(ask(), stall.call)

    assert isinstance(sent, PayoutSnapshot)
    assert (sent.state, sent.amount) == (Returned.AWAITS_PAYEE, Money.cny("20.00"))
    assert sent.confirm["mchId"] == stall.merchant["mchid"]
    assert sent.confirm["appId"] == stall.merchant["appid"]

    stall.gateway.receive(sent.confirm, Wallet.WECHAT)

    [told] = stall.read_post()
    assert told.event == "MCHTRANSFER.BILL.FINISHED"
    assert told.fact.state is Returned.DONE
    assert (await stall.provider.query_payout(ask(), stall.call)).state is Returned.DONE
    assert stall.purses.left[Wallet.WECHAT] == START + 2000
    with pytest.raises(BillGone):
        stall.gateway.receive(sent.confirm, Wallet.WECHAT)


async def test_a_payout_nobody_receives_fails_after_a_day(stall, ask) -> None:
    funds = stall.gateway._ledger.funds
    await stall.provider.payout(ask(), stall.call)
    assert stall.gateway._ledger.funds == funds - 2000

    stall.clock.advance(24 * 3600)

    assert (await stall.provider.query_payout(ask(), stall.call)).state is Returned.FAILED
    assert stall.gateway._ledger.funds == funds


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_a_spoilt_payout_is_unknown_and_happens_once(stall, ask, fault) -> None:
    funds = stall.gateway._ledger.funds
    stall.faults.arm(fault)

    spoilt = await stall.provider.payout(ask(), stall.call)
    healed = await stall.provider.payout(ask(), stall.call)

    assert isinstance(spoilt, Unknown)
    assert healed.state is Returned.AWAITS_PAYEE
    assert stall.gateway._ledger.funds == funds - 2000


async def test_from_two_thousand_yuan_the_payee_is_named_and_the_name_encrypted(stall, ask) -> None:
    unnamed = await stall.provider.payout(ask("2000.00"), stall.call)
    named = await stall.provider.payout(ask("2000.00", payee_name="张三"), stall.call)
    again = await stall.provider.payout(ask("2000.00", payee_name="张三"), stall.call)

    assert isinstance(unnamed, Declined)
    assert unnamed.reason is DeclineReason.LIMIT
    assert named.state is again.state is Returned.AWAITS_PAYEE
    request = stall.transport.requests[-1]
    sealed = json.loads(request.body)["user_name"]
    signer = request.headers.get("Wechatpay-Serial")
    assert "张三" not in request.body.decode()
    assert stall.gateway._institution.read_sensitive(sealed, signer) == "张三"


async def test_the_name_is_encrypted_under_a_certificate_in_certificate_mode(stall_with, ask) -> None:
    stall = stall_with(public_key="", public_key_id="")

    sent = await stall.provider.payout(ask("2000.00", payee_name="张三"), stall.call)

    assert isinstance(sent, PayoutSnapshot)
    [certificate] = stall.gateway._institution.certificates
    assert stall.transport.requests[-1].headers.get("Wechatpay-Serial") == certificate.serial_no


async def test_more_than_the_merchant_has_is_a_matter_of_balance(stall, ask) -> None:
    refused = await stall.provider.payout(ask("90000.00", payee_name="张三"), stall.call)

    assert isinstance(refused, Declined)
    assert refused.reason is DeclineReason.BALANCE


async def test_without_a_scene_nothing_is_sent(stall_with, ask) -> None:
    stall = stall_with(transfer_scene_id="")

    declined = await stall.provider.payout(ask(), stall.call)

    assert declined.reason is DeclineReason.MISCONFIGURED
    assert stall.transport.requests == []


async def test_a_payout_nobody_knows_is_not_found(stall, ask) -> None:
    assert await stall.provider.query_payout(ask(), stall.call) == NotFound("NOT_FOUND")
