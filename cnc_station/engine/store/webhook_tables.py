"""The tables of deliveries: endpoints, what is to be delivered to them, and every attempt."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    literal_column,
    text,
)

from cnc_station.engine.store.schema import HOT, Id, Time, metadata

webhook = Table(
    "webhook",
    metadata,
    Column("id", Id, primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),  # names, with a space before and after each
    Column("tenant", Text),  # NULL: the jobs of all tenants
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("from_settings", Boolean, nullable=False),
    Column("secret", Text, nullable=False),
    Column("previous_secret", Text),
    Column("previous_until", Time),
    Column("created_at", Time, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("format", Text, nullable=False, server_default="webhook"),
    Column("options", Text, nullable=False, server_default="{}"),  # `FormatOptions` as JSON
    sqlite_autoincrement=True,
)

# One row. On a server, every transaction of a writer reads it when it begins, and a change of the
# endpoints locks it against all others until it is committed. So no transaction can miss an
# endpoint that exists when it is committed.
webhook_revision = Table(
    "webhook_revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(64), nullable=False),  # as the receiver sees it, the same in every attempt
    Column("webhook_id", Id, nullable=False),
    Column("event", Text, nullable=False),
    Column("job_id", Id),
    Column("tenant", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Time),  # of the next attempt, or the end of a station's claim
    Column("tries", Integer, nullable=False),  # since it was queued or replayed
    Column("token", BigInteger, nullable=False),
    Column("station", Text),  # that has claimed it
    Column("ended_at", Time),
    Column("last_status", Integer),
    Column("last_error", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("completed_at", Time),
    Column("run_ms", BigInteger),
    Column("attempt", Integer, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("machine", Text),
    Column("reason", Text),
    Column("accepted", Text),  # recipients that have it, with spaces between them
    sqlite_autoincrement=True,
    postgresql_with=HOT,
)
_due = text("due_at IS NOT NULL")
_dead = text("state = 'dead'")
_ended = text("ended_at IS NOT NULL")
Index(
    "delivery_due",
    delivery.c.webhook_id,
    delivery.c.due_at,
    sqlite_where=_due,
    postgresql_where=_due,
)
Index("delivery_dead", delivery.c.id, sqlite_where=_dead, postgresql_where=_dead)
Index("delivery_job", delivery.c.job_id)
Index("delivery_ended", delivery.c.ended_at, sqlite_where=_ended, postgresql_where=_ended)
Index("delivery_webhook", delivery.c.webhook_id, delivery.c.id)

dead = delivery.c.state == literal_column("'dead'")

delivery_attempt = Table(
    "delivery_attempt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery_id", Id, nullable=False),
    Column("at", Time, nullable=False),
    Column("station", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("request_headers", Text, nullable=False),
    Column("status", Integer),
    Column("response_headers", Text, nullable=False),
    Column("response", Text, nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("error", Text, nullable=False),
    Column("duration_s", Float, nullable=False),
    sqlite_autoincrement=True,
)
Index("delivery_attempt_delivery", delivery_attempt.c.delivery_id)
