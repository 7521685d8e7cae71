"""Texts stored before they were checked: control and direction characters become escapes, as a
window, a terminal and a table show them."""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

from cnc_station.engine.domain.text_gate import visible

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# By table: its key, and the columns that people read. JSON and what a command printed stay exact.
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "job": (
        *("id", "name", "work_order", "operation", "tenant", "machine_type", "material"),
        *("last_error", "search"),
    ),
    "machine": (
        *("id", "name", "machine_type", "model", "station", "state_reason", "last_program"),
        *("last_material", "not_ready", "position_reason", "position_by"),
    ),
    "run": ("id", "station", "error"),
    "event": ("id", "actor", "station", "reason"),
    "program": ("sha256", "name", "added_by"),
    "station": ("name", "host"),
    "remote_command": ("id", "station", "actor", "reason", "answer"),
    "schedule": ("id", "name", "tenant", "created_by"),
    "schedule_firing": ("id", "actor", "reason"),
}


def upgrade() -> None:
    """Change only the rows that have such a character."""
    connection = op.get_bind()
    for name, (key, *texts) in _TEXTS.items():
        table = sa.table(name, sa.column(key), *map(sa.column, texts))
        odd = sa.or_(*(_is_odd(table.c[text]) for text in texts))
        found = connection.execute(sa.select(table).where(odd)).mappings().all()
        for row in found:
            shown = {text: visible(row[text], lines=True) for text in texts if row[text]}
            changed = {text: value for text, value in shown.items() if value != row[text]}
            if changed:
                same = table.c[key] == row[key]
                connection.execute(sa.update(table).where(same).values(changed))


def _is_odd(column: sa.ColumnClause[str]) -> sa.ColumnElement[bool]:
    """Whether it may have such a character: letters beyond ASCII are looked at in Python."""
    if op.get_context().dialect.name == "postgresql":
        return sa.collate(column, "C").regexp_match("[^ -~]")
    return sa.or_(column.op("GLOB")("*[^ -~]*"), sa.func.instr(column, sa.func.char(0)) > 0)
