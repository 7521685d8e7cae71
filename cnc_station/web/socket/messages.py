"""The messages that an event becomes, each worded once for all clients."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.event_cursor import EventCursor
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import WebhookEvent, status_of
from cnc_station.engine.door import Door
from cnc_station.engine.queries import JobsById
from cnc_station.engine.views.event_feed import EventFeed, FeedEvent
from cnc_station.web.api.job_values import JobOut
from cnc_station.web.api.values import written
from cnc_station.web.socket.outbox import frame
from cnc_station.web.socket.protocol import Topic

DELETED = "job:deleted"
MACHINE = "machine:state:updated"
STATIONS: Mapping[str, str] = {
    t.STATION_JOINED.name: "station:joined",
    t.STATION_LEFT.name: "station:left",
}


@dataclass(frozen=True, slots=True)
class Message:
    """`cursor` is the place behind it. `tenant` is that of its job, None if it is not known."""

    topic: Topic
    tenant: str | None
    cursor: EventCursor
    frame: bytes


async def messages_of(door: Door, feed: EventFeed, skip: int = 0) -> list[Message]:
    """The messages of all events in their order, without the first `skip` of the first event.
    Raises Unavailable."""
    named = [(event, tuple(_named(event))) for event in feed.events]
    jobs = await _jobs(door, [event for event, names in named if names])
    found: list[Message] = []
    for event, names in named:
        for place, (topic, name) in enumerate(names, 1):
            if place == len(names):
                cursor = feed.base.past(event.id, event.at)
            else:
                cursor = feed.base.within(event.id, event.at, place)
            found.append(_message(event, topic, name, cursor, jobs))
    if skip and feed.events:
        skip = min(skip, len(named[0][1]))
    return found[skip:]


def _named(event: FeedEvent) -> Iterator[tuple[Topic, str]]:
    """The names of an event. They depend on stored facts alone, so that a cursor can count them."""
    for name in _job_names(event) if event.job_id is not None else ():
        yield Topic.JOBS, name
    if event.machine_state != event.old_machine_state or event.type == t.MACHINE_REMOVED.name:
        yield Topic.MACHINES, MACHINE
    if event.type in STATIONS:
        yield Topic.STATIONS, STATIONS[event.type]


def _job_names(event: FeedEvent) -> Iterator[str]:
    row = t.JOB_TRANSITIONS.get(event.type)
    if row is None or row.job is None:
        return
    if event.type == t.DELETED.name:
        yield DELETED
    elif not row.job.sources:
        yield WebhookEvent.CREATED
    elif event.job_state != event.old_job_state:
        yield WebhookEvent.STATUS_UPDATED
        if event.job_state is JobState.COMPLETED:
            yield WebhookEvent.COMPLETED
        elif event.job_state is JobState.NEEDS_ATTENTION:
            yield WebhookEvent.MOVED_TO_DLQ


async def _jobs(door: Door, events: Sequence[FeedEvent]) -> Mapping[int, str]:
    """The jobs of the events as they are now, in JSON."""
    ids = dict.fromkeys(
        event.job_id
        for event in events
        if event.job_id is not None and event.type != t.DELETED.name
    )
    rows = await door.ask(JobsById(tuple(ids))) if ids else ()
    return {row.id: JobOut.of(row).model_dump_json() for row in rows}


def _message(
    event: FeedEvent, topic: Topic, name: str, cursor: EventCursor, jobs: Mapping[int, str]
) -> Message:
    head: dict[str, Any] = {
        "type": "EVENT",
        "event": name,
        "eventId": str(cursor),
        "at": written(event.at),
    }
    if topic is Topic.JOBS:
        assert event.job_id is not None
        text = _text(head | _of_job(event))
        text = f'{text[:-1]},"job":{jobs.get(event.job_id, "null")}}}'
        return Message(topic, event.tenant, cursor, frame(text))
    if topic is Topic.MACHINES:
        values = _of_machine(event)
    else:
        values = {"tenantId": None, "station": event.station}
    return Message(topic, None, cursor, frame(_text(head | values)))


def _of_job(event: FeedEvent) -> dict[str, Any]:
    state, old = event.job_state, event.old_job_state
    return {
        "tenantId": event.tenant,
        "jobId": event.job_id,
        "status": status_of(state) if state else None,
        "oldStatus": status_of(old) if old else None,
        "state": state,
        "oldState": old,
        "traceId": event.trace_id,
    }


def _of_machine(event: FeedEvent) -> dict[str, Any]:
    """Everybody sees the machines: nothing of the job is told here."""
    removed = event.type == t.MACHINE_REMOVED.name
    return {
        "tenantId": None,
        "machineId": event.machine_id,
        "machine": event.machine,
        "state": None if removed else event.machine_state,
        "oldState": event.old_machine_state,
    }


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
