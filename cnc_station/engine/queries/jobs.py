"""Queries about jobs, their events and their runs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.event_cursor import EventCursor
from cnc_station.engine.queries.base import Query
from cnc_station.engine.views import (
    ExportPart,
    JobCounts,
    JobDetail,
    JobFilter,
    JobPage,
    JobRow,
    JobsPart,
    RunDetail,
    RunFilter,
    RunRow,
    Sort,
)
from cnc_station.engine.views.event_feed import EventFeed


@dataclass(frozen=True, slots=True)
class ListJobs(Query[JobPage]):
    """A page of the jobs that `chosen` selects. `with_next`: with the next step of each in words,
    which costs more than all the rest."""

    chosen: JobFilter
    order: Sequence[Sort]
    offset: int
    limit: int
    with_next: bool = False


@dataclass(frozen=True, slots=True)
class JobsById(Query[tuple[JobRow, ...]]):
    """The rows of these jobs; those that do not exist are left out. `with_next` as in
    `ListJobs`."""

    ids: Sequence[int]
    with_next: bool = False


@dataclass(frozen=True, slots=True)
class CountJobs(Query[JobCounts]):
    """Counts per state of the jobs that `chosen` selects, its own `states` and `late` left out, so
    that every filter chip can carry its number; `narrowed`: not left out."""

    chosen: JobFilter
    narrowed: bool = False


@dataclass(frozen=True, slots=True)
class JobById(Query[JobDetail | None]):
    """Everything about one job but its events."""

    job_id: int


@dataclass(frozen=True, slots=True)
class ExportJobs(Query[bytes]):
    """The jobs that `chosen` selects as `csv` or `json`, UTF-8."""

    chosen: JobFilter
    order: Sequence[Sort]
    form: str


@dataclass(frozen=True, slots=True)
class ExportJobsAfter(Query[ExportPart]):
    """The next jobs of an export as CSV in the order of their ids, after the job `after`; 0: the
    first ones. All parts in a row are one file, however many jobs it has."""

    chosen: JobFilter
    after: int = 0


@dataclass(frozen=True, slots=True)
class ListJobsAfter(Query[JobsPart]):
    """As `ExportJobsAfter`, as rows."""

    chosen: JobFilter
    after: int = 0


@dataclass(frozen=True, slots=True)
class ListEvents(Query[tuple[Event, ...]]):
    """Events oldest first; the first `limit` after `after`, or with `newest` the last. Without
    `types` of any type."""

    job_id: int | None = None
    machine_id: int | None = None
    after: int = 0
    limit: int = 500
    newest: bool = False
    types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EventsSince(Query[EventFeed]):
    """The events after a cursor, each once, those of a job in the order of its changes; None: none,
    but the cursor of the present end. At most `limit`, and none after `until`, a later cursor."""

    after: EventCursor | None = None
    until: EventCursor | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRuns(RunFilter, Query[tuple[RunRow, ...]]):
    """The latest runs that the filter selects, newest first, without the first `offset`."""

    limit: int = 200
    offset: int = 0

    @classmethod
    def of(cls, chosen: RunFilter, limit: int) -> "ListRuns":
        """The latest runs of this filter."""
        return cls(
            **{field.name: getattr(chosen, field.name) for field in fields(RunFilter)}, limit=limit
        )


@dataclass(frozen=True, slots=True)
class CountRuns(Query[int]):
    """The number of all runs that `chosen` selects."""

    chosen: RunFilter


@dataclass(frozen=True, slots=True)
class RunById(Query[RunDetail | None]):
    """One run with its output, also while it runs: at this station as it is now, at another one the
    end of it some seconds ago."""

    run_id: int
