"""What every run paid for and hardly anybody used."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Live runs are few, so the other indexes of live runs find an expired lease as soon; and a
    lease that stands in no index is renewed in its place. The keys: as the schema says."""
    op.drop_index("run_lease", table_name="run")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("run_job_id_fkey", "run", type_="foreignkey")
        op.drop_constraint("run_machine_id_fkey", "run", type_="foreignkey")
