import json
from datetime import timedelta

import pytest

from providers.sdk.contract import Way
from providers.sdk.gateway import BillGone
from providers.sdk.money import Money
from providers.sdk.results import Created, Declined, DeclineReason, Paid
from providers.sdk.wallets import Wallet
from providers.wechatpay import signing

PRICE = Money.cny("18.00")
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


@pytest.fixture
async def prepaid(stall):
    """A JSAPI order and the parameters of its page."""
    intent = stall.intent(PRICE, way=Way.IN_APP, payer_id=OPENID)
    created = await stall.provider.create(intent, stall.call)
    assert isinstance(created, Created)
    return intent, created


async def test_the_page_gets_parameters_that_the_merchants_key_signed(stall, prepaid) -> None:
    _, created = prepaid
    given = created.in_app

    lines = [given["appId"], given["timeStamp"], given["nonceStr"], given["package"]]
    key = signing.private_key(stall.merchant["private_key"].encode(), "private_key").public_key()

    signing.verify(key, ("\n".join(lines) + "\n").encode(), given["paySign"])
    assert sorted(given) == ["appId", "nonceStr", "package", "paySign", "signType", "timeStamp"]
    assert given["signType"] == "RSA"
    assert given["package"].startswith("prepay_id=wx")
    assert given["timeStamp"] == str(int(stall.clock.now().timestamp()))
    assert created.code is None
    assert created.usable_until == stall.clock.now() + timedelta(minutes=30)


async def test_the_order_carries_the_payer(stall, prepaid) -> None:
    [request] = stall.transport.requests

    assert request.path == "/v3/pay/transactions/jsapi"
    assert json.loads(request.body)["payer"] == {"openid": OPENID}


async def test_the_payer_pays_in_the_wallet(stall, prepaid) -> None:
    intent, created = prepaid

    bill = stall.pay(json.dumps(dict(created.in_app)), Wallet.WECHAT)

    assert bill.amount == PRICE
    [told] = stall.read_post()
    assert (told.fact.state, told.fact.payer) == (Paid.PAID, OPENID)
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.PAID


@pytest.mark.parametrize("name", ["appId", "timeStamp", "nonceStr", "paySign"])
async def test_a_page_that_was_tampered_with_shows_no_bill(stall, prepaid, name) -> None:
    _, created = prepaid
    changed = {**created.in_app, name: "1" + created.in_app[name]}

    with pytest.raises(BillGone, match="signature"):
        stall.gateway.recognise(json.dumps(changed))


async def test_without_an_openid_nothing_is_sent(stall) -> None:
    declined = await stall.provider.create(stall.intent(PRICE, way=Way.IN_APP), stall.call)

    assert isinstance(declined, Declined)
    assert declined.reason is DeclineReason.MISCONFIGURED
    assert stall.transport.requests == []
