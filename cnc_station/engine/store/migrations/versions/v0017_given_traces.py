"""Traces that other systems name, which may be longer than those made here."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the trace of a job. A server changes its catalogue only; SQLite would copy the table,
    and does not limit texts."""
    if op.get_context().dialect.name == "postgresql":
        op.alter_column("job", "trace_id", type_=sa.String(64))
