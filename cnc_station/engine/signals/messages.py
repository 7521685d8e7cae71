"""The messages between stations, also of different versions.

A fleet is upgraded station by station. New fields of `NoticeEvent` must be the last ones: an older
station ignores them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from cnc_station.engine import codec
from cnc_station.engine.domain.notice import MISSED, MOST_EVENTS, Notice, NoticeEvent
from cnc_station.engine.views import Telemetry
from cnc_station.peers.limits import REDIS
from cnc_station.peers.values import number

LARGEST_ID = 2**63 - 1  # of a row in a database
LONGEST_NAME = 200
LONGEST_REST_S = 1e9


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """A notice from another station."""

    body: Notice


@dataclass(frozen=True, slots=True)
class TelemetryMessage:
    """Telemetry from another station, by machine id."""

    body: dict[int, Telemetry]


def prepare() -> None:
    """Prepare the codec. Slow: call it on a thread."""
    codec.prepare(Notice, dict[int, Telemetry], NoticeMessage, TelemetryMessage)


def of_notice(sender: str, notice: Notice) -> bytes:
    """Return a notice as a message of `sender`."""
    return _message(sender, codec.dump(Notice, notice))


def of_telemetry(sender: str, telemetry: Mapping[int, Telemetry]) -> bytes:
    """Return telemetry as a message of `sender`."""
    return _message(sender, codec.dump(dict[int, Telemetry], telemetry))


def _message(sender: str, body: bytes) -> bytes:
    return b"%s%s}" % (beginning(sender), body)


def beginning(sender: str) -> bytes:
    """Return the first bytes of a sender's messages."""
    return b'{"from":"%s","body":' % sender.encode()


def notice(data: bytes) -> Notice:
    """Return the notice of a message; MISSED if it cannot be read, or no station can have sent
    it."""
    if len(data) > REDIS.bytes:
        return MISSED
    try:
        found = codec.load(NoticeMessage, data).body
    except ValueError:
        found = _newer_notice(data)
    sound = len(found.events) <= MOST_EVENTS and all(map(_is_sound, found.events))
    return found if sound else MISSED


def _is_sound(event: NoticeEvent) -> bool:
    _, _, job_id, run_id, machine_id, _, _, _, _, _, due_at, _ = event
    return (
        (job_id is None or 0 <= job_id <= LARGEST_ID)
        and (run_id is None or 0 <= run_id <= LARGEST_ID)
        and (machine_id is None or 0 <= machine_id <= LARGEST_ID)
        and (due_at is None or 0 <= due_at <= LARGEST_ID)
        and len(event.type) <= LONGEST_NAME
        and len(event.station) <= LONGEST_NAME
        and (event.tenant is None or len(event.tenant) <= LONGEST_NAME)
        and (event.machine_type is None or len(event.machine_type) <= LONGEST_NAME)
    )


def _newer_notice(data: bytes) -> Notice:
    known = len(NoticeEvent._fields)
    try:
        body = codec.load(dict[str, Any], data)["body"]
        return codec.check(Notice, {**body, "events": [one[:known] for one in body["events"]]})
    except (ValueError, KeyError, TypeError):
        return MISSED


def telemetry(data: bytes) -> Mapping[int, Telemetry]:
    """Return the telemetry of a message by machine; only what a machine can report."""
    if len(data) > REDIS.bytes:
        return {}
    try:
        found = codec.load(TelemetryMessage, data).body
    except ValueError:
        return {}
    return {machine_id: told for machine_id, told in found.items() if _can_be(told)}


_figures = attrgetter(*(each.name for each in fields(Telemetry)))


def _can_be(told: Telemetry) -> bool:
    rest = told.remaining_s or 0.0, told.part_remaining_s or 0.0
    return (
        all(figure is None or number(figure) is not None for figure in _figures(told))
        and 0 <= told.fraction <= 1
        and 0 <= told.part_fraction <= 1
        and all(abs(seconds) <= LONGEST_REST_S for seconds in rest)
    )
