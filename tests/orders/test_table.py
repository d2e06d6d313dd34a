"""THE TABLE, walked cell by cell and at random."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.orders.order import (
    ATTEMPT_HAS_MONEY,
    ATTEMPT_IS_OPEN,
    MONEY_IS_HERE,
    PAYOUT_IS_CLAIMED,
    PAYOUT_IS_OPEN,
    REFUND_IS_OPEN,
    AttemptState,
    OrderState,
    PayoutState,
    RefundState,
)
from bot.orders.table import (
    ATTEMPT,
    ORDER,
    PAYOUT,
    REFUND,
    AttemptEvent,
    Effect,
    OrderEvent,
    PayoutEvent,
    RefundEvent,
    attempt_step,
    order_step,
    payout_step,
    refund_step,
)

UNFINISHED = {OrderState.CREATED, OrderState.PENDING}
ENDED = {OrderState.EXPIRED, OrderState.CANCELLED, OrderState.FAILED}
RANK = {
    **dict.fromkeys(UNFINISHED, 0),
    **dict.fromkeys(ENDED, 1),
    OrderState.NEEDS_REVIEW: 2,
    OrderState.PAID: 3,
    OrderState.PAID_LATE: 3,
    OrderState.PARTLY_REFUNDED: 4,
    OrderState.REFUNDED: 5,
}


def test_paid_beats_every_state_without_money():
    for state in set(OrderState) - MONEY_IS_HERE:
        step = order_step(state, OrderEvent.PAID)

        assert step.state is (OrderState.PAID_LATE if state in ENDED else OrderState.PAID)
        assert {Effect.TELL_PAID, Effect.TELL_PAID_LATE} & set(step.effects)


def test_no_single_event_takes_money_away():
    for state, event in product(MONEY_IS_HERE, OrderEvent):
        assert order_step(state, event).state in MONEY_IS_HERE


def test_no_event_lowers_an_order_except_a_persons_decision_in_review():
    for state, event in product(OrderState, OrderEvent):
        if (state, event) != (OrderState.NEEDS_REVIEW, OrderEvent.FAILED):
            assert RANK[order_step(state, event).state] >= RANK[state], (state, event)


@given(st.lists(st.sampled_from(OrderEvent), max_size=30))
def test_once_paid_always_paid(events):
    state, was_paid = OrderState.CREATED, False
    for event in events:
        state = order_step(state, event).state
        was_paid = was_paid or state in MONEY_IS_HERE
        assert (state in MONEY_IS_HERE) == was_paid


@given(st.lists(st.sampled_from(OrderEvent), max_size=30))
def test_paid_is_told_once_at_most(events):
    state, told = OrderState.CREATED, 0
    for event in events:
        step = order_step(state, event)
        state = step.state
        told += sum(effect in {Effect.TELL_PAID, Effect.TELL_PAID_LATE} for effect in step.effects)
    assert told <= 1


@pytest.mark.fault("E4")
def test_there_is_no_event_that_a_clock_could_raise():
    assert not [
        event for event in (*OrderEvent, *AttemptEvent, *RefundEvent, *PayoutEvent) if "time" in event
    ]


def test_an_unlisted_pair_changes_nothing_and_says_so():
    for state, event in product(OrderState, OrderEvent):
        if (state, event) not in ORDER:
            assert order_step(state, event) == type(order_step(state, event))(state, (), listed=False)
    for state, event in product(AttemptState, AttemptEvent):
        if (state, event) not in ATTEMPT:
            step = attempt_step(state, event)
            assert (step.state, step.effects, step.listed) == (state, (), False)
    for state, event in product(RefundState, RefundEvent):
        if (state, event) not in REFUND:
            step = refund_step(state, event)
            assert (step.state, step.effects, step.listed) == (state, (), False)


def test_an_attempt_with_money_keeps_it():
    for state, event in product(ATTEMPT_HAS_MONEY, AttemptEvent):
        assert attempt_step(state, event).state is state


def test_every_attempt_without_money_can_still_turn_out_paid():
    for state in set(AttemptState) - ATTEMPT_HAS_MONEY:
        assert attempt_step(state, AttemptEvent.PAID).state is AttemptState.PAID
        assert attempt_step(state, AttemptEvent.OVERPAID).state is AttemptState.OVERPAID


def test_an_attempt_that_ended_does_not_open_again():
    ended = set(AttemptState) - ATTEMPT_IS_OPEN
    for state, event in product(ended, AttemptEvent):
        assert attempt_step(state, event).state in ended


def test_a_doubt_moves_no_money():
    for state in AttemptState:
        assert attempt_step(state, AttemptEvent.DOUBTED).state is state
    for state in RefundState:
        assert refund_step(state, RefundEvent.DOUBTED).state is state


def test_a_refund_that_ended_stays_so():
    for state, event in product(set(RefundState) - REFUND_IS_OPEN, RefundEvent):
        assert refund_step(state, event).state is state


def test_money_is_booked_exactly_where_it_first_appears():
    for (state, _), (after, effects) in ATTEMPT.items():
        booked = {Effect.BOOK_PAYMENT, Effect.BOOK_EXTRA} & set(effects)
        assert bool(booked) == (after in ATTEMPT_HAS_MONEY and state not in ATTEMPT_HAS_MONEY)
    for (state, _), (after, effects) in REFUND.items():
        appears = after is RefundState.DONE and state is not RefundState.DONE
        assert (Effect.BOOK_REFUND in effects) == appears


HOLDS_NOTHING = {PayoutState.FAILED, PayoutState.WITHDRAWN}


def test_an_unlisted_word_about_a_payout_changes_nothing_and_says_so():
    for state, event in product(PayoutState, PayoutEvent):
        if (state, event) not in PAYOUT:
            step = payout_step(state, event)
            assert (step.state, step.effects, step.listed) == (state, (), False)


def test_a_payout_that_ended_stays_so():
    for state, event in product(set(PayoutState) - PAYOUT_IS_OPEN, PayoutEvent):
        assert payout_step(state, event).state is state


def test_the_budget_of_a_payout_is_freed_exactly_once_and_by_a_definite_word():
    for (state, event), (after, effects) in PAYOUT.items():
        freed = after in HOLDS_NOTHING and state not in HOLDS_NOTHING
        assert (Effect.RELEASE in effects) == freed
        assert not freed or event in {PayoutEvent.FAILED, PayoutEvent.WITHDRAWN}


def test_money_that_leaves_an_offer_is_somewhere_else_in_the_same_change():
    for (state, _), (after, effects) in PAYOUT.items():
        if after in HOLDS_NOTHING and state not in HOLDS_NOTHING:
            assert {Effect.GIVE_BACK, Effect.OFFER_AGAIN} & set(effects)


def test_a_payout_that_was_called_cannot_be_taken_back():
    for state in PAYOUT_IS_CLAIMED - {PayoutState.RESERVED}:
        assert not payout_step(state, PayoutEvent.WITHDRAWN).listed


def test_what_is_paid_out_is_booked_exactly_once_and_never_taken_back():
    for (state, _), (after, effects) in PAYOUT.items():
        assert (Effect.BOOK_PAYOUT in effects) == (
            after is PayoutState.DONE and state is not PayoutState.DONE
        )
    for event in PayoutEvent:
        assert payout_step(PayoutState.DONE, event).state is PayoutState.DONE


def test_nobody_can_claim_what_is_claimed():
    for state in set(PayoutState) - {PayoutState.OFFERED}:
        assert not payout_step(state, PayoutEvent.CLAIMED).listed


@given(st.lists(st.sampled_from(PayoutEvent), max_size=30))
def test_a_payout_holds_its_money_until_one_end(events):
    state, held, booked = PayoutState.OFFERED, 1, 0
    for event in events:
        step = payout_step(state, event)
        state = step.state
        held -= step.effects.count(Effect.RELEASE)
        booked += step.effects.count(Effect.BOOK_PAYOUT)
    assert held == (0 if state in HOLDS_NOTHING else 1)
    assert booked == (state is PayoutState.DONE)
