"""What machines with real controllers need: set-up, readiness, clearing, counts of parts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# As in the schema: how a server keeps the tables that change all the time.
HOT = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500"
KEPT = {"job": HOT, "run": HOT, "machine": f"fillfactor = 50, {HOT}"}

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Only columns that are added: what is there stays, and means what it meant."""
    no = sa.false()
    op.add_column(
        "machine", sa.Column("operator_starts", sa.Boolean, nullable=False, server_default=no)
    )
    op.add_column("machine", sa.Column("not_ready", sa.Text, nullable=False, server_default=""))
    op.add_column("machine", sa.Column("to_clear", sa.Boolean, nullable=False, server_default=no))
    op.add_column("run", sa.Column("good", sa.Integer))
    op.add_column("run", sa.Column("scrap", sa.Integer))
    op.add_column("errand", sa.Column("machine_id", Id))
    if op.get_bind().dialect.name == "postgresql":
        for table, how in KEPT.items():
            op.execute(f"ALTER TABLE {table} SET ({how})")
