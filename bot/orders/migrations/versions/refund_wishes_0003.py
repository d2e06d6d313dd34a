"""Refunds that a mini program asks for: who is told, and what.

Revision 0003. Only adds columns with defaults.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Where a refund was asked for, and the answer as it goes out."""
    op.add_column("refunds", sa.Column("page", sa.Text(), nullable=False, server_default=""))
    op.add_column("refunds", sa.Column("chat_id", sa.BigInteger()))
    op.add_column("outbox", sa.Column("answer", sa.Text(), nullable=False, server_default=""))
