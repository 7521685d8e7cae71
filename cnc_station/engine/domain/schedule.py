"""Schedules: rules that make jobs by the clock, and what is due, missed or too much of them."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from hashlib import blake2b
from itertools import accumulate, islice, pairwise, takewhile
from typing import ClassVar

from cnc_station.engine.domain import checks, cron
from cnc_station.engine.domain.admission import Text
from cnc_station.engine.domain.cron import Cron, DueTime
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import FINISHED_JOBS, JobState

MOST_CAUGHT_UP = 100
MOST_WAITING = 100
LONGEST_JITTER_S = 3_600.0
MISSED_AFTER_S = 60.0  # a new leader may need half of this
YEAR_MS = 366 * 86_400_000
NEXT = 5
# A job that needs attention waits for a person: its schedule goes on.
OVER = FINISHED_JOBS | {JobState.NEEDS_ATTENTION}
_HOUR_MS = 3_600_000
# What a template cannot say: it would be the same for every job, or is about other jobs.
_NOT_IN_TEMPLATES = (
    *("due_at", "not_before", "after", "key", "after_keys", "draft", "source"),
    "external_id",
)
_TEXTS = {"name": Text(200), "cron": Text(cron.MOST_CHARACTERS), "time_zone": Text(80)}


class CatchUp(StrEnum):
    """What happens to the times that passed while no station was at work."""

    SKIP = "skip"
    ONCE = "once"
    ALL = "all"  # at most the last `MOST_CAUGHT_UP`


class FiringState(StrEnum):
    """What came of a due time."""

    FIRED = "fired"
    WAITING = "waiting"  # for an open job of the schedule
    SKIPPED = "skipped"  # because a job of the schedule was open
    MISSED = "missed"
    FAILED = "failed"  # its job could not be made


class Overlap(StrEnum):
    """What happens at a time when a job of the schedule is still open."""

    SKIP = "skip"
    QUEUE = "queue"  # the next job is made when the open one is over
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rule that makes jobs. `job` is the template; `time_zone` an IANA name; `starts_at` and
    `ends_at` are ms, both included. Each job comes up to `jitter_s` after its due time."""

    TEXTS: ClassVar = _TEXTS
    NUMBERS: ClassVar = {"jitter_s": (0.0, LONGEST_JITTER_S)}

    name: str
    cron: str
    time_zone: str
    job: JobSpec
    catch_up: CatchUp = CatchUp.SKIP
    overlap: Overlap = Overlap.SKIP
    jitter_s: float = 0.0
    starts_at: int | None = None
    ends_at: int | None = None
    paused: bool = False

    @property
    def tenant(self) -> str:
        return self.job.tenant

    @property
    def rule(self) -> Cron:
        """Raises ValueError."""
        return cron.rule(self.cron)

    @property
    def zone(self) -> dt.tzinfo:
        """Raises ValueError, also if this computer does not know the zone."""
        return cron.zone(self.time_zone)

    def validated(self) -> "Schedule":
        """Return it with its texts trimmed. Raises InvalidInput with every invalid field."""
        if errors := (*_errors(self), *_template_errors(self.job)):
            raise InvalidInput(*errors)
        return replace(
            self,
            name=self.name.strip(),
            cron=" ".join(self.cron.split()),
            job=self.job.validated(),
            catch_up=CatchUp(self.catch_up),
            overlap=Overlap(self.overlap),
        )

    def after(self, at: int) -> Iterator[DueTime]:
        """Yield the times after `at` (ms) at which it is due, in order."""
        begin = at if self.starts_at is None else max(at, self.starts_at - 1)
        for due in self.rule.after(begin, self.zone):
            if self.ends_at is not None and due.at > self.ends_at:
                return
            yield due

    def next_after(self, at: int) -> int | None:
        """Return the first time after `at` (ms) at which it is due; None if there is none."""
        due = next(self.after(at), None)
        return None if due is None else due.at


EDITABLE = frozenset(field.name for field in fields(Schedule)) - {"paused"}
CHANGES_TIMES = frozenset({"cron", "time_zone", "starts_at", "ends_at"})


def _errors(schedule: Schedule) -> Iterable[FieldError]:
    yield from checks.text("name", schedule.name, _TEXTS["name"].most, wanted=True)
    yield from _rule_errors(schedule)
    for name, kind in (("catch_up", CatchUp), ("overlap", Overlap)):
        if getattr(schedule, name) not in tuple(kind):
            yield FieldError(name, f"must be one of {', '.join(kind)}")
    if not checks.number(schedule.jitter_s) or not 0 <= schedule.jitter_s <= LONGEST_JITTER_S:
        yield FieldError("jitter_s", f"from 0 to {LONGEST_JITTER_S:,.0f} s")
    bounds = [schedule.starts_at, schedule.ends_at]
    for name, at in zip(("starts_at", "ends_at"), bounds, strict=True):
        if at is not None:
            yield from checks.whole(name, at, 0, cron.LATEST)
    start, end = bounds
    if isinstance(start, int) and isinstance(end, int) and end < start:
        yield FieldError("ends_at", "is before the start")
    paused: object = schedule.paused
    if not isinstance(paused, bool):
        yield FieldError("paused", "must be yes or no")


def _template_errors(job: object) -> Iterable[FieldError]:
    if not isinstance(job, JobSpec):
        yield FieldError("job", "must be a job")
        return
    try:
        job.validated()
    except InvalidInput as error:
        yield from (FieldError(f"job.{one.field}", one.reason) for one in error.errors)
    empty = JobSpec("")
    for name in _NOT_IN_TEMPLATES:
        if getattr(job, name) != getattr(empty, name):
            yield FieldError(f"job.{name}", "can't be set in a schedule")


def _rule_errors(schedule: Schedule) -> Iterable[FieldError]:
    for name in ("cron", "time_zone"):
        value = getattr(schedule, name)
        if errors := tuple(checks.text(name, value, _TEXTS[name].most, wanted=True)):
            yield from errors
            continue
        try:
            _ = schedule.rule if name == "cron" else schedule.zone
        except ValueError as error:
            yield FieldError(name, str(error))


def fires_at(schedule_id: int, due: int, jitter_s: float) -> int:
    """Return when a due time (ms) fires: the same for every station, whenever it is asked."""
    if not jitter_s:
        return due
    digest = blake2b(f"{schedule_id}:{due}".encode(), digest_size=8).digest()
    return due + int(int.from_bytes(digest) / 2**64 * jitter_s * 1000)


@dataclass(frozen=True, slots=True)
class Firings:
    """The due times (ms) to fire now and those that are missed, each in order, and the next one.
    `more_missed`: others before them were missed too."""

    fire: tuple[int, ...]
    missed: tuple[int, ...]
    next_due: int | None
    more_missed: bool = False


def firings(schedule: Schedule, schedule_id: int, next_due: int, now: int) -> Firings:
    """Decide about the due times from `next_due` on whose time to fire has come (ms). A time is
    missed if it should have fired more than `MISSED_AFTER_S` ago."""
    jitter_s, before = schedule.jitter_s, now - MISSED_AFTER_S * 1000
    found, coming = _latest(schedule, next_due - 1, now)
    last = found[-MOST_CAUGHT_UP:]
    planned_at = accumulate((fires_at(schedule_id, due, jitter_s) for due in last), max)
    past = list(zip(last, planned_at, strict=True))  # none before those due earlier
    ready = list(takewhile(lambda time: time[1] <= now, past))
    late = sum(planned < before for _, planned in ready)
    caught_up = {CatchUp.SKIP: 0, CatchUp.ONCE: min(1, late), CatchUp.ALL: late}
    missed = late - caught_up[schedule.catch_up]
    return Firings(
        fire=tuple(due for due, _ in ready[missed:]),
        missed=tuple(due for due, _ in ready[:missed]),
        next_due=past[len(ready)][0] if len(ready) < len(past) else coming,
        more_missed=len(found) > MOST_CAUGHT_UP,
    )


def _latest(schedule: Schedule, after: int, until: int) -> tuple[list[int], int | None]:
    """Return the last due times of a period (ms), more than `MOST_CAUGHT_UP` if there are, and the
    first one behind it."""
    span = _HOUR_MS
    while True:
        begin, found, coming = max(after, until - span), [], None
        for due in schedule.after(begin):
            if due.at > until:
                coming = due.at
                break
            found.append(due.at)
        if len(found) > MOST_CAUGHT_UP or begin == after:
            return found, coming
        span *= 4


def next_times(schedule: Schedule, now: int) -> tuple[DueTime, ...]:
    """Return the next times at which it is due."""
    return tuple(islice(schedule.after(now), NEXT))


def warnings(schedule: Schedule, now: int) -> Iterator[str]:
    """Yield what a person should know: changes of the clock within a year that touch the rule, and
    jobs or a jitter longer than the interval."""
    rule, zone = schedule.rule, schedule.zone
    times = [due.at for due in next_times(schedule, now)]
    if not times:
        yield "It is never due between its start and its end."
        return
    for change in cron.clock_changes(now, now + YEAR_MS, zone):
        whole_hours = (change.end - change.start) % dt.timedelta(hours=1) == dt.timedelta()
        touched = rule.touched_by(change)
        if touched and not (rule.follows_clock and rule.every_hour and whole_hours):
            yield _about(change, touched, follows_clock=rule.follows_clock, zone=zone)
    shortest = min((b - a for a, b in pairwise(times)), default=None)
    if shortest is None:
        return
    job = schedule.job
    if job.estimated_s * job.quantity * 1000 > shortest:
        yield "A run is expected to take longer than the time until the next one."
    if schedule.jitter_s * 1000 > shortest:
        yield "The jitter is longer than the time until the next run."


def _about(
    change: cron.ClockChange,
    touched: Sequence[dt.datetime],
    *,
    follows_clock: bool,
    zone: dt.tzinfo,
) -> str:
    first, last = touched[0], touched[-1]
    day = f"{first:%a} {first.day} {first:%b} {first.year}"
    when = f"{first:%H:%M}" if first == last else f"{first:%H:%M} to {last:%H:%M}"
    if change.repeated:
        what = "runs both times" if follows_clock else "runs the first time only"
        return f"{day}: the clock goes back and {when} comes twice. The schedule {what}."
    at = dt.datetime.fromtimestamp(change.at / 1000, zone)
    what = "does not run then" if follows_clock else f"runs at {at:%H:%M} instead"
    return f"{day}: the clock goes forward and skips {when}. The schedule {what}."
