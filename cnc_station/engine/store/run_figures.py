"""What is kept of a run when its details are deleted: one row with its figures."""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    insert,
    select,
)

from cnc_station.engine.store.schema import Id, Time, job, machine, metadata, program, run

run_figures = Table(
    "run_figures",
    metadata,
    Column("run_id", Id, primary_key=True, autoincrement=False),
    Column("job_id", BigInteger, nullable=False),
    Column("job", Text, nullable=False),
    Column("work_order", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("machine_type", Text, nullable=False),
    Column("material", Text, nullable=False),
    Column("handler", Text, nullable=False),
    Column("program", String(64)),
    Column("program_name", Text),
    Column("program_revision", Integer),
    Column("machine_id", BigInteger),
    Column("machine", Text),
    Column("station", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", Integer),
    Column("quantity", Integer, nullable=False),
    Column("good", Integer),
    Column("scrap", Integer),
    Column("rework", Integer),
    Column("estimated_s", Float, nullable=False),
    Column("assigned_at", Time, nullable=False),
    Column("started_at", Time),
    Column("ended_at", Time),
)
Index("run_figures_ended", run_figures.c.ended_at)

_FROM_RUN = (
    *("job_id", "machine_id", "station", "attempt", "code", "good", "scrap", "rework"),
    *("assigned_at", "started_at", "ended_at"),
)
_FROM_JOB = (
    *("work_order", "operation", "tenant", "customer", "machine_type", "material"),
    *("handler", "program", "quantity", "estimated_s"),
)
_SOURCES = {
    "run_id": run.c.id,
    "job": job.c.name,
    "outcome": run.c.state,
    "machine": machine.c.name,
    "program_name": program.c.name,
    "program_revision": program.c.revision,
    **{name: run.c[name] for name in _FROM_RUN},
    **{name: job.c[name] for name in _FROM_JOB},
}


def keep_figures(connection: Connection, chosen: ColumnElement[bool]) -> None:
    """Copy the figures of the chosen runs, which the same transaction deletes afterwards."""
    rows = (
        select(*_SOURCES.values())
        .join_from(run, job, job.c.id == run.c.job_id)
        .join(machine, machine.c.id == run.c.machine_id, isouter=True)
        .join(program, program.c.sha256 == job.c.program, isouter=True)
        .where(chosen)
    )
    connection.execute(insert(run_figures).from_select(list(_SOURCES), rows))
