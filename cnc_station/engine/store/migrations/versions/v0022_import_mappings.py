"""Remember which column was which field in the last import of each sender's table."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is remembered of earlier imports."""
    op.create_table(
        "import_mapping",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("import_mapping_at", "import_mapping", ["at"])
