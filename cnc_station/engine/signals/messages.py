"""The messages between stations, also of different versions.

A fleet is upgraded station by station. New fields of `NoticeEvent` must be the last ones, and have
a default: an older station ignores them and does not send them.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from types import NoneType
from typing import Any

from cnc_station.engine import codec
from cnc_station.engine.domain.notice import MISSED, MOST_EVENTS, Notice, NoticeColumns, NoticeEvent
from cnc_station.engine.views import Telemetry
from cnc_station.peers.limits import REDIS

LARGEST_ID = 2**63 - 1  # of a row in a database
LONGEST_NAME = 200
MOST_MACHINES = 2_000  # of one station
_MOST_OPENED = 2 * MOST_MACHINES  # lists and objects, and their characters in texts
_MOST_VALUES = 2 * MOST_EVENTS * len(NoticeColumns._fields)  # or commas in texts
_PIECE = 50  # machines that are checked together: each value of a wrong kind costs time
_WHOLES = frozenset({"job_id", "run_id", "machine_id", "due_at"})


def prepare() -> None:
    """Prepare the codec. Slow: call it on a thread."""
    codec.prepare(Notice, dict[int, Telemetry], dict[str, Any])


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
    try:
        body = _body(data)
        return MISSED if body["missed"] is not False else Notice(_columns(body["columns"]))
    except (ValueError, KeyError, TypeError):
        return MISSED


def telemetry(data: bytes) -> Mapping[int, Telemetry]:
    """Return the telemetry of a message by machine; none if it is not what machines report."""
    found: dict[int, Telemetry] = {}
    try:
        rest = iter(_body(data).items())
        while piece := dict(islice(rest, _PIECE)):
            found |= codec.check(dict[int, Telemetry], piece)
    except (ValueError, KeyError, TypeError):
        return {}
    return found


def _body(data: bytes) -> dict[str, Any]:
    """The body of a message. Raises ValueError if it would take long to read: a megabyte of small
    lists holds the loop for 0.1 s."""
    opened = max(data.count(b"["), data.count(b"{"))
    if len(data) > REDIS.bytes or opened > _MOST_OPENED or data.count(b",") > _MOST_VALUES:
        raise ValueError("no station sends that much")
    body = codec.load(dict[str, Any], data)["body"]
    if not isinstance(body, dict):
        raise TypeError("a body is an object")
    return body


def _columns(raw: Sequence[object]) -> NoticeColumns:
    """Check the columns. By hand: pydantic reports each wrong value of thousands, not the first.
    Those that an older station does not know have their default."""
    count = len(raw[0]) if isinstance(raw[0], list) else MOST_EVENTS + 1
    if count > MOST_EVENTS:
        raise ValueError("too many events")
    columns: list[tuple[Any, ...]] = []
    for place, name in enumerate(NoticeColumns._fields):
        if place >= len(raw):
            columns.append((NoticeEvent._field_defaults[name],) * count)
            continue
        column = raw[place]
        if not isinstance(column, list) or len(column) != count or not _is_sound(name, column):
            raise ValueError(f"{name} is not a column of values")
        columns.append(tuple(column))
    return NoticeColumns(*columns)


def _is_sound(name: str, column: list[Any]) -> bool:
    kinds = set(map(type, column))
    if name == "frees_machine":
        return kinds <= {bool}
    if name not in ("type", "station"):
        kinds.discard(NoneType)
    present = set(column) - {None}
    if name in _WHOLES:
        return kinds <= {int} and all(0 <= value <= LARGEST_ID for value in present)
    return kinds <= {str} and max(map(len, present), default=0) <= LONGEST_NAME
