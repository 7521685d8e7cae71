"""Events: facts about jobs, runs and machines, and how to replay them into states."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.transitions import JOB_TRANSITIONS


@dataclass(frozen=True, slots=True)
class Event:
    """One fact that never changes.

    `type` is the name of its transition. The `*_state` fields are the states after it; None if that
    subject was not touched. `actor`: a person's name, or the service that acted by itself. `role`
    and `origin`: of a person, and from where; "" of a service.
    """

    id: int
    at: int
    type: str
    job_id: int | None
    run_id: int | None
    machine_id: int | None
    job_state: JobState | None
    run_state: str | None
    machine_state: str | None
    actor: str
    station: str
    trace_id: str
    reason: str
    details: dict[str, Any]
    role: str = ""
    origin: str = ""


class HistoryBroken(Exception):
    """The events of a job contradict the transition table: a bug, or a damaged database."""


def replay(events: Iterable[Event]) -> JobState | None:
    """Return the state after a job's events, oldest first; None before and after its life. Raises
    HistoryBroken if an event may not follow the one before it."""
    state: JobState | None = None
    for event in events:
        row = JOB_TRANSITIONS.get(event.type)
        if row is None or row.job is None:
            raise HistoryBroken(f"event {event.id}: {event.type!r} is not a transition of a job")
        if not row.job.allows(state):
            raise HistoryBroken(f"event {event.id}: {event.type!r} from {state}")
        if event.type == "deleted":
            state = None
            continue
        reached = row.job.leads_to(state)
        if event.job_state not in reached:
            raise HistoryBroken(f"event {event.id} records {event.job_state}, not {reached}")
        state = event.job_state
    return state
