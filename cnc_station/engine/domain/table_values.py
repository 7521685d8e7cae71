"""Convert the text of table cells. A text with two possible meanings is refused, never guessed.
Each function raises ValueError with the reason in plain words."""

import datetime as dt
import re
from typing import Any

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.job import PRIORITIES
from cnc_station.engine.domain.machine import Envelope
from cnc_station.engine.domain.tables.calendar_text import (
    DayOrder,
    day_or_moment,
    from_serial,
    is_serial,
    time_of_day,
)
from cnc_station.engine.domain.tables.numbers import DecimalSign, number, whole
from cnc_station.engine.domain.tables.plain_text import plain
from cnc_station.engine.domain.tables.refused_cell import RefusedCell, shown
from cnc_station.engine.domain.tables.units import UNIT_SECONDS, TimeUnit, time_unit

_PIECE = re.compile(r"([0-9]+(?:[.,][0-9]+)?) *([a-z]+|'|\")\.?[ ,]*")
_MARKS = {"'": 60.0, '"': 1.0}
_CLOCK = re.compile(r"([0-9]{1,4}):([0-5][0-9]):([0-5][0-9])(?:[.,]([0-9]{1,9}))?")
_SHORT_CLOCK = re.compile(r"([0-9]{1,4}):([0-5][0-9])")
_WITH_UNIT = re.compile(r"([0-9][0-9.,' \u00a0\u202f]*|[.,][0-9]+) *([^\W\d_].*)")
_SIZE = re.compile(r" *[x\u00d7*] *")
_YES_OR_NO = {
    **dict.fromkeys(("yes", "y", "true", "1", "x", "ja", "j", "oui", "si", "wahr"), True),
    **dict.fromkeys(("no", "n", "false", "0", "nein", "non", "falsch"), False),
}
_PRIORITY_WORDS = {
    **PRIORITIES,
    **dict.fromkeys(("niedrig", "basse", "baja", "bassa"), PRIORITIES["low"]),
    **dict.fromkeys(("normal", "mittel", "moyenne", "media", "normale"), PRIORITIES["medium"]),
    **dict.fromkeys(("hoch", "haute", "alta"), PRIORITIES["high"]),
}
_END_OF_DAY = dt.time(23, 59)


def priority(text: str) -> int:
    """A number from 0 to 100, or low, medium or high."""
    word = plain(text.strip())
    if word in _PRIORITY_WORDS:
        return _PRIORITY_WORDS[word]
    try:
        return whole(word)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is neither low, medium, high nor a number") from error


def seconds(text: str, unit_s: float = 1.0) -> float:
    """A duration: `90` (in units of `unit_s`), `12 min`, `2h30m`, `0:12:30` (h:mm:ss)."""
    amount, unit = duration(text, TimeUnit(unit_s))
    return unit.per_part(amount, 1)


def duration(text: str, unit: TimeUnit, sign: DecimalSign | None = None) -> tuple[float, TimeUnit]:
    """A duration in a column with this unit: seconds for the unit that is returned, which is that
    of the cell if it states one. For a rate it is the rate."""
    bare = plain(text.strip())
    if clock := _CLOCK.fullmatch(bare):
        fraction = float(f"0.{clock[4] or 0}")
        whole_seconds = int(clock[1]) * 3600.0 + int(clock[2]) * 60 + int(clock[3])
        return whole_seconds + fraction, _in_seconds(unit)
    if short := _SHORT_CLOCK.fullmatch(bare):
        return _short_clock(text, int(short[1]), int(short[2]), unit), _in_seconds(unit)
    parts = _PIECE.findall(bare)
    if parts and not _PIECE.sub("", bare) and all(_second_of(name) for _, name in parts):
        total = sum(number(amount, sign) * _second_of(name) for amount, name in parts)
        return total, _in_seconds(unit)
    if ":" in bare:
        raise ValueError(f"{shown(text)} is not a duration: write h:mm:ss, or 12 min 30 s")
    if (found := _WITH_UNIT.fullmatch(bare)) and (own := time_unit(found[2])) and own.seconds:
        return number(found[1], sign), own
    if unit.clock is not None:
        raise ValueError(f"{shown(text)} is not a duration as h:mm, which its column states")
    try:
        return number(bare, sign), unit
    except RefusedCell:
        raise
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a duration") from error


def _second_of(name: str) -> float:
    return UNIT_SECONDS.get(name) or _MARKS.get(name, 0.0)


def _in_seconds(unit: TimeUnit) -> TimeUnit:
    """Return a unit for a number of seconds: for one part, or for the whole quantity."""
    return TimeUnit(1.0, unit.pieces, unit.whole)


def _short_clock(text: str, first: int, second: int, unit: TimeUnit) -> float:
    """Two numbers with a colon, as the name of the column says: `0:45` is 45 minutes in a column
    of hours, and 45 seconds in one of minutes."""
    if unit.clock in {"hm", "hms"} or unit.seconds == UNIT_SECONDS["h"]:
        return first * 3600.0 + second * 60
    if unit.clock == "ms" or unit.seconds == UNIT_SECONDS["min"]:
        return first * 60.0 + second
    raise ValueError(f"{shown(text)} is not a duration: write h:mm:ss, or 12 min 30 s")


def moment(
    text: str,
    now: int,
    zone: dt.tzinfo | None,
    *,
    ends_day: bool = True,
    order: DayOrder | None = None,
    serials: bool = False,
) -> int:
    """A point in time as ms since the epoch, in the zone's wall time (None: this computer's).

    `2026-11-23`, `2026-11-23 17:00`, `2026-11-23T17:00+01:00`, `23.11.2026 17:00`, `22-Dec-2026`,
    `17:00` (today), `+2h30m` (from now). A day without a time is its last minute, or its first
    without `ends_day`. `order` is that of day and month in its column, whose cells are the numbers
    by which Excel stores days if `serials`.
    """
    bare = text.strip()
    try:
        if bare.startswith("+"):
            offset = seconds(bare[1:])
            return round(_in_years(_from_now(now, offset)).timestamp() * 1000)
        found, has_time = _calendar(bare, now, zone, order, serials=serials, ends_day=ends_day)
        if has_time and found.tzinfo is None:
            _refuse_skipped(found, zone)
        return round(_instant(found, zone) * 1000)
    except RefusedCell:
        raise
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(
            f"{shown(text)} is not a date: write 2026-11-23, 2026-11-23 17:00, or +2h30m"
        ) from error


def moment_note(text: str, now: int, zone: dt.tzinfo | None, order: DayOrder | None = None) -> str:
    """Return what to tell a person about a text that `moment` converts: that its time of day occurs
    twice that day. "" for nothing."""
    bare = text.strip()
    if bare.startswith("+") or len(bare) < 4 or bare.isdecimal():
        return ""
    found, has_time = _calendar(bare, now, zone, order, serials=True, ends_day=True)
    if not has_time or found.tzinfo:
        return ""
    if _instant(found, zone) == _instant(found.replace(fold=1), zone):
        return ""
    return f"{shown(bare)} occurs twice, as the clocks are set back: the first is meant"


def _from_now(now: int, offset: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(now / 1000 + offset, dt.UTC)


def _in_years(found: dt.datetime) -> dt.datetime:
    if not 1970 <= found.year <= 9998:
        raise ValueError
    return found


def _instant(found: dt.datetime, zone: dt.tzinfo | None) -> float:
    return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()


def _refuse_skipped(found: dt.datetime, zone: dt.tzinfo | None) -> None:
    """Raise for a time of day that does not exist that day."""
    there = dt.datetime.fromtimestamp(_instant(found, zone), zone).replace(tzinfo=None, fold=0)
    if there != found:
        raise RefusedCell(
            f"{found:%Y-%m-%d %H:%M} does not exist, as the clocks are set forward: "
            f"write {there:%Y-%m-%d %H:%M}"
        )


def _calendar(
    text: str,
    now: int,
    zone: dt.tzinfo | None,
    order: DayOrder | None,
    *,
    serials: bool,
    ends_day: bool,
) -> tuple[dt.datetime, bool]:
    """Return the moment, and whether the text names a time of day."""
    if time := time_of_day(text):
        today = dt.datetime.fromtimestamp(now / 1000, tz=zone).date()
        return dt.datetime.combine(today, time), True
    found = from_serial(text) if serials and is_serial(text) else day_or_moment(text, order)
    if isinstance(found, dt.datetime):
        return _in_years(found), True
    end = _END_OF_DAY if ends_day else dt.time()
    return _in_years(dt.datetime.combine(found, end)), False


def yes_or_no(text: str) -> bool:
    """Yes or no, in the words and marks people use."""
    try:
        return _YES_OR_NO[plain(text.strip())]
    except KeyError as error:
        raise ValueError(f"{shown(text)} is neither yes nor no") from error


def envelope(text: str) -> Envelope:
    """A size in mm: `100 x 50 x 20`."""
    sides = _SIZE.split(text.strip().lower().removesuffix("mm").strip())
    if len(sides) != 3:
        raise ValueError(f"{shown(text)} is not a size: write length x width x height in mm")
    return Envelope(*(number(side) for side in sides))


def payload(text: str) -> dict[str, Any]:
    """A JSON object."""
    found = json_text.parse(text)
    if not isinstance(found, dict):
        raise ValueError("must be a JSON object, in curly brackets")  # noqa: TRY004 - a cell's fault
    return found
