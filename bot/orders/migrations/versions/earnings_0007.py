"""When the page of a paid order was told, and its money became revenue.

Revision 0007. Only adds a column.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """A moment per order."""
    op.add_column("orders", sa.Column("earned_at", sa.BigInteger()))
