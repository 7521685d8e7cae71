"""Queries about schedules."""

from dataclasses import dataclass

from cnc_station.engine.domain.schedule import Schedule
from cnc_station.engine.queries.base import Query
from cnc_station.engine.views import DueRow, SchedulePreview, ScheduleRow, ScheduleRun


@dataclass(frozen=True, slots=True)
class ListSchedules(Query[tuple[ScheduleRow, ...]]):
    """Every schedule by name."""


@dataclass(frozen=True, slots=True)
class ScheduleById(Query[ScheduleRow | None]):
    """One schedule with all its warnings."""

    schedule_id: int


@dataclass(frozen=True, slots=True)
class ScheduleRuns(Query[tuple[ScheduleRun, ...]]):
    """The due times of a schedule that have passed, newest first; with `before` (ms) those due
    earlier."""

    schedule_id: int
    limit: int = 100
    before: int | None = None


@dataclass(frozen=True, slots=True)
class PreviewSchedule(Query[SchedulePreview]):
    """The next times of a schedule that need not be stored, in words and with warnings. Raises
    InvalidInput."""

    spec: Schedule


@dataclass(frozen=True, slots=True)
class UpcomingRuns(Query[tuple[DueRow, ...]]):
    """When the schedules that are not paused are due within so many hours (at most a year), in
    order; at most `limit` times. Raises InvalidInput."""

    hours: float = 24.0
    limit: int = 2000
