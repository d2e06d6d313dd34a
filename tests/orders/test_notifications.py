"""What comes in at the door for institutions: believed only when verified, acknowledged only when stored."""

import asyncio
import json
from dataclasses import replace

import pytest
from plainpay import signing
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bot.orders.audit import Cause, CauseKind
from bot.orders.checkout import OrphanError
from bot.orders.order import AttemptState, OrderState
from bot.orders.rows import trail
from bot.orders.schema import InboxState, inbox
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Paid, PayoutSnapshot, Returned, Snapshot, Verified
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

CAUSE = Cause(CauseKind.OPERATOR, "test")


async def notices(shop):
    rows = await shop.book.read(lambda one: one.execute(select(inbox.c.state, inbox.c.note)))
    return [row.state for row in rows]


async def events(shop, order):
    entries = await shop.book.read(lambda one: trail(one, order.id))
    return [(entry.event, entry.note) for entry in entries]


async def paid_plainly(shop):
    opened = await shop.opened_order(Wallet.BANK)
    assert opened.attempt.provider == "plainpay"
    shop.pay(opened)
    [notification] = shop.post("plainpay")
    return opened, notification


def changed(shop, notification, *, key=None, **fields):
    """The notification with other fields, signed with the merchant's key, or with somebody else's."""
    body = json.dumps({**json.loads(notification.request.body), **fields}).encode()
    settings = shop.stalls["plainpay"].settings
    key = key or settings.key.get_secret_value().encode()
    path = notification.request.path
    headers = Headers.of({signing.HEADER: signing.sign(key, path, body)})
    return HttpRequest("POST", notification.request.url, headers, body)


@pytest.mark.fault("A2", "A3")
async def test_among_sixteen_copies_strangers_and_stragglers_one_payment_is_told(shop):
    opened, genuine = await paid_plainly(shop)
    stale = changed(shop, genuine, sent_at="2026-07-01T03:54:00+00:00", event="stale")
    forged = changed(shop, genuine, key=b"a stranger's key")
    one_fen_less = changed(shop, genuine, key=b"a stranger's key", amount=1799)

    requests = [genuine.request] * 16 + [forged, one_fen_less, stale]
    replies = await asyncio.gather(*(shop.checkout.receive("plainpay", "main", one) for one in requests))
    await shop.worker.drain()

    assert [reply.status for reply in replies] == [204] * 16 + [500] * 3
    assert (await shop.look(opened.order)).state is OrderState.PAID
    assert shop.teller.results == ["paid"]
    assert shop.watch.counts.count("notification_rejected") == 3
    assert await notices(shop) == [InboxState.DONE]


@pytest.mark.fault("A16")
async def test_a_verified_amount_that_is_one_fen_off_pays_nothing_and_calls_a_person(shop):
    opened, genuine = await paid_plainly(shop)

    reply = await shop.checkout.receive("plainpay", "main", changed(shop, genuine, amount=1799))
    await shop.worker.drain()

    order = await shop.look(opened.order)
    assert reply.status == 204
    assert order.state is OrderState.NEEDS_REVIEW
    assert order.attempts[0].state is AttemptState.OPENED
    assert shop.teller.results == ["pending"]
    assert "¥17.99" in shop.watch.alerts[0]


async def test_the_right_amount_after_a_wrong_one_pays(shop):
    opened, genuine = await paid_plainly(shop)
    await shop.checkout.receive("plainpay", "main", changed(shop, genuine, amount=1799, event="wrong"))
    await shop.worker.drain()

    await shop.receive("plainpay", genuine)
    await shop.worker.drain()

    assert (await shop.look(opened.order)).state is OrderState.PAID
    assert shop.teller.results == ["pending", "paid"]


@pytest.mark.fault("A17", "A18")
@pytest.mark.parametrize("change", [{"merchant": "M2002"}, {"amount": Money(1800, "HKD")}])
async def test_another_merchant_or_currency_is_a_doubt(shop, change):
    opened = await shop.opened_order(Wallet.BANK)
    fact = Snapshot(
        number=opened.attempt.number,
        merchant=shop.account("plainpay").merchant,
        amount=opened.order.amount,
        state=Paid.PAID,
    )

    await shop.checkout.apply(replace(fact, **change), CAUSE, provider_id="plainpay", account="main")

    assert (await shop.look(opened.order)).state is OrderState.NEEDS_REVIEW


@pytest.mark.fault("A3")
async def test_the_same_payment_under_another_event_is_told_once(shop):
    opened, genuine = await paid_plainly(shop)

    await shop.receive("plainpay", genuine)
    await shop.checkout.receive("plainpay", "main", changed(shop, genuine, event="again"))
    await shop.worker.drain()

    assert shop.teller.results == ["paid"]
    assert await notices(shop) == [InboxState.DONE, InboxState.DONE]
    notes = [note for _, note in await events(shop, opened.order)]
    assert sum(note.startswith("No change") for note in notes) == 1


@pytest.mark.fault("A5", "B12")
@pytest.mark.parametrize("word", [Paid.CLOSED, Paid.FAILED, Paid.UNPAID])
async def test_a_later_word_of_the_opposite_takes_nothing_back(shop, word):
    order = await shop.paid_order(Wallet.BANK)
    [attempt] = order.attempts
    fact = Snapshot(
        number=attempt.number,
        merchant=shop.account("plainpay").merchant,
        amount=order.amount,
        state=word,
    )

    await shop.checkout.apply(fact, CAUSE, provider_id="plainpay", account="main")
    await shop.worker.drain()

    assert (await shop.look(order)).state is OrderState.PAID
    assert bool(shop.watch.alerts) is (word is not Paid.UNPAID)
    assert shop.teller.results == ["paid"]


@pytest.mark.fault("A7", "A8")
async def test_a_word_about_an_unknown_number_is_kept_acknowledged_and_reported(shop):
    _, genuine = await paid_plainly(shop)

    reply = await shop.checkout.receive("plainpay", "main", changed(shop, genuine, number="Nobody123"))
    await shop.worker.drain()

    assert reply.status == 204
    assert await notices(shop) == [InboxState.ORPHAN]
    assert "Nobody123" in shop.watch.alerts[0]


@pytest.mark.fault("A18")
async def test_another_accounts_number_is_not_touched(shop):
    opened = await shop.opened_order(Wallet.QUICKPASS)
    fact = Snapshot(
        number=opened.attempt.number,
        merchant=shop.account("plainpay").merchant,
        amount=opened.order.amount,
        state=Paid.PAID,
    )

    with pytest.raises(OrphanError, match="another account"):
        await shop.checkout.apply(fact, CAUSE, provider_id="plainpay", account="main")

    assert await shop.look(opened.order) == opened.order


async def test_a_payout_is_an_orphan(shop):
    fact = PayoutSnapshot(number="P1", amount=Money.cny("1"), state=Returned.DONE)

    with pytest.raises(OrphanError, match="not in the book"):
        await shop.checkout.apply(fact, CAUSE, provider_id="plainpay", account="main")


async def test_an_event_without_a_fact_is_kept_and_ignored(shop, monkeypatch):
    provider = shop.stalls["plainpay"].provider
    verified = Verified(event_key="hello", fact=None, event="hello")
    monkeypatch.setattr(type(provider), "read_notification", lambda *_: verified)

    reply = await shop.checkout.receive("plainpay", "main", HttpRequest("POST", "/notify"))
    await shop.worker.drain()

    assert reply.status == 204
    assert await notices(shop) == [InboxState.IGNORED]


@pytest.mark.fault("A12")
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"{}", b'{"number":', b"null", b"\x00" * 100])
async def test_junk_is_refused_and_stored_nowhere(shop, body):
    reply = await shop.checkout.receive("plainpay", "main", HttpRequest("POST", "/notify", body=body))

    assert reply.status == 500
    assert await notices(shop) == []
    assert shop.watch.counts == ["notification_rejected"]


@pytest.mark.fault("A25", "B16")
async def test_a_plugin_that_trips_has_verified_nothing(shop, monkeypatch):
    def trip(*_):
        raise KeyError("resource")

    monkeypatch.setattr(type(shop.stalls["plainpay"].provider), "read_notification", trip)

    reply = await shop.checkout.receive("plainpay", "main", HttpRequest("POST", "/notify"))

    assert reply.status == 500
    assert await notices(shop) == []


async def test_an_unknown_address_is_not_found(shop):
    assert await shop.checkout.receive("nobody", "main", HttpRequest("POST", "/")) == HttpReply(404)
    assert await shop.checkout.receive("plainpay", "other", HttpRequest("POST", "/")) == HttpReply(404)


@pytest.mark.fault("A26", "F7")
async def test_what_cannot_be_stored_is_not_acknowledged(shop, monkeypatch):
    opened, genuine = await paid_plainly(shop)

    async def locked(_work):
        raise OperationalError("INSERT", {}, OSError("No space left on device"))

    with monkeypatch.context() as patch:
        patch.setattr(shop.book, "write", locked)
        reply = await shop.receive("plainpay", genuine)
    assert reply.status == 503

    await shop.receive("plainpay", genuine)
    await shop.worker.drain()
    assert (await shop.look(opened.order)).state is OrderState.PAID


@pytest.mark.fault("A12")
async def test_a_forged_notification_starts_no_query(shop):
    opened = await shop.opened_order(Wallet.BANK)
    shop.stalls["plainpay"].faults.arm(Fault.NOTIFY_FORGED)
    shop.pay(opened)
    forged, _ = shop.post("plainpay")
    before = len(shop.stalls["plainpay"].transport.requests)

    await shop.receive("plainpay", forged)
    await shop.worker.drain()

    assert len(shop.stalls["plainpay"].transport.requests) == before
    assert (await shop.look(opened.order)).state is OrderState.PENDING


@pytest.mark.fault("A28")
async def test_a_lost_notification_is_made_up_for_by_a_query(shop):
    opened = await shop.opened_order(Wallet.BANK)
    shop.stalls["plainpay"].faults.arm(Fault.NOTIFY_LOST)
    shop.pay(opened)

    await shop.pass_time(60, step=5)

    assert (await shop.look(opened.order)).state is OrderState.PAID
    assert shop.teller.results == ["paid"]


@pytest.mark.fault("C7")
async def test_query_and_notification_together_make_one_payment(shop):
    opened, genuine = await paid_plainly(shop)
    shop.clock.advance(5)

    await asyncio.gather(
        shop.worker.sweep(),
        shop.receive("plainpay", genuine),
        shop.worker.process_inbox(),
        shop.worker.sweep(),
    )
    await shop.worker.drain()

    assert (await shop.look(opened.order)).state is OrderState.PAID
    assert shop.teller.results == ["paid"]


@pytest.mark.fault("M8")
async def test_the_payers_id_is_kept_to_its_last_four_characters(shop, monkeypatch):
    shop.hearsay = True
    opened = await shop.opened_order(Wallet.BANK)
    fact = Snapshot(
        number=opened.attempt.number,
        merchant=shop.account("plainpay").merchant,
        amount=opened.order.amount,
        state=Paid.PAID,
        payer="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
    )
    provider = shop.stalls["plainpay"].provider
    verified = Verified(event_key="paid", fact=fact)
    monkeypatch.setattr(type(provider), "read_notification", lambda *_: verified)

    await shop.checkout.receive("plainpay", "main", HttpRequest("POST", "/notify"))
    await shop.worker.drain()

    stored = await shop.book.read(lambda one: one.scalar(select(inbox.c.fact)))
    assert "oUpF8" not in stored
    assert (await shop.look(opened.order)).attempts[0].payer == "eS6o"


async def test_a_notice_that_cannot_be_applied_is_tried_again_then_given_to_a_person(shop, monkeypatch):
    opened, genuine = await paid_plainly(shop)
    await shop.receive("plainpay", genuine)

    async def trip(*_):
        raise RuntimeError("a bug of ours")

    with monkeypatch.context() as patch:
        patch.setattr(shop.checkout.intake, "work_off", trip)
        await shop.worker.process_inbox()
        assert await shop.worker.process_inbox() == 0
    shop.clock.advance(1)
    await shop.worker.drain()

    assert (await shop.look(opened.order)).state is OrderState.PAID


@pytest.mark.fault("A27")
async def test_a_notification_is_acknowledged_however_slow_the_worker_is(shop, monkeypatch):
    async def stuck(_notice):
        await asyncio.sleep(3600)

    monkeypatch.setattr(shop.checkout.intake, "work_off", stuck)
    working = asyncio.create_task(shop.worker.run())
    opened = await shop.opened_order(Wallet.BANK)
    shop.pay(opened)
    [notification] = shop.post("plainpay")

    async with asyncio.timeout(5):
        replies = [await shop.receive("plainpay", notification) for _ in range(3)]
        await asyncio.sleep(0)

    working.cancel()
    assert [reply.status // 100 for reply in replies] == [2] * 3
    assert await notices(shop) == [InboxState.NEW]


@pytest.mark.fault("N10")
async def test_among_a_thousand_forgeries_the_genuine_ones_are_stored(shop):
    genuine = []
    for number in range(5):
        opened = await shop.open(await shop.place(f"cart-{number}"), Wallet.BANK)
        shop.pay(opened)
        genuine += shop.post("plainpay")
    forged = [replace(one.request, body=one.request.body + b" ") for one in genuine] * 200
    calls = len(shop.stalls["plainpay"].transport.requests)

    async with asyncio.timeout(30):
        answers = await asyncio.gather(
            *(shop.checkout.receive("plainpay", "main", request) for request in forged),
            *(shop.receive("plainpay", one) for one in genuine),
        )

    assert [answer.status // 100 for answer in answers[-5:]] == [2] * 5
    assert all(answer.status >= 400 for answer in answers[:-5])
    assert await notices(shop) == [InboxState.NEW] * 5
    assert len(shop.stalls["plainpay"].transport.requests) == calls
