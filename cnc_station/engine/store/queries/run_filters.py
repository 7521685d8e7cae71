"""Which runs a filter selects, and the jobs whose last run it selects, as SQL conditions."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, exists, or_

from cnc_station.engine.domain.job import is_automation
from cnc_station.engine.store.schema import job, machine, run
from cnc_station.engine.views import RunFilter


def run_conditions(chosen: RunFilter) -> Iterator[ColumnElement[bool]]:
    """WHERE terms of a filter for runs joined with their jobs and machines."""
    for column, value in (
        (run.c.job_id, chosen.job_id),
        (run.c.machine_id, chosen.machine_id),
        (run.c.station, chosen.station),
        (job.c.handler, chosen.handler),
    ):
        if value is not None:
            yield column == value
    if chosen.handler is not None and is_automation(chosen.handler):
        yield run.c.machine_id.is_(None)  # by the index of these runs
    if chosen.states:
        yield run.c.state.in_(sorted(chosen.states))
    if chosen.since is not None:
        yield run.c.assigned_at >= chosen.since
    if chosen.until is not None:
        yield run.c.assigned_at < chosen.until
    for word in chosen.text.split():
        texts = (job.c.handler, machine.c.name, run.c.station, run.c.error, run.c.result)
        yield or_(
            job.c.search.contains(word.lower(), autoescape=True),
            *(text.icontains(word, autoescape=True) for text in texts),
        )


def last_run_is(chosen: RunFilter) -> ColumnElement[bool]:
    """A WHERE term for jobs: their last run is one that the filter selects."""
    runs = run.join(machine, machine.c.id == run.c.machine_id, isouter=True)
    last = (run.c.job_id == job.c.id) & (run.c.attempt == job.c.attempt)
    found = exists().select_from(runs).where(last, *run_conditions(chosen))
    return found.correlate(job)
