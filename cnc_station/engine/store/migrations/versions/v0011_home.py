"""A database file knows the computer and the path where it is used."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table. It is empty until the next start: that place becomes the home."""
    op.create_table(
        "home",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("computer", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
    )
