"""Who submitted a job, for whom, what other systems call it, and what people note about it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_TEXTS = ("owner", "customer", "external_id", "description", "notes")
_OWNERS = """
UPDATE job SET owner = (
    SELECT event.actor FROM event WHERE event.job_id = job.id ORDER BY event.id LIMIT 1
)
WHERE EXISTS (SELECT 1 FROM event WHERE event.job_id = job.id)
"""


def upgrade() -> None:
    """Older jobs belong to the person of their first event, as far as that is kept."""
    for name in _TEXTS:
        op.add_column("job", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("job", sa.Column("edited_at", sa.BigInteger()))
    op.execute(sa.text(_OWNERS))
    op.create_index("job_created", "job", ["created_at"])
    for name, columns, unique in (
        ("job_external", ["external_id", "tenant"], True),
        ("job_work_order", ["work_order"], False),
    ):
        named = sa.text(f"{columns[0]} <> ''")
        op.create_index(
            name, "job", columns, unique=unique, sqlite_where=named, postgresql_where=named
        )
