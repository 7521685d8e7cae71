"""What can be asked about jobs."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.event import Event
from cnc_station.engine.queries.base import Query
from cnc_station.engine.views import (
    JobCounts,
    JobDetail,
    JobFilter,
    JobPage,
    JobRow,
    RunRow,
    Sort,
)


@dataclass(frozen=True, slots=True)
class ListJobs(Query[JobPage]):
    """A page of the jobs that `chosen` selects."""

    chosen: JobFilter
    order: Sequence[Sort]
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class JobsById(Query[tuple[JobRow, ...]]):
    """The rows of these jobs; those that do not exist are left out."""

    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class CountJobs(Query[JobCounts]):
    """Counts per state of the jobs that `chosen` selects, its own `states` and `late` left out, so
    that every filter chip can carry its number."""

    chosen: JobFilter


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
class ListEvents(Query[tuple[Event, ...]]):
    """Events oldest first; the first `limit` after `after`, or with `newest` the last."""

    job_id: int | None = None
    machine_id: int | None = None
    after: int = 0
    limit: int = 500
    newest: bool = False


@dataclass(frozen=True, slots=True)
class ListRuns(Query[tuple[RunRow, ...]]):
    """The latest runs, newest first; with `job_id` those of one job."""

    job_id: int | None = None
    limit: int = 200
