"""Read the days and times of day that people and programs write, in five languages.

The order of day and month is found out from all cells of a column, never from one.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cnc_station.engine.domain.tables.plain_text import plain, split_words
from cnc_station.engine.domain.tables.refused_cell import RefusedCell
from cnc_station.engine.domain.tables.words import MONTHS, WEEKDAYS


class DayOrder(Enum):
    """Which number of a date such as 12/9/2026 is the day."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


_MONTHS = {name: place for place, names in enumerate(MONTHS, 1) for name in split_words(names)}
_WEEKDAYS = frozenset(split_words(WEEKDAYS))
_YEAR_FIRST = re.compile(r"([0-9]{4})([./-])([0-9]{1,2})\2([0-9]{1,2})(?:[ t,]+(.+))?")
_DAY_OR_MONTH = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})\.?(?:,? +(.+))?")
_COMPACT = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})")
_DAY_AND_NAME = re.compile(
    r"([0-9]{1,2})(?:st|nd|rd|th|er|o)?[ .-]*(?:de |of )?([a-z]{3,10})[ .,-]*(?:de )?"
    r"([0-9]{4}|[0-9]{2})(?:,? +(.+))?"
)
_NAME_AND_DAY = re.compile(
    r"([a-z]{3,10})[ .-]+([0-9]{1,2})(?:st|nd|rd|th)?[ ,-]+([0-9]{4})(?:,? +(.+))?"
)
_TIME = re.compile(
    r"(?:um |at |a |alle )?([0-9]{1,2})(?:[:h]([0-9]{2}))?(?::([0-9]{2}))?(?:[.,][0-9]{1,9})?"
    r" ?([ap])?\.?(?(4)m?\.?|)(?: ?(?:uhr|h|hrs))?"
)
_SERIAL = re.compile(r"([0-9]{5})(?:[.,]([0-9]+))?")
_FIRST_SERIAL, _LAST_SERIAL = 36_526, 73_415  # the years 2000 to 2100
_EXCEL_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - of no zone, as a cell


def is_serial(text: str) -> bool:
    """Return whether a text is the number by which Excel stores a day of this century."""
    found = _SERIAL.fullmatch(text.strip())
    return found is not None and _FIRST_SERIAL <= int(found[1]) <= _LAST_SERIAL


def from_serial(text: str) -> dt.datetime | dt.date:
    """Return the day, or the moment, of Excel's number."""
    days = float(text.strip().replace(",", "."))
    found = _EXCEL_ZERO + dt.timedelta(seconds=round(days * 86_400))
    return found.date() if days.is_integer() else found


def day_or_moment(text: str, order: DayOrder | None = None) -> dt.datetime | dt.date:
    """Return the day, or the moment, that a text names. Raises ValueError if it names none, and
    RefusedCell if it can mean two days."""
    bare = _without_weekday(plain(text.strip()))
    if found := _COMPACT.fullmatch(bare):
        return dt.date(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_FIRST.fullmatch(bare):
        year, _, month, day, rest = found.groups()
        if rest and (rest.endswith("z") or re.search(r"[+-][0-9]{2}:?[0-9]{2}$", rest)):
            whole = f"{year}-{int(month):02}-{int(day):02}t{rest.strip()}"
            return dt.datetime.fromisoformat(whole.upper())
        return _moment(int(year), int(month), int(day), rest)
    if found := _DAY_OR_MONTH.fullmatch(bare):
        first, mark, second, year, rest = found.groups()
        day, month = _ordered(int(first), int(second), _year(year), mark, order)
        return _moment(_year(year), month, day, rest)
    if found := _DAY_AND_NAME.fullmatch(bare):
        day, name, year, rest = found.groups()
        return _moment(_year(year), _MONTHS.get(name, 0), int(day), rest)
    if found := _NAME_AND_DAY.fullmatch(bare):
        name, day, year, rest = found.groups()
        return _moment(int(year), _MONTHS.get(name, 0), int(day), rest)
    raise ValueError("not a date")


def time_of_day(text: str) -> dt.time | None:
    """Return the time that a text names: `17:00`, `5:00 PM`, `17h00`; None if it names none. Hours
    alone are a time with am or pm only."""
    found = _TIME.fullmatch(plain(text.strip()))
    if found is None or (found[2] is None and found[4] is None):
        return None
    hour, minute, second = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    if found[4] is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[4] == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return dt.time(hour, minute, second)


def _without_weekday(text: str) -> str:
    first, _, rest = text.partition(" ")
    name = first.strip(".,")
    return rest.strip() if name in _WEEKDAYS and rest[:1].isalnum() and rest else text


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _ordered(
    first: int, second: int, year: int, mark: str, order: DayOrder | None
) -> tuple[int, int]:
    """Return day and month. With points the day comes first everywhere."""
    if mark == "." or second == first:
        return first, second
    if first > 12 or second > 12:
        return (first, second) if first > 12 else (second, first)
    if order is None:
        raise RefusedCell(
            f"this date can mean two days: write {year}-{first:02}-{second:02} "
            f"or {year}-{second:02}-{first:02}"
        )
    return (first, second) if order is DayOrder.DAY_FIRST else (second, first)


def _moment(year: int, month: int, day: int, rest: str | None) -> dt.datetime | dt.date:
    found = dt.date(year, month, day)
    if not rest:
        return found
    time = time_of_day(rest)
    if time is None:
        raise ValueError("not a time of day")
    return dt.datetime.combine(found, time)


@dataclass(frozen=True, slots=True)
class OrderVotes:
    """What the cells of a column show of the order of day and month. `undecided` is a cell that can
    mean two days. `serials` tells that all of them are numbers by which Excel stores days."""

    orders: frozenset[DayOrder] = frozenset()
    undecided: str | None = None
    serials: bool = False


def order_votes(cells: Iterable[str]) -> OrderVotes:
    """Return what cells of dates show."""
    orders: set[DayOrder] = set()
    undecided = None
    seen = serials = 0
    for cell in cells:
        seen += 1
        if cell[:5].isdecimal() and is_serial(cell):
            serials += 1
            continue
        found = _DAY_OR_MONTH.match(cell.strip())
        if found is None or found[2] == ".":
            continue
        first, second = int(found[1]), int(found[3])
        if first > 12 >= second:
            orders.add(DayOrder.DAY_FIRST)
        elif second > 12 >= first:
            orders.add(DayOrder.MONTH_FIRST)
        elif first != second:
            undecided = undecided or cell
    return OrderVotes(frozenset(orders), undecided, bool(seen) and serials == seen)


def is_date(text: str) -> bool:
    """Return whether a text is a date beyond doubt, in any order of day and month."""
    if len(text) < 6 or not any(letter.isdecimal() for letter in text):
        return False
    if text.isdecimal():
        return False
    try:
        day_or_moment(text, DayOrder.DAY_FIRST)
    except ValueError:
        return False
    return True
