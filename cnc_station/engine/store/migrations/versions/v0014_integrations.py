"""The deliveries of one endpoint, newest first."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("delivery_webhook", "delivery", ["webhook_id", "id"])
