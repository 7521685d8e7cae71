"""The messages between stations, also of different versions.

A fleet is upgraded station by station. New fields of `NoticeEvent` must be the last ones, and have
a default: an older station ignores them and does not send them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnc_station.engine import codec
from cnc_station.engine.domain.notice import MISSED, MOST_EVENTS, Notice, NoticeColumns, NoticeEvent
from cnc_station.engine.views import Telemetry
from cnc_station.peers.limits import REDIS


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
    if len(found) > MOST_EVENTS:
        return MISSED
    if {len(found)} == set(map(len, found.columns)):
        return found
    return _completed(found)


def _newer_notice(data: bytes) -> Notice:
    known = len(NoticeColumns._fields)
    try:
        body = codec.load(dict[str, Any], data)["body"]
        return codec.check(Notice, {**body, "columns": body["columns"][:known]})
    except (ValueError, KeyError, TypeError):
        return MISSED


def _completed(older: Notice) -> Notice:
    """Return the notice of an older station with the fields that it does not know."""
    count, defaults = len(older), NoticeEvent._field_defaults
    unknown = [name for name, column in older.columns._asdict().items() if not column]
    filled: dict[str, Any] = {name: (defaults.get(name),) * count for name in unknown}
    columns = older.columns._replace(**filled)
    return Notice(columns) if {count} == set(map(len, columns)) else MISSED


def telemetry(data: bytes) -> Mapping[int, Telemetry]:
    """Return the telemetry of a message by machine; none if it is not what machines report."""
    if len(data) > REDIS.bytes:
        return {}
    try:
        return codec.load(TelemetryMessage, data).body
    except ValueError:
        return {}
