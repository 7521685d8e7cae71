"""Traces that other systems name, which may be longer than those made here; idempotency keys."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the trace of a job. A server changes its catalogue only; SQLite would copy the table,
    and does not limit texts."""
    if op.get_context().dialect.name == "postgresql":
        op.alter_column("job", "trace_id", type_=sa.String(64))
    op.create_table(
        "idempotency_key",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("status", sa.Integer()),
        sa.Column("headers", sa.Text()),
        sa.Column("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("principal", "request_key"),
    )
    op.create_index("idempotency_key_at", "idempotency_key", ["at"])
