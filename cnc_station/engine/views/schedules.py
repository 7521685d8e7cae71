"""Schedules, what came of their due times, and the times to come."""

from dataclasses import dataclass

from cnc_station.engine.domain.schedule import FiringState, Schedule
from cnc_station.engine.domain.states import JobState


@dataclass(frozen=True, slots=True)
class ScheduleRun:
    """What came of one due time. `planned_at` is the due time with its jitter, `fired_at` when it
    was handled; `seconds` how long the last run of its job took. `actor` is a person's name if it
    was triggered by hand."""

    id: int
    schedule_id: int
    due_at: int
    planned_at: int
    fired_at: int
    state: FiringState
    job_id: int | None
    job_state: JobState | None
    seconds: float | None
    actor: str
    reason: str

    @property
    def late_s(self) -> float:
        return (self.fired_at - self.planned_at) / 1000


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One schedule. `next_due` is None if it is paused or never due again; `words` the rule in
    words."""

    id: int
    version: int
    spec: Schedule
    next_due: int | None
    words: str
    last: ScheduleRun | None
    open_jobs: int
    warnings: tuple[str, ...]
    created_at: int
    created_by: str

    def matches(self, text: str) -> bool:
        """Whether every word of `text` occurs in its name, job, rule or tenant, in any case."""
        spec = self.spec
        searched = f"{spec.name} {spec.job.name} {spec.cron} {self.words} {spec.tenant}".lower()
        return all(word in searched for word in text.lower().split())


@dataclass(frozen=True, slots=True)
class DueRow:
    """A time at which a schedule is due, with the offset from UTC there; `note` says how a change
    of the clock touches it."""

    at: int
    offset_s: int
    note: str = ""
    schedule_id: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class SchedulePreview:
    """The next times of a schedule. `rule` says what happens when the clock changes."""

    times: tuple[DueRow, ...]
    words: str
    warnings: tuple[str, ...]
    rule: str
