"""Statements of institutions: which day was compared, its lines, and what of them hangs in suspense.

Revision 0002. Only adds; a program of revision 0001's time would not miss anything.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the three tables; suspense is only ever appended to."""
    _statements()
    _statement_lines()
    _suspense_entries()
    _forbid_changes("suspense_entries")


def _statements() -> None:
    op.create_table(
        "statements",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "account", "day", name="pk_statements"),
    )


def _statement_lines() -> None:
    op.create_table(
        "statement_lines",
        _serial(),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("line_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("attempt_number", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("fee_minor", sa.BigInteger()),
        sa.Column("fee_currency", sa.String(length=3)),
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger()),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.CheckConstraint("kind IN ('payment', 'payout', 'refund')", name="ck_statement_lines_kind_known"),
        sa.CheckConstraint(
            "verdict IN ('amount', 'behind', 'matched', 'new', 'twice', 'unknown')",
            name="ck_statement_lines_verdict_known",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statement_lines"),
        sa.UniqueConstraint(
            "provider", "account", "line_key", name="uq_statement_lines_provider_account_line_key"
        ),
    )
    for columns in (["provider", "account", "number"], ["provider", "account", "day"]):
        op.create_index(f"ix_statement_lines_{'_'.join(columns)}", "statement_lines", columns, unique=False)


def _suspense_entries() -> None:
    op.create_table(
        "suspense_entries",
        _serial(),
        sa.Column("txn", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("minor <> 0", name="ck_suspense_entries_moves_something"),
        sa.ForeignKeyConstraint(["line_id"], ["statement_lines.id"], name="fk_suspense_entries_line_id"),
        sa.PrimaryKeyConstraint("id", name="pk_suspense_entries"),
        sa.UniqueConstraint("txn", "account", name="uq_suspense_entries_txn_account"),
    )
    op.create_index("ix_suspense_entries_line_id", "suspense_entries", ["line_id"], unique=False)


def _serial() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=True, nullable=False)


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
