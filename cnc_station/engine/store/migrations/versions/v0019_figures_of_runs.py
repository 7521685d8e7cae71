"""One row for each run whose details are deleted; what the deletion searches has indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_WHOLE, _TEXT, _TIME = sa.Integer, sa.Text, sa.BigInteger
_COLUMNS = (
    *((name, _TEXT) for name in ("job", "work_order", "operation", "tenant", "customer")),
    *((name, _TEXT) for name in ("machine_type", "material", "handler")),
)
_INDEXES = (
    ("event_of_no_job", "event", "at", "job_id IS NULL OR type = 'deleted'"),
    ("job_program", "job", "program", "program IS NOT NULL"),
    ("delivery_ended", "delivery", "ended_at", "ended_at IS NOT NULL"),
)


def upgrade() -> None:
    """Copy nothing: the figures are kept when a run is deleted."""
    op.create_table(
        "run_figures",
        sa.Column(
            "run_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("job_id", _TIME(), nullable=False),
        *(sa.Column(name, kind(), nullable=False) for name, kind in _COLUMNS),
        sa.Column("program", sa.String(64)),
        sa.Column("program_name", _TEXT()),
        sa.Column("program_revision", _WHOLE()),
        sa.Column("machine_id", _TIME()),
        sa.Column("machine", _TEXT()),
        sa.Column("station", _TEXT(), nullable=False),
        sa.Column("attempt", _WHOLE(), nullable=False),
        sa.Column("outcome", _TEXT(), nullable=False),
        sa.Column("code", _WHOLE()),
        sa.Column("quantity", _WHOLE(), nullable=False),
        *(sa.Column(name, _WHOLE()) for name in ("good", "scrap", "rework")),
        sa.Column("estimated_s", sa.Float(), nullable=False),
        sa.Column("assigned_at", _TIME(), nullable=False),
        sa.Column("started_at", _TIME()),
        sa.Column("ended_at", _TIME()),
    )
    op.create_index("run_figures_ended", "run_figures", ["ended_at"])
    for name, table, column, where in _INDEXES:
        chosen = sa.text(where)
        op.create_index(name, table, [column], sqlite_where=chosen, postgresql_where=chosen)
