"""Find what people and programs did without reading what services did."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Events from before accounts have no origin: the audit begins with the upgrade to them."""
    where = sa.text("origin IS NOT NULL")
    op.create_index("event_of_people", "event", ["id"], sqlite_where=where, postgresql_where=where)
