"""When a run that was given up may be taken up again: conditions on its row."""

from sqlalchemy import ColumnElement, bindparam, exists

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.store.schema import job, machine, run, standing_in


def undecided() -> ColumnElement[bool]:
    """The run's job has no newer run, and nobody has said what becomes of it."""
    step = t.REATTACHED.job
    assert step is not None
    return exists().where(
        job.c.id == run.c.job_id, job.c.run_id == run.c.id, standing_in(job, step.sources)
    )


def still_there() -> ColumnElement[bool]:
    """The run's machine is this station's, and has no other run."""
    step = t.REATTACHED.machine
    assert step is not None
    return (
        exists()
        .where(machine.c.id == run.c.machine_id, wired_here(), standing_in(machine, step.sources))
        .where(machine.c.run_id.is_(None) | (machine.c.run_id == run.c.id))
    )


def wired_here() -> ColumnElement[bool]:
    """The machine is this station's. Said of the run and of the machine itself: between the two it
    may be given away."""
    return (machine.c.station == bindparam("station")) & ~machine.c.removed
