"""Endpoints have a format, and deliveries say what people read."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The endpoints before it are webhooks."""
    op.add_column("webhook", sa.Column("format", sa.Text, nullable=False, server_default="webhook"))
    op.add_column("webhook", sa.Column("options", sa.Text, nullable=False, server_default="{}"))
    for name in ("machine", "reason", "accepted"):
        op.add_column("delivery", sa.Column(name, sa.Text))
