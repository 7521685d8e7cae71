"""Schedules and their firings; a job knows the schedule that made it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("schedule_id IS NOT NULL AND finished_at IS NULL")
_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Add two tables, and a column and an index to the jobs."""
    op.add_column("job", sa.Column("schedule_id", _ID))
    op.create_index(
        "job_of_schedule", "job", ["schedule_id"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_table(
        "schedule",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("catch_up", sa.Text(), nullable=False),
        sa.Column("overlap", sa.Text(), nullable=False),
        sa.Column("jitter_s", sa.Float(), nullable=False),
        sa.Column("starts_at", sa.BigInteger()),
        sa.Column("ends_at", sa.BigInteger()),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("next_due", sa.BigInteger()),
        sa.Column("fires_at", sa.BigInteger()),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("schedule_name", "schedule", ["tenant", "name"], unique=True)
    op.create_table(
        "schedule_firing",
        sa.Column("id", _ID, primary_key=True),
        sa.Column(
            "schedule_id", _ID, sa.ForeignKey("schedule.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("fired_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("job_id", _ID),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "schedule_firing_due", "schedule_firing", ["schedule_id", "due_at"], unique=True
    )
    op.create_index(
        "schedule_firing_waiting",
        "schedule_firing",
        ["schedule_id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
