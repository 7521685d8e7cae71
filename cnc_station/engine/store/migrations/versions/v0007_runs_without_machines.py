"""A run of a handler has no machine."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LIVE = sa.text("state IN ('assigned', 'running', 'held')")
_ENDED = sa.text("ended_at IS NOT NULL")
_COLUMNS = (
    "id, job_id, machine_id, station, attempt, state, token, lease_until, assigned_at, started_at, "
    "ended_at, error, good, scrap, rework"
)


def upgrade() -> None:
    """A server changes the column; in a file the table is made anew, and counts on from where it
    was."""
    if op.get_context().dialect.name == "postgresql":
        op.alter_column("run", "machine_id", nullable=True)
        return
    _create("run_0007")
    for statement in (
        f"INSERT INTO run_0007 ({_COLUMNS}) SELECT {_COLUMNS} FROM run",
        "DELETE FROM sqlite_sequence WHERE name = 'run_0007'",
        "INSERT INTO sqlite_sequence SELECT 'run_0007', seq FROM sqlite_sequence WHERE name='run'",
    ):
        op.execute(sa.text(statement))
    op.drop_table("run")
    op.rename_table("run_0007", "run")
    for name, column in (("run_live_job", "job_id"), ("run_live_machine", "machine_id")):
        op.create_index(name, "run", [column], unique=True, sqlite_where=_LIVE)
    op.create_index("run_job", "run", ["job_id"])
    op.create_index("run_ended", "run", ["ended_at"], sqlite_where=_ENDED)


def _create(name: str) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("machine_id", sa.Integer()),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("good", sa.Integer()),
        sa.Column("scrap", sa.Integer()),
        sa.Column("rework", sa.Integer()),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"]),
        sa.ForeignKeyConstraint(["machine_id"], ["machine.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
