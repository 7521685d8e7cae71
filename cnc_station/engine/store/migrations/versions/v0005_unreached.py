"""Since when a machine's controller has not been reached."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty at first: each station writes it when it asks its controllers."""
    op.add_column("machine", sa.Column("unreached_since", sa.BigInteger))
