"""The tables, the same in SQLite and PostgreSQL. What must never be is refused here, whatever the code above believes.

Text that others
write has no length here: a long one is not a lost one. Moments are whole microseconds since 1970 in UTC, which both stores compare and index alike. Every attempt, refund and
payout that is not final has a next check; what goes back and out of an attempt cannot exceed it; an order has one paid
attempt at most, and a claim one payout that has not failed.
"""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.orders.audit import CauseKind
from bot.orders.columns import AMOUNT, MAP, Moment, metadata, one_of, quoted, serial
from bot.orders.order import (
    ATTEMPT_IS_OPEN,
    PAYOUT_IS_OPEN,
    REFUND_IS_OPEN,
    AttemptState,
    OrderState,
    PayoutState,
    RefundState,
)
from bot.orders.posting import Kind
from bot.orders.statement import Verdict
from providers.sdk.results import StatementKind


class InboxState(StrEnum):
    """Where a stored notification stands."""

    NEW = "new"
    DONE = "done"
    IGNORED = "ignored"  # an event this house does not use
    ORPHAN = "orphan"  # of a number that is not ours
    DEAD = "dead"  # could not be applied after many tries; a person was called


class OutboxState(StrEnum):
    """Where a message to the chat stands."""

    NEW = "new"
    SENT = "sent"
    DEAD = "dead"


orders = Table(
    "orders",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("app_id", String(64), nullable=False),
    Column("page", Text, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("language", String(35), nullable=False),
    Column("order_key", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("title", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("paid_at", Moment),
    Column("earned_at", Moment),
    Column("message_id", BigInteger),
    Column("link_token", String(64), nullable=False, unique=True),
    Column("if_late", String(16), nullable=False, server_default="keep"),
    Column("ending", String(16)),
    Column("next_check_at", Moment),
    Column("audit_hash", String(64), nullable=False),
    UniqueConstraint("app_id", "user_id", "order_key"),
    CheckConstraint(AMOUNT, name="amount_in_bounds"),
    CheckConstraint("expires_at > created_at", name="lives"),
    CheckConstraint("state <> 'pending' OR next_check_at IS NOT NULL", name="never_forgotten"),
    one_of("state", OrderState),
    Index(None, "user_id", "created_at"),
    Index(None, "next_check_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("number", String(32), primary_key=True),
    Column("order_id", String(32), ForeignKey("orders.id"), nullable=False, index=True),
    Column("provider", String(32), nullable=False),
    Column("account", String(32), nullable=False),
    Column("wallet", String(16), nullable=False),
    Column("way", String(16), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("called_at", Moment),
    Column("heard_at", Moment),
    Column("sends", Integer, nullable=False),
    Column("code", Text),
    Column("link", Text),
    Column("in_app", MAP),
    Column("invoice", MAP),
    Column("provider_ref", Text, nullable=False),
    Column("memo", MAP, nullable=False),
    Column("usable_until", Moment),
    Column("next_check_at", Moment, index=True),
    Column("checks", Integer, nullable=False),
    Column("leaving", Boolean, nullable=False),
    Column("paid_at", Moment),
    Column("paid_wallet", String(16)),
    Column("payer", String(4), nullable=False),
    Column("refunding_minor", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    one_of("state", AttemptState),
    CheckConstraint(AMOUNT, name="amount_in_bounds"),
    CheckConstraint("refunding_minor BETWEEN 0 AND amount_minor", name="budget"),
    CheckConstraint(
        f"state NOT IN ({quoted(*ATTEMPT_IS_OPEN)}) OR next_check_at IS NOT NULL", name="never_forgotten"
    ),
    CheckConstraint("state <> 'opened' OR called_at IS NOT NULL", name="intent_before_call"),
    Index(
        "one_open_attempt",
        "order_id",
        "provider",
        unique=True,
        sqlite_where=text(f"state IN ({quoted(*ATTEMPT_IS_OPEN)})"),
        postgresql_where=text(f"state IN ({quoted(*ATTEMPT_IS_OPEN)})"),
    ),
    Index(
        "one_paid_attempt",
        "order_id",
        unique=True,
        sqlite_where=text("state = 'paid'"),
        postgresql_where=text("state = 'paid'"),
    ),
)

refunds = Table(
    "refunds",
    metadata,
    Column("number", String(32), primary_key=True),
    Column("order_id", String(32), ForeignKey("orders.id"), nullable=False, index=True),
    Column("attempt_number", String(32), ForeignKey("attempts.number"), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("page", Text, nullable=False, server_default=""),
    Column("chat_id", BigInteger),
    Column("refund_key", Text),  # NULL is unlike every other NULL, so only given keys are unique
    Column("called_at", Moment),
    Column("sends", Integer, nullable=False),
    Column("provider_ref", Text, nullable=False),
    Column("next_check_at", Moment, index=True),
    Column("checks", Integer, nullable=False),
    Column("done_at", Moment),
    Column("note", Text, nullable=False),
    UniqueConstraint("order_id", "refund_key"),
    one_of("state", RefundState),
    CheckConstraint(AMOUNT, name="amount_in_bounds"),
    CheckConstraint(
        f"state NOT IN ({quoted(*REFUND_IS_OPEN)}) OR next_check_at IS NOT NULL", name="never_forgotten"
    ),
)

_NOT_FAILED = "state <> 'failed'"

payouts = Table(
    "payouts",
    metadata,
    Column("number", String(32), primary_key=True),
    Column("order_id", String(32), ForeignKey("orders.id"), nullable=False, index=True),
    Column("attempt_number", String(32), ForeignKey("attempts.number"), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("title", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("payout_key", Text, nullable=False),
    Column("claim_id", String(64), nullable=False, index=True),
    Column("claim_token", String(64), nullable=False, index=True),
    Column("claim_until", Moment, nullable=False),
    Column("for_open_id", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("provider", String(32), nullable=False),
    Column("account", String(32), nullable=False),
    Column("wallet", String(16)),
    Column("payee", Text, nullable=False),
    Column("claimed_at", Moment),
    Column("confirm", MAP),
    Column("called_at", Moment),
    Column("sends", Integer, nullable=False),
    Column("provider_ref", Text, nullable=False),
    Column("next_check_at", Moment, index=True),
    Column("checks", Integer, nullable=False),
    Column("done_at", Moment),
    Column("note", Text, nullable=False),
    one_of("state", PayoutState),
    CheckConstraint(AMOUNT, name="amount_in_bounds"),
    CheckConstraint(
        f"state NOT IN ({quoted(*PAYOUT_IS_OPEN)}) OR next_check_at IS NOT NULL", name="never_forgotten"
    ),
    CheckConstraint("state IN ('offered', 'withdrawn') OR payee <> ''", name="has_a_payee"),
    CheckConstraint("state NOT IN ('sent', 'done') OR called_at IS NOT NULL", name="intent_before_call"),
    Index(
        "one_payout_per_claim",
        "claim_token",
        unique=True,
        sqlite_where=text(_NOT_FAILED),
        postgresql_where=text(_NOT_FAILED),
    ),
    Index(
        "one_payout_per_key",
        "order_id",
        "payout_key",
        unique=True,
        sqlite_where=text(_NOT_FAILED),
        postgresql_where=text(_NOT_FAILED),
    ),
    Index(None, "provider", "payee", "claimed_at"),
)

inbox = Table(
    "inbox",
    metadata,
    serial(),
    Column("provider", String(32), nullable=False),
    Column("account", String(32), nullable=False),
    Column("event_key", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("method", String(8), nullable=False),
    Column("url", Text, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("fact", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("next_try_at", Moment),
    Column("tries", Integer, nullable=False),
    Column("note", Text, nullable=False),
    UniqueConstraint("provider", "account", "event_key"),
    one_of("state", InboxState),
    CheckConstraint("state <> 'new' OR next_try_at IS NOT NULL", name="never_forgotten"),
    Index(None, "state", "next_try_at"),
)

outbox = Table(
    "outbox",
    metadata,
    serial(),
    Column("dedupe_key", Text, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("order_id", String(32), ForeignKey("orders.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("answer", Text, nullable=False, server_default=""),
    Column("state", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("next_try_at", Moment, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", Moment),
    one_of("kind", Kind),
    one_of("state", OutboxState),
    Index(None, "state", "next_try_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("order_id", String(32), ForeignKey("orders.id"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("subject", String(32), nullable=False),
    Column("event", Text, nullable=False),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Column("cause_kind", String(16), nullable=False),
    Column("cause_id", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    one_of("cause_kind", CauseKind),
    CheckConstraint("n > 0", name="counts_from_one"),
    CheckConstraint("cause_id <> ''", name="has_a_cause"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    serial(),
    Column("txn", String(64), nullable=False),
    Column("account", String(80), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("order_id", String(32), ForeignKey("orders.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    UniqueConstraint("txn", "account"),
    CheckConstraint("minor <> 0", name="moves_something"),
)

statements = Table(
    "statements",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("account", String(32), primary_key=True),
    Column("day", String(10), primary_key=True),  # the institution's own day, `2026-07-01`
    Column("imported_at", Moment, nullable=False),
)

statement_lines = Table(
    "statement_lines",
    metadata,
    serial(),
    Column("provider", String(32), nullable=False),
    Column("account", String(32), nullable=False),
    Column("day", String(10), nullable=False),
    Column("line_key", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("number", Text, nullable=False),
    Column("attempt_number", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("fee_minor", BigInteger),
    Column("fee_currency", String(3)),
    Column("provider_ref", Text, nullable=False),
    Column("at", Moment),
    Column("verdict", String(16), nullable=False),
    UniqueConstraint("provider", "account", "line_key"),
    one_of("kind", StatementKind),
    one_of("verdict", Verdict),
    Index(None, "provider", "account", "number"),
    Index(None, "provider", "account", "day"),
)

# Ledger lines that belong to a line of a statement: its fee, and its amount where no order of ours explains it.
suspense_entries = Table(
    "suspense_entries",
    metadata,
    serial(),
    Column("txn", String(64), nullable=False),
    Column("account", String(80), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("line_id", BigInteger, ForeignKey("statement_lines.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    UniqueConstraint("txn", "account"),
    CheckConstraint("minor <> 0", name="moves_something"),
)

# Codes on counters, whose every scan is a new order. No amount: the payer enters it.
standing_codes = Table(
    "standing_codes",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("app_id", String(64), nullable=False),
    Column("page", Text, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("language", String(35), nullable=False),
    Column("code_key", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("amount_minor", BigInteger),
    Column("currency", String(3), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("closed_at", Moment),
    UniqueConstraint("app_id", "user_id", "code_key"),
)

APPEND_ONLY: Final = ("audit", "ledger_entries", "suspense_entries")
