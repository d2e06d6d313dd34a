"""The audit chain and the ledger, in memory."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.orders.audit import GENESIS, CauseKind, Entry, first_break, sealed
from bot.orders.ledger import Line, UnbalancedError, check_balanced
from providers.sdk.testing import NOON


def chain(length):
    entries, link = [], GENESIS
    for n in range(1, length + 1):
        entry = sealed(
            Entry(
                order_id="o1", n=n, subject="order", event="paid", before="pending", after="paid",
                cause_kind=CauseKind.QUERY, cause_id=f"query:{n}", note="拿铁", at=NOON, prev_hash=link,
            )
        )  # fmt: skip
        entries.append(entry)
        link = entry.hash
    return entries


def test_a_whole_chain_holds():
    entries = chain(5)

    assert first_break(entries, version=5, head=entries[-1].hash) is None
    assert first_break([], version=0, head=GENESIS) is None


@pytest.mark.fault("Q6")
@given(st.integers(0, 4), st.sampled_from(["event", "after", "cause_id", "note"]))
def test_an_edited_entry_is_found(place, field):
    entries = chain(5)
    head = entries[-1].hash

    entries[place] = replace(entries[place], **{field: "something else"})

    assert first_break(entries, version=5, head=head) == place + 1


def test_an_edited_entry_with_a_fresh_hash_is_found_one_later():
    entries = chain(5)
    head = entries[-1].hash

    entries[2] = sealed(replace(entries[2], note="tidied"))

    assert first_break(entries, version=5, head=head) == 4


@given(st.integers(0, 4))
def test_a_dropped_entry_is_found_at_the_end_too(place):
    entries = chain(5)
    head = entries[-1].hash

    del entries[place]

    assert first_break(entries, version=5, head=head) == place + 1


@pytest.mark.fault("Q5")
def test_a_transaction_adds_up_in_each_currency():
    check_balanced([Line("t", "a", 5, "CNY"), Line("t", "b", -5, "CNY")])

    with pytest.raises(UnbalancedError, match="off by 1 "):
        check_balanced([Line("t", "a", 5, "CNY"), Line("t", "b", -4, "CNY")])
    with pytest.raises(UnbalancedError):
        check_balanced([Line("t", "a", 5, "CNY"), Line("t", "b", -5, "HKD")])
    with pytest.raises(UnbalancedError):
        check_balanced([Line("t", "a", 5, "CNY"), Line("u", "b", -5, "CNY")])
