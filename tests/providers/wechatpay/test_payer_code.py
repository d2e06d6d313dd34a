import pytest

from providers.sdk.contract import Way
from providers.sdk.gateway import CALL_FAULTS, Fault
from providers.sdk.money import Money
from providers.sdk.results import AlreadyPaid, Closed, Declined, DeclineReason, Paid, Snapshot, Unknown
from providers.sdk.wallets import Wallet

PRICE = Money.cny("18.00")
CODE = "134567890123456789"
START = 100_000_00


@pytest.fixture
def shown(stall):
    """A payer shows a code; the attempt that scans it."""
    stall.purses.show(CODE, Wallet.WECHAT)
    return stall.intent(PRICE, way=Way.PAYER_CODE, payer_code=CODE)


async def test_a_payment_code_is_charged_at_once(stall, shown) -> None:
    paid = await stall.provider.create(shown, stall.call)

    assert isinstance(paid, Snapshot)
    assert (paid.state, paid.amount, paid.number) == (Paid.PAID, PRICE, shown.number)
    assert stall.purses.left[Wallet.WECHAT] == START - 1800
    assert stall.courier.sent == []


@pytest.mark.parametrize(
    "code", ["", "13456789012345678", "1345678901234567890", "164567890123456789", "62" + "1" * 17]
)
async def test_what_is_no_wechat_code_is_declined_unsent(stall, code) -> None:
    declined = await stall.provider.create(
        stall.intent(PRICE, way=Way.PAYER_CODE, payer_code=code), stall.call
    )

    assert declined.reason is DeclineReason.PAYER
    assert stall.transport.requests == []


async def test_a_code_nobody_shows_is_the_payers_to_renew(stall) -> None:
    declined = await stall.provider.create(
        stall.intent(PRICE, way=Way.PAYER_CODE, payer_code=CODE), stall.call
    )

    assert (declined.reason, declined.code) == (DeclineReason.PAYER, "AUTH_CODE_INVALID")


async def test_a_code_works_once(stall, shown) -> None:
    await stall.provider.create(shown, stall.call)

    again = await stall.provider.create(
        stall.intent(PRICE, "Latte20260701A2", way=Way.PAYER_CODE, payer_code=CODE), stall.call
    )

    assert again.reason is DeclineReason.PAYER
    assert stall.purses.left[Wallet.WECHAT] == START - 1800


async def test_the_same_charge_again_takes_the_money_once(stall, shown) -> None:
    first = await stall.provider.create(shown, stall.call)
    second = await stall.provider.create(shown, stall.call)

    assert first == second
    assert len(stall.purses.moves) == 1


@pytest.mark.parametrize("fault", [*CALL_FAULTS, Fault.BAD_SIGNATURE, Fault.NO_SIGNATURE, Fault.PROBE])
async def test_a_spoilt_charge_is_unknown_and_is_never_taken_twice(stall, shown, fault) -> None:
    stall.faults.arm(fault)

    spoilt = await stall.provider.create(shown, stall.call)
    healed = await stall.provider.create(shown, stall.call)

    assert isinstance(spoilt, Unknown)
    assert healed.state is Paid.PAID
    assert stall.purses.left[Wallet.WECHAT] == START - 1800


async def test_an_unsigned_401_never_declines_a_charge(stall_with) -> None:
    stall = stall_with(serial_no="00AA")
    intent = stall.intent(PRICE, way=Way.PAYER_CODE, payer_code=CODE)

    assert isinstance(await stall.provider.create(intent, stall.call), Unknown)


async def test_a_payer_entering_a_password_is_paying_then_paid(stall, shown) -> None:
    stall.faults.arm(Fault.USER_PAYING)

    asked = await stall.provider.create(shown, stall.call)
    still = await stall.provider.query(stall.ref(shown), stall.call)
    then = await stall.provider.query(stall.ref(shown), stall.call)

    assert [asked.state, still.state, then.state] == [Paid.PAYING, Paid.PAYING, Paid.PAID]
    assert asked.merchant == stall.merchant["mchid"]
    assert stall.purses.left[Wallet.WECHAT] == START - 1800


async def test_a_refusing_wallet_is_declined_and_the_order_failed(stall, shown) -> None:
    stall.faults.arm(Fault.DECLINED)

    declined = await stall.provider.create(shown, stall.call)

    assert isinstance(declined, Declined)
    assert declined.reason is DeclineReason.PAYER
    assert (await stall.provider.query(stall.ref(shown), stall.call)).state is Paid.FAILED
    assert stall.purses.moves == []


async def test_a_wallet_without_the_money_is_declined(stall, shown) -> None:
    stall.purses.left[Wallet.WECHAT] = 1

    declined = await stall.provider.create(shown, stall.call)

    assert declined.reason is DeclineReason.PAYER


async def test_a_paid_charge_is_not_reversed(stall, shown) -> None:
    await stall.provider.create(shown, stall.call)
    stall.clock.advance(60)

    assert await stall.provider.close(stall.ref(shown), stall.call) == AlreadyPaid(code="SUCCESS")
    assert stall.purses.left[Wallet.WECHAT] == START - 1800


async def test_a_charge_that_waits_is_reversed_after_fifteen_seconds(stall, shown) -> None:
    stall.faults.arm(Fault.USER_PAYING)
    await stall.provider.create(shown, stall.call)

    early = await stall.provider.close(stall.ref(shown), stall.call)
    assert isinstance(early, Unknown)

    record = stall.gateway._ledger.trade(shown.number)
    record.asked = 0  # still entering the password
    stall.gateway._ledger.save(record)
    stall.clock.advance(15)
    late = await stall.provider.close(stall.ref(shown), stall.call)

    assert late == Closed(code="REVOKED")
    assert stall.purses.moves == []
    assert (await stall.provider.query(stall.ref(shown), stall.call)).state is Paid.CLOSED
    assert await stall.provider.close(stall.ref(shown), stall.call) == Closed(code="REVOKED")


async def test_a_payment_that_slips_in_before_the_reversal_goes_back(stall, shown) -> None:
    stall.faults.arm(Fault.USER_PAYING)
    await stall.provider.create(shown, stall.call)
    stall.clock.advance(15)
    desk, ledger = stall.gateway._desk, stall.gateway._ledger

    class Slipping:
        async def send(self, request):
            if request.url.endswith("/reverse"):
                trade = ledger.trade(shown.number)
                desk._take(trade)
                ledger.save(trade)
            return await stall.transport.send(request)

    call = type(stall.call)(Slipping(), stall.clock, stall.random)

    assert await stall.provider.close(stall.ref(shown), call) == Closed(code="REVOKED")
    assert [minor for _, minor, _ in stall.purses.moves] == [-1800, 1800]


async def test_a_charge_that_never_arrived_stays_unknown_when_reversed(stall, shown) -> None:
    stall.clock.advance(15)

    assert isinstance(await stall.provider.close(stall.ref(shown), stall.call), Unknown)


async def test_the_payer_code_is_kept_nowhere(stall, shown) -> None:
    await stall.provider.create(shown, stall.call)

    assert CODE not in "".join(stall.drawer.texts.values())
    assert CODE not in repr(shown)
    assert CODE not in repr(stall.transport.requests)
