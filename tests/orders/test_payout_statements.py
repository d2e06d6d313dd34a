"""Lines of kind payout in an institution's statement, against our book."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import pytest

from bot.orders.abandoned import abandoned
from bot.orders.order import PayoutState
from providers.alipay import plugin as alipay
from providers.sdk.contract import Call
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import StatementKind, StatementLine
from providers.wechatpay import plugin as wechatpay
from tests.orders.payouts import ALIPAY, WECHAT, claimed, offered
from tests.orders.shop import Shop

DAY = date(2026, 7, 1)
OVERNIGHT_S = 86400


class ListsPayouts:
    """Alipay, but for a statement that the test writes."""

    def __init__(self, provider: object, lines: list[StatementLine]) -> None:
        self._provider, self._lines = provider, lines

    def __getattr__(self, name: str) -> object:
        return getattr(self._provider, name)

    async def statement(self, day: date, call: Call) -> AsyncIterator[StatementLine]:
        for line in self._lines:
            yield line


@pytest.fixture(name="shop")
async def _shop(shop: Shop) -> Shop:
    shop.also(alipay)
    shop.also(wechatpay)
    return shop


def listed(shop: Shop, *lines: StatementLine) -> None:
    stall = shop.stalls["alipay"]
    shop.infos["alipay"] = replace(stall.plugin.info, has_statement=True, statement_has_payouts=True)
    stall.provider = ListsPayouts(stall.provider, list(lines))
    shop.open_door()


def line(number: str, minor: int = 1800) -> StatementLine:
    return StatementLine(
        line_key=f"out-{number}",
        kind=StatementKind.PAYOUT,
        number=number,
        attempt_number="",
        amount=Money(minor, "CNY"),
        fee=None,
        provider_ref="",
        at=None,
    )


async def differences(shop: Shop) -> list[tuple[str, str]]:
    shop.clock.advance(OVERNIGHT_S)
    [day] = [one for one in await shop.checkout.reconcile(DAY) if one.provider == "alipay"]
    assert day.problem == ""
    return [(one.what, one.number) for one in day.differences]


async def test_a_payout_that_the_statement_lists_is_matched(shop):
    payout = await claimed(shop)
    listed(shop, line(payout.number))

    assert await differences(shop) == []


async def test_a_payout_of_ours_without_a_line_is_missing(shop):
    payout = await claimed(shop)
    listed(shop)

    assert await differences(shop) == [("missing", payout.number)]


async def test_where_the_book_is_behind_the_institution_is_asked(shop):
    _, payout = await offered(shop)
    shop.stalls["alipay"].faults.arm(Fault.TIMEOUT_AFTER)
    await shop.checkout.claim_payout(payout.claim_token, ALIPAY)
    listed(shop, line(payout.number))

    assert await differences(shop) == [("healed", payout.number)]

    order = await shop.checkout.find(payout.order_id)
    assert order.payouts[0].state is PayoutState.DONE


async def test_another_amount_is_a_difference(shop):
    payout = await claimed(shop)
    listed(shop, line(payout.number, 1799))

    assert await differences(shop) == [("amount", payout.number)]


async def test_money_that_left_and_nothing_of_ours_explains_hangs_in_suspense(shop):
    await claimed(shop)
    listed(shop, line("STRANGER0000001"))

    found = await differences(shop)

    assert ("unknown", "STRANGER0000001") in found
    assert await shop.checkout.reconciling.suspense() == {"CNY": -1800}


async def test_an_institution_that_lists_no_payouts_is_not_missed(shop):
    await claimed(shop)
    listed(shop)
    shop.infos["alipay"] = replace(shop.infos["alipay"], statement_has_payouts=False)
    shop.open_door()

    assert await differences(shop) == []


async def test_no_account_leaves_while_a_payout_is_on_its_way(shop):
    await claimed(shop, WECHAT)
    left = [account for account in shop.accounts() if account.provider_id != "wechatpay"]

    assert await abandoned(shop.book, left) == ("wechatpay/main: 1 open",)
    assert await abandoned(shop.book, shop.accounts()) == ()
