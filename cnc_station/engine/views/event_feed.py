"""A part of the stream of events, as other programs follow it."""

from dataclasses import dataclass

from cnc_station.engine.domain.event_cursor import EventCursor
from cnc_station.engine.domain.states import JobState


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event with the states before it: those of the former event of that job or machine, None
    if there is none. `tenant` is that of the job, also of a deleted one; None if nobody knows it
    any more."""

    id: int
    at: int
    type: str
    job_id: int | None
    machine_id: int | None
    machine: str | None
    tenant: str | None
    job_state: JobState | None
    old_job_state: JobState | None
    machine_state: str | None
    old_machine_state: str | None
    station: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class EventFeed:
    """Events in their order. `cursor`: where to read on. `complete`: there are no more up to now,
    or up to where they were asked for. `too_old`: events are missing that were asked for; `cursor`
    is then the present end. `base` makes the cursors of its events (`EventCursor.past`)."""

    events: tuple[FeedEvent, ...]
    base: EventCursor
    cursor: EventCursor
    complete: bool = True
    too_old: bool = False
