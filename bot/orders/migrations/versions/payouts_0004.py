"""Payouts: what is offered of a paid order, who claims it, and what became of it; and the outbox's word for them.

Revision 0004. Adds a table, and a kind that the outbox may hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_KINDS = "kind IN ('alert', 'payout', 'show', 'tell')"
_NOT_FAILED = sa.text("state <> 'failed'")


def upgrade() -> None:
    """Make the table; let the outbox hold the new kind."""
    _payouts()
    _indexes()
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_constraint("ck_outbox_kind_known", type_="check")
        outbox.create_check_constraint("ck_outbox_kind_known", _KINDS)


def _payouts() -> None:
    op.create_table(
        "payouts",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("attempt_number", sa.String(length=32), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("payout_key", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("claim_token", sa.String(length=64), nullable=False),
        sa.Column("claim_until", sa.BigInteger(), nullable=False),
        sa.Column("for_open_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("wallet", sa.String(length=16)),
        sa.Column("payee", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger()),
        sa.Column("confirm", sa.JSON()),
        sa.Column("called_at", sa.BigInteger()),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("next_check_at", sa.BigInteger()),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('awaits_payee', 'done', 'failed', 'offered', 'reserved', 'sent', 'unknown', 'withdrawn')",
            name="ck_payouts_state_known",
        ),
        sa.CheckConstraint(
            "state NOT IN ('awaits_payee', 'offered', 'reserved', 'sent', 'unknown') OR next_check_at IS NOT NULL",
            name="ck_payouts_never_forgotten",
        ),
        sa.CheckConstraint("state IN ('offered', 'withdrawn') OR payee <> ''", name="ck_payouts_has_a_payee"),
        sa.CheckConstraint(
            "state NOT IN ('sent', 'done') OR called_at IS NOT NULL", name="ck_payouts_intent_before_call"
        ),
        sa.CheckConstraint("amount_minor BETWEEN 1 AND 100000000000", name="ck_payouts_amount_in_bounds"),
        sa.ForeignKeyConstraint(["attempt_number"], ["attempts.number"], name="fk_payouts_attempt_number"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payouts_order_id"),
        sa.PrimaryKeyConstraint("number", name="pk_payouts"),
    )


def _indexes() -> None:
    for columns in (
        ["claim_id"], ["claim_token"], ["next_check_at"], ["order_id"], ["provider", "payee", "claimed_at"],
    ):  # fmt: skip
        op.create_index(f"ix_payouts_{'_'.join(columns)}", "payouts", columns, unique=False)
    for name, columns in (
        ("one_payout_per_claim", ["claim_token"]),
        ("one_payout_per_key", ["order_id", "payout_key"]),
    ):
        op.create_index(
            name, "payouts", columns, unique=True, sqlite_where=_NOT_FAILED, postgresql_where=_NOT_FAILED
        )
