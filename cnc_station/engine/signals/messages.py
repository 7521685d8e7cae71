"""The messages between stations, also of different versions.

A fleet is upgraded station by station. New fields of `NoticeEvent` must be the last ones: an older
station ignores them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnc_station.engine import codec
from cnc_station.engine.domain.notice import MISSED, MOST_EVENTS, Notice, NoticeEvent
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
    return found if len(found.events) <= MOST_EVENTS else MISSED


def _newer_notice(data: bytes) -> Notice:
    known = len(NoticeEvent._fields)
    try:
        body = codec.load(dict[str, Any], data)["body"]
        return codec.check(Notice, {**body, "events": [one[:known] for one in body["events"]]})
    except (ValueError, KeyError, TypeError):
        return MISSED


def telemetry(data: bytes) -> Mapping[int, Telemetry]:
    """Return the telemetry of a message by machine; none if it is not what machines report."""
    if len(data) > REDIS.bytes:
        return {}
    try:
        return codec.load(TelemetryMessage, data).body
    except ValueError:
        return {}
