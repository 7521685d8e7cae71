"""Event types, the table of remote commands and one action get the names that the program uses."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_EVENT_TYPES = {
    "taken_up": "reattached",
    "put_aside": "deferred",
    "given_back": "requeued",
    "examined": "inspected",
    # One transition: the job's state in the event says whether it waits.
    "created_waiting": "created",
    "submitted_waiting": "submitted",
    "resumed_waiting": "resumed",
    "restored_waiting": "restored",
    "retried_waiting": "retried",
    "scrapped_waiting": "scrapped",
    "machine_moved_as_it_is": "machine_moved",
}


def upgrade() -> None:
    """Rename what is stored; no event is added, removed or moved."""
    for before, after in _EVENT_TYPES.items():
        rename = sa.text("UPDATE event SET type = :after WHERE type = :before")
        op.execute(rename.bindparams(before=before, after=after))
    op.drop_index("errand_open", "errand")
    op.rename_table("errand", "remote_command")
    op.execute(sa.text("UPDATE remote_command SET action = 'defer' WHERE action = 'put_aside'"))
    unanswered = sa.text("answer IS NULL")
    op.create_index(
        "remote_command_open",
        "remote_command",
        ["station"],
        sqlite_where=unanswered,
        postgresql_where=unanswered,
    )
    if op.get_context().dialect.name == "postgresql":  # the server named these after the table
        op.execute(sa.text("ALTER SEQUENCE errand_id_seq RENAME TO remote_command_id_seq"))
        op.execute(sa.text("ALTER INDEX errand_pkey RENAME TO remote_command_pkey"))
