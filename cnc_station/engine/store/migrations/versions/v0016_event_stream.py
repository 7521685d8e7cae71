"""On a server, each event gets the number of its transaction: whoever follows the events needs the
order of commits. In a file their ids are in this order."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The events that are there stay without one, so that no row is written anew."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute(sa.text("ALTER TABLE event ADD COLUMN xid xid8"))
    op.execute(sa.text("ALTER TABLE event ALTER COLUMN xid SET DEFAULT pg_current_xact_id()"))
    op.execute(sa.text("CREATE INDEX event_xid ON event (xid) WHERE xid IS NOT NULL"))
