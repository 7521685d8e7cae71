"""Files attached to jobs and programs, and what people add to the set-up of a program."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TEXT, _TIME = sa.Text, sa.BigInteger


def upgrade() -> None:
    """The bytes of a file are stored once, however often it is attached."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "attachment_content",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("kind", _TEXT(), nullable=False),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    content = sa.ForeignKey("attachment_content.sha256")
    op.create_table(
        "attachment",
        sa.Column("id", number, primary_key=True),
        sa.Column("job_id", number, sa.ForeignKey("job.id")),
        sa.Column("program", _TEXT()),
        sa.Column("revision", sa.Integer()),
        sa.Column("sha256", sa.String(64), content, nullable=False),
        sa.Column("name", _TEXT(), nullable=False),
        sa.Column("added_at", _TIME(), nullable=False),
        sa.Column("added_by", _TEXT(), nullable=False),
        sqlite_autoincrement=True,
    )
    for owner in ("job_id", "program"):
        owned = sa.text(f"{owner} IS NOT NULL")
        op.create_index(
            f"attachment_{owner}",
            "attachment",
            [owner, "sha256"],
            unique=True,
            sqlite_where=owned,
            postgresql_where=owned,
        )
    op.create_index("attachment_sha256", "attachment", ["sha256"])
    op.create_table(
        "set_up_sheet",
        sa.Column("program", _TEXT(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        *(sa.Column(name, _TEXT(), nullable=False) for name in ("notes", "tools", "work_offsets")),
        sa.Column("first_part", sa.Boolean(), nullable=False),
        sa.Column("edited_at", _TIME(), nullable=False),
        sa.Column("edited_by", _TEXT(), nullable=False),
    )
