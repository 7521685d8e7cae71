"""The first schema."""

from alembic import op

from cnc_station.engine.store.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table and index, and the leader's one row: free to be taken."""
    metadata.create_all(op.get_bind())
    op.bulk_insert(
        metadata.tables["leader"],
        [{"id": 1, "holder": "", "incarnation": "", "term": 0, "expires_at": 0}],
    )
