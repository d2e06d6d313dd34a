"""The order book: orders, attempts, refunds, inbox, outbox, audit, ledger.

Revision 0001. What is written here is what stores in the field were made from; it is never edited, only followed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_APPEND_ONLY = ("audit", "ledger_entries")


def upgrade() -> None:
    """Make the tables, then forbid changing what is only ever appended to."""
    _orders()
    _attempts()
    _refunds()
    _inbox()
    _outbox()
    _audit()
    _ledger_entries()
    for table in _APPEND_ONLY:
        _forbid_changes(table)


def _forbid_changes(table: str) -> None:
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("app_id", sa.String(length=64), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.BigInteger()),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("link_token", sa.String(length=64), nullable=False),
        sa.Column("ending", sa.String(length=16)),
        sa.Column("next_check_at", sa.BigInteger()),
        sa.Column("audit_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "state <> 'pending' OR next_check_at IS NOT NULL", name="ck_orders_never_forgotten"
        ),
        sa.CheckConstraint(
            "state IN ('cancelled', 'created', 'expired', 'failed', 'needs_review', 'paid', 'paid_late', 'partly_refunded', 'pending', 'refunded')",
            name="ck_orders_state_known",
        ),
        sa.CheckConstraint("amount_minor BETWEEN 1 AND 100000000000", name="ck_orders_amount_in_bounds"),
        sa.CheckConstraint("expires_at > created_at", name="ck_orders_lives"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("app_id", "user_id", "order_key", name="uq_orders_app_id_user_id_order_key"),
        sa.UniqueConstraint("link_token", name="uq_orders_link_token"),
    )
    op.create_index("ix_orders_next_check_at", "orders", ["next_check_at"], unique=False)
    op.create_index("ix_orders_user_id_created_at", "orders", ["user_id", "created_at"], unique=False)


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("wallet", sa.String(length=16), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("called_at", sa.BigInteger()),
        sa.Column("heard_at", sa.BigInteger()),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("link", sa.Text()),
        sa.Column("in_app", sa.JSON(none_as_null=True)),
        sa.Column("invoice", sa.JSON(none_as_null=True)),
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("memo", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("usable_until", sa.BigInteger()),
        sa.Column("next_check_at", sa.BigInteger()),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("leaving", sa.Boolean(), nullable=False),
        sa.Column("paid_at", sa.BigInteger()),
        sa.Column("paid_wallet", sa.String(length=16)),
        sa.Column("payer", sa.String(length=4), nullable=False),
        sa.Column("refunding_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state <> 'opened' OR called_at IS NOT NULL", name="ck_attempts_intent_before_call"
        ),
        sa.CheckConstraint(
            "state IN ('closed', 'declined', 'intent', 'opened', 'overpaid', 'paid', 'unknown')",
            name="ck_attempts_state_known",
        ),
        sa.CheckConstraint(
            "state NOT IN ('intent', 'opened', 'unknown') OR next_check_at IS NOT NULL",
            name="ck_attempts_never_forgotten",
        ),
        sa.CheckConstraint("amount_minor BETWEEN 1 AND 100000000000", name="ck_attempts_amount_in_bounds"),
        sa.CheckConstraint("refunding_minor BETWEEN 0 AND amount_minor", name="ck_attempts_budget"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_attempts_order_id"),
        sa.PrimaryKeyConstraint("number", name="pk_attempts"),
    )
    op.create_index("ix_attempts_next_check_at", "attempts", ["next_check_at"], unique=False)
    op.create_index("ix_attempts_order_id", "attempts", ["order_id"], unique=False)
    op.create_index(
        "one_open_attempt",
        "attempts",
        ["order_id", "provider"],
        unique=True,
        sqlite_where=sa.text("state IN ('intent', 'opened', 'unknown')"),
        postgresql_where=sa.text("state IN ('intent', 'opened', 'unknown')"),
    )
    op.create_index(
        "one_paid_attempt",
        "attempts",
        ["order_id"],
        unique=True,
        sqlite_where=sa.text("state = 'paid'"),
        postgresql_where=sa.text("state = 'paid'"),
    )


def _refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("attempt_number", sa.String(length=32), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("refund_key", sa.Text()),
        sa.Column("called_at", sa.BigInteger()),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("next_check_at", sa.BigInteger()),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('done', 'failed', 'reserved', 'sent', 'unknown')", name="ck_refunds_state_known"
        ),
        sa.CheckConstraint(
            "state NOT IN ('reserved', 'sent', 'unknown') OR next_check_at IS NOT NULL",
            name="ck_refunds_never_forgotten",
        ),
        sa.CheckConstraint("amount_minor BETWEEN 1 AND 100000000000", name="ck_refunds_amount_in_bounds"),
        sa.ForeignKeyConstraint(["attempt_number"], ["attempts.number"], name="fk_refunds_attempt_number"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_refunds_order_id"),
        sa.PrimaryKeyConstraint("number", name="pk_refunds"),
        sa.UniqueConstraint("order_id", "refund_key", name="uq_refunds_order_id_refund_key"),
    )
    op.create_index("ix_refunds_next_check_at", "refunds", ["next_check_at"], unique=False)
    op.create_index("ix_refunds_order_id", "refunds", ["order_id"], unique=False)


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("next_try_at", sa.BigInteger()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("state <> 'new' OR next_try_at IS NOT NULL", name="ck_inbox_never_forgotten"),
        sa.CheckConstraint(
            "state IN ('dead', 'done', 'ignored', 'new', 'orphan')", name="ck_inbox_state_known"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("provider", "account", "event_key", name="uq_inbox_provider_account_event_key"),
    )
    op.create_index("ix_inbox_state_next_try_at", "inbox", ["state", "next_try_at"], unique=False)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_try_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.CheckConstraint("kind IN ('alert', 'show', 'tell')", name="ck_outbox_kind_known"),
        sa.CheckConstraint("state IN ('dead', 'new', 'sent')", name="ck_outbox_state_known"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_outbox_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("dedupe_key", name="uq_outbox_dedupe_key"),
    )
    op.create_index("ix_outbox_order_id", "outbox", ["order_id"], unique=False)
    op.create_index("ix_outbox_state_next_try_at", "outbox", ["state", "next_try_at"], unique=False)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("cause_kind", sa.String(length=16), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("cause_id <> ''", name="ck_audit_has_a_cause"),
        sa.CheckConstraint(
            "cause_kind IN ('house', 'notification', 'operator', 'page', 'payer', 'query', 'reply')",
            name="ck_audit_cause_kind_known",
        ),
        sa.CheckConstraint("n > 0", name="ck_audit_counts_from_one"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_audit_order_id"),
        sa.PrimaryKeyConstraint("order_id", "n", name="pk_audit"),
        sa.UniqueConstraint("hash", name="uq_audit_hash"),
    )


def _ledger_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("txn", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("minor <> 0", name="ck_ledger_entries_moves_something"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_ledger_entries_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        sa.UniqueConstraint("txn", "account", name="uq_ledger_entries_txn_account"),
    )
    op.create_index("ix_ledger_entries_order_id", "ledger_entries", ["order_id"], unique=False)
