"""Orders remember what becomes of money that arrives after their end.

Revision 0005. Only adds a column with a default: what the program did before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """`keep` for every order that was placed before."""
    op.add_column("orders", sa.Column("if_late", sa.String(length=16), nullable=False, server_default="keep"))
