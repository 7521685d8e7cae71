"""A run of a handler keeps its result and its output."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_WITHOUT_MACHINE = sa.text("machine_id IS NULL")


def upgrade() -> None:
    """The runs before it keep none."""
    for column in (
        sa.Column("code", sa.Integer()),
        sa.Column("result", sa.Text()),
        sa.Column("output_size", sa.BigInteger()),
        sa.Column("output", sa.Text()),
    ):
        op.add_column("run", column)
    op.create_index(
        "run_automation",
        "run",
        ["id"],
        sqlite_where=_WITHOUT_MACHINE,
        postgresql_where=_WITHOUT_MACHINE,
    )
