"""What is known of each machine's position, and parts that need rework."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Only columns that may be empty: nothing is known yet of what is there."""
    for name, kind in (
        ("position", sa.Text),
        ("position_reason", sa.Text),
        ("position_since", sa.BigInteger),
        ("position_by", sa.Text),
        ("controller_mark", sa.Text),
    ):
        op.add_column("machine", sa.Column(name, kind))
    op.add_column("run", sa.Column("rework", sa.Integer))
