"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite counts rows by itself only in a column typed exactly INTEGER.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table and index, and the leader's one row: free to be taken."""
    op.create_table(
        "errand",
        sa.Column("id", Id, nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("job_id", Id, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "errand_open",
        "errand",
        ["station"],
        unique=False,
        sqlite_where=sa.text("answer IS NULL"),
        postgresql_where=sa.text("answer IS NULL"),
    )
    op.create_table(
        "event",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("job_id", Id, nullable=True),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("machine_id", Id, nullable=True),
        sa.Column("job_state", sa.Text(), nullable=True),
        sa.Column("run_state", sa.Text(), nullable=True),
        sa.Column("machine_state", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("event_at", "event", ["at"], unique=False)
    op.create_index("event_job", "event", ["job_id", "id"], unique=False)
    op.create_index("event_machine", "event", ["machine_id", "id"], unique=False)
    op.create_table(
        "leader",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "machine",
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("machine_type", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("max_complexity", sa.Integer(), nullable=False),
        sa.Column("materials", sa.Text(), nullable=False),
        sa.Column("axes", sa.Integer(), nullable=False),
        sa.Column("size_x", sa.Float(), nullable=True),
        sa.Column("size_y", sa.Float(), nullable=True),
        sa.Column("size_z", sa.Float(), nullable=True),
        sa.Column("operator_clears", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_since", sa.BigInteger(), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=False),
        sa.Column("maintenance_due", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("job_id", Id, nullable=True),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("runs_done", sa.Integer(), nullable=False),
        sa.Column("run_seconds", sa.Float(precision=53), nullable=False),
        sa.Column("last_program", sa.Text(), nullable=False),
        sa.Column("last_material", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "machine_name",
        "machine",
        ["name"],
        unique=True,
        sqlite_where=sa.text("NOT removed"),
        postgresql_where=sa.text("NOT removed"),
    )
    op.create_table(
        "program",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("duration_s", sa.Float(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("program_name", "program", ["name", "revision"], unique=True)
    op.create_table(
        "setting",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "station",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.Column("lag_ms", sa.Float(), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "job",
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("work_order", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("machine_type", sa.Text(), nullable=False),
        sa.Column("complexity", sa.Integer(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("axes", sa.Integer(), nullable=False),
        sa.Column("size_x", sa.Float(), nullable=True),
        sa.Column("size_y", sa.Float(), nullable=True),
        sa.Column("size_z", sa.Float(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("estimated_s", sa.Float(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("program", sa.String(length=64), nullable=True),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("retry_limit", sa.Integer(), nullable=True),
        sa.Column("timeout_s", sa.Float(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_since", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Float(precision=53), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("pinned_machine_id", Id, nullable=True),
        sa.Column("machine_id", Id, nullable=True),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["program"],
            ["program.sha256"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "job_due",
        "job",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("state = 'delayed' AND blocked = 0"),
        postgresql_where=sa.text("state = 'delayed' AND NOT blocked"),
    )
    op.create_index(
        "job_finished",
        "job",
        ["finished_at", "state"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NOT NULL"),
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "job_open",
        "job",
        ["rank", "id", "due_at"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_index(
        "job_ready",
        "job",
        ["machine_type", "rank", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued' AND pinned_machine_id IS NULL"),
        postgresql_where=sa.text("state = 'queued' AND pinned_machine_id IS NULL"),
    )
    op.create_index(
        "job_ready_pinned",
        "job",
        ["pinned_machine_id", "rank", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued' AND pinned_machine_id IS NOT NULL"),
        postgresql_where=sa.text("state = 'queued' AND pinned_machine_id IS NOT NULL"),
    )
    op.create_index(
        "job_state",
        "job",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state > ''"),
        postgresql_where=sa.text("state > ''"),
    )
    op.create_table(
        "dependency",
        sa.Column("job_id", Id, nullable=False),
        sa.Column("predecessor_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["predecessor_id"],
            ["job.id"],
        ),
        sa.PrimaryKeyConstraint("job_id", "predecessor_id"),
    )
    op.create_index("dependency_predecessor", "dependency", ["predecessor_id"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", Id, nullable=False),
        sa.Column("job_id", Id, nullable=False),
        sa.Column("machine_id", Id, nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["job.id"],
        ),
        sa.ForeignKeyConstraint(
            ["machine_id"],
            ["machine.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "run_ended",
        "run",
        ["ended_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index("run_job", "run", ["job_id"], unique=False)
    op.create_index(
        "run_lease",
        "run",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state IN ('assigned', 'running', 'held')"),
        postgresql_where=sa.text("state IN ('assigned', 'running', 'held')"),
    )
    op.create_index(
        "run_live_job",
        "run",
        ["job_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('assigned', 'running', 'held')"),
        postgresql_where=sa.text("state IN ('assigned', 'running', 'held')"),
    )
    op.create_index(
        "run_live_machine",
        "run",
        ["machine_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('assigned', 'running', 'held')"),
        postgresql_where=sa.text("state IN ('assigned', 'running', 'held')"),
    )
    op.execute(
        "INSERT INTO leader (id, holder, incarnation, term, expires_at) VALUES (1, '', '', 0, 0)"
    )
