"""The tables of alerts: the open and the ended ones, the rules, and what was told by which rule."""

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, text

from cnc_station.engine.store.schema import Id, Time, metadata

alert = Table(
    "alert",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("machine_id", Id),
    Column("job_id", Id),
    Column("tenant", Text),  # NULL: of the whole shop
    Column("args", Text, nullable=False),
    Column("since", Time, nullable=False),
    Column("raised_at", Time, nullable=False),
    Column("acknowledged_at", Time),
    Column("acknowledged_by", Text),
    Column("acknowledged_reason", Text),
    Column("ended_at", Time),
    sqlite_autoincrement=True,
)
_open = text("ended_at IS NULL")
Index("alert_open", alert.c.key, unique=True, sqlite_where=_open, postgresql_where=_open)
_ended = text("ended_at IS NOT NULL")
Index("alert_ended", alert.c.ended_at, sqlite_where=_ended, postgresql_where=_ended)
Index("alert_machine", alert.c.machine_id, alert.c.id)

alert_rule = Table(
    "alert_rule",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("tenant", Text),  # NULL: of the whole shop
    Column("rule", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("created_by", Text, nullable=False),
    sqlite_autoincrement=True,
)

alert_step = Table(
    "alert_step",
    metadata,
    Column("alert_id", Id, primary_key=True, autoincrement=False),
    Column("rule_id", Id, primary_key=True, autoincrement=False),
    Column("sent", Integer, nullable=False),
    Column("sent_at", Time, nullable=False),
    Column("done", Boolean, nullable=False),  # the alert is over, and that was told if it should be
)
_undone = text("NOT done")
Index("alert_step_undone", alert_step.c.alert_id, sqlite_where=_undone, postgresql_where=_undone)

alert_message = Table(
    "alert_message",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Time, nullable=False),
    Column("alert_id", Id),  # NULL: a test
    Column("rule_id", Id, nullable=False),
    Column("rule_name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("sound", Text, nullable=False),
    Column("delivery_id", Id),
    Column("error", Text, nullable=False),
    Column("tenant", Text),
    Column("message", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("alert_message_alert", alert_message.c.alert_id)
