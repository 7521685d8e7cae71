"""What stations write to each other, and how it is read when another version has written it.

A fleet is brought up to date one station after the other. A field that is added to `NoticeEvent`
stands last, where an older station leaves it out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnc_station.engine import codec
from cnc_station.engine.domain.notice import MISSED, Notice, NoticeEvent
from cnc_station.engine.views import Telemetry

MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """What has changed."""

    body: Notice


@dataclass(frozen=True, slots=True)
class TelemetryMessage:
    """What the sender's machines do, by machine id."""

    body: dict[int, Telemetry]


def prepare() -> None:
    """Load what reading and writing take. Slow: on a thread."""
    codec.prepare(Notice, dict[int, Telemetry], NoticeMessage, TelemetryMessage)


def of_notice(sender: str, notice: Notice) -> bytes:
    """A notice as a message of `sender`."""
    return _message(sender, codec.dump(Notice, notice))


def of_telemetry(sender: str, telemetry: Mapping[int, Telemetry]) -> bytes:
    """Telemetry as a message of `sender`."""
    return _message(sender, codec.dump(dict[int, Telemetry], telemetry))


def _message(sender: str, body: bytes) -> bytes:
    return b"%s%s}" % (beginning(sender), body)


def beginning(sender: str) -> bytes:
    """What a sender's messages begin with."""
    return b'{"from":"%s","body":' % sender.encode()


def notice(data: bytes) -> Notice:
    """What another station has changed; MISSED if that cannot be read."""
    if len(data) > MOST_BYTES:
        return MISSED
    try:
        return codec.load(NoticeMessage, data).body
    except ValueError:
        return _newer_notice(data)


def _newer_notice(data: bytes) -> Notice:
    known = len(NoticeEvent._fields)
    try:
        body = codec.load(dict[str, Any], data)["body"]
        return codec.check(Notice, {**body, "events": [one[:known] for one in body["events"]]})
    except (ValueError, KeyError, TypeError):
        return MISSED


def telemetry(data: bytes) -> Mapping[int, Telemetry]:
    """What another station's machines do; nothing if that cannot be read."""
    try:
        return codec.load(TelemetryMessage, data[:MOST_BYTES]).body
    except ValueError:
        return {}
