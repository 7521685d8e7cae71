"""The messages between stations, also of different versions.

A fleet is upgraded station by station. New fields of `NoticeEvent` must be the last ones: an older
station ignores them.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeVar, cast

from cnc_station.engine import codec
from cnc_station.engine.domain.notice import MISSED, MOST_EVENTS, Notice, NoticeEvent
from cnc_station.engine.views import Telemetry
from cnc_station.peers.limits import KB, REDIS
from cnc_station.peers.pace import LoopShare
from cnc_station.peers.values import number

LARGEST_ID = 2**63 - 1  # of a row in a database
LONGEST_NAME = 200
LONGEST_REST_S = 1e9
_AT_ONCE = 8 * KB  # of a message that is checked in one step
_PIECE = 100  # events, or machines, of a larger one that are checked in one step
_MOST_OPENED = 2 * MOST_EVENTS  # lists or objects: one for each event, and those in texts

T = TypeVar("T")
Steps = Generator[None, None, T]


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
    codec.prepare(dict[str, Any], tuple[NoticeEvent, ...], bool)


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
    return _result(_notice_steps(data))


async def read_notice(data: bytes) -> Notice:
    """As `notice`, in slices of the loop."""
    return await _in_slices(_notice_steps(data))


def _notice_steps(data: bytes) -> Steps[Notice]:
    if not _may_be_read(data):
        return MISSED
    if len(data) <= _AT_ONCE:
        found = _small_notice(data)
        return found if all(map(_is_sound, found.events)) else MISSED
    known, events = len(NoticeEvent._fields), list[NoticeEvent]()
    try:
        body = codec.load(dict[str, Any], data)["body"]
        rows, missed = body["events"], codec.check(bool, body["missed"])
        if not isinstance(rows, list) or len(rows) > MOST_EVENTS:
            return MISSED
        for begin in range(0, len(rows), _PIECE):
            piece = [row[:known] for row in rows[begin : begin + _PIECE]]
            events += codec.check(tuple[NoticeEvent, ...], piece)
            if not all(map(_is_sound, events[begin:])):
                return MISSED
            yield
    except (ValueError, KeyError, TypeError):
        return MISSED
    return Notice(tuple(events), missed)


def _may_be_read(data: bytes) -> bool:
    """Whether it is small enough: of many small lists, a megabyte takes a tenth of a second."""
    opened = max(data.count(b"["), data.count(b"{"))
    return len(data) <= REDIS.bytes and opened <= _MOST_OPENED


def _result(steps: Steps[T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast(T, end.value)


async def _in_slices(steps: Steps[T]) -> T:
    share = LoopShare()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast(T, end.value)
        await share.offer()


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


def _small_notice(data: bytes) -> Notice:
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
    """Return the telemetry of a message by machine; only what a machine can report."""
    return _result(_telemetry_steps(data))


async def read_telemetry(data: bytes) -> Mapping[int, Telemetry]:
    """As `telemetry`, in slices of the loop."""
    return await _in_slices(_telemetry_steps(data))


def _telemetry_steps(data: bytes) -> Steps[Mapping[int, Telemetry]]:
    if not _may_be_read(data):
        return {}
    found: dict[int, Telemetry] = {}
    try:
        if len(data) <= _AT_ONCE:
            found = codec.load(TelemetryMessage, data).body
        else:
            rows = list(codec.load(dict[str, Any], data)["body"].items())
            for begin in range(0, len(rows), _PIECE):
                piece = dict(rows[begin : begin + _PIECE])
                found |= codec.check(dict[int, Telemetry], piece)
                yield
    except (ValueError, KeyError, TypeError, AttributeError):
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
