"""List the programs whose time is uncertain."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Programs stored before were read by rules that had no doubts."""
    op.create_table("doubtful_program", sa.Column("sha256", sa.String(64), primary_key=True))
