"""A place in the stream of all events, from which it can be read on without loss or repetition.

Where ids are in the order of commits (SQLite), the place is the id of the last event. On a server
they are not, and a place is a pair of snapshots: all events that were visible in `seen` have been
delivered, and of those that became visible until `batch`, in the order of their ids, those up to
`after`. The events of one job are written under the lock of its row, so this order is theirs.
"""

import base64
import binascii
import re
from dataclasses import dataclass, replace
from typing import Self

MOST_TEXT = 8_192  # characters of a cursor
_VERSION = "1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_BEYOND = 2**63
_TEXT = re.compile(r"[A-Za-z0-9_-]*")


class InvalidCursor(ValueError):
    """Not a cursor of this version of the program."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which transactions have ended: those before `end`, without the `open` ones."""

    end: int
    open: tuple[int, ...] = ()

    def __str__(self) -> str:
        """In PostgreSQL's form `xmin:xmax:xip,…`."""
        first = self.open[0] if self.open else self.end
        return f"{first}:{self.end}:{','.join(map(str, self.open))}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidCursor."""
        first, end, ids = _parts(text, ":", 3)
        found = cls(_number(end), tuple(map(_number, ids.split(","))) if ids else ())
        in_order = (*found.open, found.end)
        if not 0 < _number(first) <= in_order[0] or in_order != tuple(sorted(set(in_order))):
            raise InvalidCursor(text)
        return found


@dataclass(frozen=True, slots=True)
class EventCursor:
    """A place, as it was at `made_at` (ms, by the database's clock).

    `event_id` and `event_at` name an event before it, which proves that the cursor is of this
    database: one that was restored or replaced has no such event. `skip`: how much of the next
    event has been delivered already, for a reader that makes several messages of one event.
    """

    made_at: int
    event_id: int = 0  # 0: there was none
    event_at: int = 0
    after: int = 0
    seen: Snapshot | None = None
    batch: Snapshot | None = None
    skip: int = 0

    def past(self, event_id: int, at: int) -> Self:
        """The place behind an event of this batch."""
        return replace(self, event_id=event_id, event_at=at, after=event_id, skip=0)

    def within(self, event_id: int, at: int, skip: int) -> Self:
        """The place inside an event of this batch."""
        return replace(self, event_id=event_id, event_at=at, after=event_id - 1, skip=skip)

    def __str__(self) -> str:
        """Opaque to other programs, and safe in an address."""
        numbers = (self.made_at, self.event_id, self.event_at, self.after, self.skip)
        snapshots = ("" if one is None else str(one) for one in (self.seen, self.batch))
        text = ";".join((_VERSION, *map(str, numbers), *snapshots))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cursor of a text that `str` has made. Raises InvalidCursor for all others."""
        if len(text) > MOST_TEXT or not _TEXT.fullmatch(text):
            raise InvalidCursor(text)
        try:
            plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            raise InvalidCursor(text) from None
        version, *numbers, seen, batch = _parts(plain, ";", 8)
        made_at, event_id, event_at, after, skip = map(_number, numbers)
        if version != _VERSION or (batch and not seen):
            raise InvalidCursor(text)
        found = cls(
            made_at,
            event_id,
            event_at,
            after,
            Snapshot.parse(seen) if seen else None,
            Snapshot.parse(batch) if batch else None,
            skip,
        )
        if str(found) != text:  # one cursor has one text
            raise InvalidCursor(text)
        return found


def _parts(text: str, separator: str, count: int) -> list[str]:
    found = text.split(separator)
    if len(found) != count:
        raise InvalidCursor(text)
    return found


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or (number := int(text)) >= _BEYOND:
        raise InvalidCursor(text)
    return number
