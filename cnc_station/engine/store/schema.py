"""The tables. Times are ms since the epoch; JSON is kept as text; partial indexes guard the
invariants: one live run per job, one per machine."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TextClause,
    case,
    false,
    literal_column,
    text,
    true,
)
from sqlalchemy import event as table_events

metadata = MetaData()

# SQLite generates ids only in a column typed exactly INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
Time = BigInteger
TraceId = String(64).with_variant(String(32), "sqlite")  # SQLite limits no text: files stay as made

# Vacuum busy tables long before a fifth of their rows is dead: claims scan dead rows too. A machine
# changes three times a run, in columns without an index: with free space the new row stays on its
# page, and the indexes need no update.
HOT = {"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_threshold": 500}
_CHANGED_IN_PLACE = {"fillfactor": 50, **HOT}


def _partial_index(
    name: str, where: TextClause, *columns: Column[Any], unique: bool = False
) -> None:
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


job = Table(
    "job",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("trace_id", TraceId, nullable=False),
    Column("name", Text, nullable=False),
    Column("work_order", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("machine_type", Text, nullable=False),
    Column("complexity", Integer, nullable=False),
    Column("material", Text, nullable=False),
    Column("axes", Integer, nullable=False),
    Column("size_x", Float),
    Column("size_y", Float),
    Column("size_z", Float),
    Column("priority", Integer, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("estimated_s", Float, nullable=False),
    Column("due_at", Time),
    Column("program", String(64), ForeignKey("program.sha256")),
    Column("handler", Text, nullable=False),
    Column("retry_limit", Integer),
    Column("timeout_s", Float),
    Column("state", Text, nullable=False),
    Column("state_since", Time, nullable=False),
    Column("rank", Float(53), nullable=False),
    Column("not_before", Time),
    Column("blocked", Boolean, nullable=False),
    Column("pinned_machine_id", Id),
    Column("machine_id", Id),
    Column("run_id", Id),
    Column("token", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("finished_at", Time),
    Column("search", Text, nullable=False),
    Column("payload", Text, nullable=False),  # last: lists do not read it
    Column("schedule_id", Id),
    Column("owner", Text, nullable=False, server_default=""),  # who submitted it
    Column("customer", Text, nullable=False, server_default=""),
    Column("external_id", Text, nullable=False, server_default=""),
    Column("description", Text, nullable=False, server_default=""),
    Column("notes", Text, nullable=False, server_default=""),
    Column("edited_at", Time),  # the last change that left its state as it was
    Column("account_id", Id),  # of the owner; NULL: submitted without an account
    sqlite_autoincrement=True,  # the id of a deleted job is never used again
    postgresql_with=HOT,
)

_queued = text("state = 'queued' AND pinned_machine_id IS NULL")
_pinned = text("state = 'queued' AND pinned_machine_id IS NOT NULL")
_due = text("state = 'delayed' AND NOT blocked")
_due_in_sqlite = text("state = 'delayed' AND blocked = 0")  # as its statements are compiled
_partial_index("job_ready", _queued, job.c.machine_type, job.c.rank, job.c.id)
_partial_index("job_ready_pinned", _pinned, job.c.pinned_machine_id, job.c.rank, job.c.id)
Index("job_due", job.c.not_before, sqlite_where=_due_in_sqlite, postgresql_where=_due)


def standing_in(table: Table, states: Iterable[str]) -> ColumnElement[bool]:
    """Rows in one of these states, as literals: a partial index serves only a condition it can
    recognise, and a bound list would be expanded again at every execution."""
    return table.c.state.in_([literal_column(f"'{state}'") for state in sorted(states)])


def found_in(table: Table, states: Iterable[str]) -> ColumnElement[bool]:
    """The same for rows that are found by their ids. As a case: otherwise a planner may search all
    rows of these states first, including those that have left them since the last clean-up."""
    return case((standing_in(table, states), true()), else_=false())


queued = job.c.state == literal_column("'queued'")
delayed_and_free = (job.c.state == literal_column("'delayed'")) & ~job.c.blocked

# For the lists. A job is open exactly while it has no finished_at, so that its other changes of
# state need no update of job_open. job_state serves only queries with `counted`, which is always
# true: otherwise planners without statistics would prefer it to the indexes above.
_open = text("finished_at IS NULL")
_finished = text("finished_at IS NOT NULL")
_counted = text("state > ''")
counted = job.c.state > literal_column("''")
_partial_index("job_state", _counted, job.c.state)
_partial_index("job_open", _open, job.c.rank, job.c.id, job.c.due_at)
_partial_index("job_finished", _finished, job.c.finished_at, job.c.state)
_open_of_schedule = text("schedule_id IS NOT NULL AND finished_at IS NULL")
_partial_index("job_of_schedule", _open_of_schedule, job.c.schedule_id)

Index("job_created", job.c.created_at)  # newest first, as programs ask

# By names from outside. `named` is always true of such a search, and lets the index serve it.
_with_external_id, _with_work_order = text("external_id <> ''"), text("work_order <> ''")
_partial_index("job_external", _with_external_id, job.c.external_id, job.c.tenant, unique=True)
_partial_index("job_work_order", _with_work_order, job.c.work_order)
_open_of_account = text("account_id IS NOT NULL AND finished_at IS NULL")
_partial_index("job_of_account", _open_of_account, job.c.account_id)
_with_program = text("program IS NOT NULL")
_partial_index("job_program", _with_program, job.c.program)


def named(column: Column[Any]) -> ColumnElement[bool]:
    """The condition of the index of a name from outside."""
    return column != literal_column("''")


dependency = Table(
    "dependency",
    metadata,
    Column("job_id", Id, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("predecessor_id", Id, ForeignKey("job.id"), primary_key=True),
)
Index("dependency_predecessor", dependency.c.predecessor_id)

machine = Table(
    "machine",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("machine_type", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("driver", Text, nullable=False),
    Column("max_complexity", Integer, nullable=False),
    Column("materials", Text, nullable=False),
    Column("axes", Integer, nullable=False),
    Column("size_x", Float),
    Column("size_y", Float),
    Column("size_z", Float),
    Column("operator_clears", Boolean, nullable=False),
    Column("settings", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_since", Time, nullable=False),
    Column("state_reason", Text, nullable=False),
    Column("maintenance_due", Boolean, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("job_id", Id),
    Column("run_id", Id),
    Column("runs_done", Integer, nullable=False),
    Column("run_seconds", Float(53), nullable=False),
    Column("last_program", Text, nullable=False),
    Column("last_material", Text, nullable=False),
    Column("operator_starts", Boolean, nullable=False, server_default=false()),
    Column("not_ready", Text, nullable=False, server_default=""),
    Column("to_clear", Boolean, nullable=False, server_default=false()),
    Column("position", Text),  # a PositionBasis; NULL: not reported by its driver yet
    Column("position_reason", Text),
    Column("position_since", Time),
    Column("position_by", Text),
    Column("controller_mark", Text),
    Column("unreached_since", Time),  # NULL: its controller answers, or was not tried yet
    sqlite_autoincrement=True,
    postgresql_with=_CHANGED_IN_PLACE,
)
_present = text("NOT removed")
_partial_index("machine_name", _present, machine.c.name, unique=True)

run = Table(
    "run",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", Id, nullable=False),
    Column("machine_id", Id),  # NULL: of a handler
    Column("station", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("lease_until", Time, nullable=False),
    Column("assigned_at", Time, nullable=False),
    Column("started_at", Time),
    Column("ended_at", Time),
    Column("error", Text, nullable=False),
    Column("good", Integer),
    Column("scrap", Integer),
    Column("rework", Integer),
    Column("code", Integer),  # of a handler: the exit code or HTTP status
    Column("result", Text),
    Column("output_size", BigInteger),
    Column("output", Text),  # last: lists do not read it
    # Only where checking a key is cheap. On a server each check costs as much as the row itself,
    # and the claim holds both rows locked: neither can be missing.
    ForeignKeyConstraint(["job_id"], ["job.id"]).ddl_if(dialect="sqlite"),
    ForeignKeyConstraint(["machine_id"], ["machine.id"]).ddl_if(dialect="sqlite"),
    sqlite_autoincrement=True,
    postgresql_with=HOT,
)
_live = text("state IN ('assigned', 'running', 'held')")
live_run = text("run.state IN ('assigned', 'running', 'held')")  # the condition of these indexes
_partial_index("run_live_job", _live, run.c.job_id, unique=True)
_partial_index("run_live_machine", _live, run.c.machine_id, unique=True)
Index("run_job", run.c.job_id)
_ended = text("ended_at IS NOT NULL")
_partial_index("run_ended", _ended, run.c.ended_at)
_without_machine = text("machine_id IS NULL")
_partial_index("run_automation", _without_machine, run.c.id)

event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Time, nullable=False),
    Column("type", Text, nullable=False),
    Column("job_id", Id),
    Column("run_id", Id),
    Column("machine_id", Id),
    Column("job_state", Text),
    Column("run_state", Text),
    Column("machine_state", Text),
    Column("actor", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("details", Text),
    Column("role", Text),  # of the actor, and from where; NULL: of a service, or without accounts
    Column("origin", Text),
)
Index("event_job", event.c.job_id, event.c.id)
Index("event_machine", event.c.machine_id, event.c.id)
Index("event_at", event.c.at)
# The events that no job takes along when it expires. `of_no_job` is the condition of the index.
_of_no_job = text("job_id IS NULL OR type = 'deleted'")
of_no_job = text("(event.job_id IS NULL OR event.type = 'deleted')")
_partial_index("event_of_no_job", _of_no_job, event.c.at)
_partial_index("event_of_people", text("origin IS NOT NULL"), event.c.id)
# Only on a server, where ids are not in the order of commits: the transaction of each event, for
# whoever follows them (see `domain/event_cursor.py`). The server sets it. Older events have none.
for _ddl in (
    "ALTER TABLE event ADD COLUMN xid xid8 DEFAULT pg_current_xact_id()",
    "CREATE INDEX event_xid ON event (xid) WHERE xid IS NOT NULL",
):
    _only_there = DDL(_ddl).execute_if(dialect="postgresql")  # type: ignore[no-untyped-call]
    table_events.listen(event, "after_create", _only_there)

program = Table(
    "program",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("findings", Text, nullable=False),
    Column("added_at", Time, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),  # last: lists do not read it
)
# The programs whose time is not certain. Not a column, which SQLite would read after the content.
doubtful_program = Table(
    "doubtful_program", metadata, Column("sha256", String(64), primary_key=True)
)
Index("program_name", program.c.name, program.c.revision, unique=True)

station = Table(
    "station",
    metadata,
    Column("name", Text, primary_key=True),
    Column("incarnation", String(32), nullable=False),
    Column("host", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", Time, nullable=False),
    Column("heard_at", Time, nullable=False),
    Column("lag_ms", Float, nullable=False),
    Column("left_at", Time),
)

leader = Table(
    "leader",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("holder", Text, nullable=False),
    Column("incarnation", String(32), nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("expires_at", Time, nullable=False),
)

remote_command = Table(
    "remote_command",
    metadata,
    Column("id", Id, primary_key=True),
    Column("station", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("job_id", Id, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_at", Time, nullable=False),
    Column("answer", Text),
    Column("machine_id", Id),
    sqlite_autoincrement=True,
)
_unanswered = text("answer IS NULL")
_partial_index("remote_command_open", _unanswered, remote_command.c.station)

# Of a database file: one row, where it is at home. See `store/home.py`.
home = Table(
    "home",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("computer", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("file", Text, nullable=False),
)

setting = Table(
    "setting",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# What a request with an `Idempotency-Key` created (`result`), and what it was answered: NULL until
# its reply is stored.
idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("request_key", Text, primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("at", Time, nullable=False),
    Column("result", Text),
    Column("status", Integer),
    Column("headers", Text),
    Column("body", LargeBinary),
)
Index("idempotency_key_at", idempotency_key.c.at)

schedule = Table(
    "schedule",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("cron", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("catch_up", Text, nullable=False),
    Column("overlap", Text, nullable=False),
    Column("jitter_s", Float, nullable=False),
    Column("starts_at", Time),
    Column("ends_at", Time),
    Column("paused", Boolean, nullable=False),
    Column("next_due", Time),  # NULL: paused, or never again
    Column("fires_at", Time),  # the same with its jitter
    Column("as_of", Time, nullable=False),  # the time at which these were computed
    Column("created_at", Time, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("job", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("schedule_name", schedule.c.tenant, schedule.c.name, unique=True)

schedule_firing = Table(
    "schedule_firing",
    metadata,
    Column("id", Id, primary_key=True),
    Column("schedule_id", Id, ForeignKey("schedule.id", ondelete="CASCADE"), nullable=False),
    Column("due_at", Time, nullable=False),
    Column("planned_at", Time, nullable=False),  # with its jitter
    Column("fired_at", Time, nullable=False),
    Column("state", Text, nullable=False),
    Column("job_id", Id),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("schedule_firing_due", schedule_firing.c.schedule_id, schedule_firing.c.due_at, unique=True)
_waiting_firing = text("state = 'waiting'")
_partial_index("schedule_firing_waiting", _waiting_firing, schedule_firing.c.schedule_id)
