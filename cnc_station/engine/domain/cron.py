"""Cron rules of five fields in a time zone, with Debian cron's rule for changes of the clock.

A rule with fixed minutes and hours runs once for each local time that it names: at the change if
the clock skips that time, only the first time if it comes twice. A rule whose minutes or hours
start with `*` follows the clock: it does not run at a skipped time, and runs twice at a repeated
one.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

RULE = (
    "A fixed time that a change of the clock skips runs at the change, and one that comes twice "
    "runs once. Intervals (* in the minutes or hours) follow the clock."
)
MOST_CHARACTERS = 120
LATEST = 253_370_764_800_000  # the beginning of the year 9999 (ms)
_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - local times without a zone are meant here
_HOUR, _MINUTE, _DAY = (dt.timedelta(hours=1), dt.timedelta(minutes=1), dt.timedelta(days=1))
_HOUR_MS, _MINUTE_MS = 3_600_000, 60_000
_UNSETTLED, _UNSETTLED_MS = 3 * _HOUR, 3 * _HOUR_MS  # a change of the clock moves times by less
_YEARS_AHEAD = 50
_LAST_DAY = dt.date(9998, 12, 31)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


class NotARule(ValueError):
    """The text is not a cron rule; the message completes "the rule …"."""


class DueTime(NamedTuple):
    """A time (ms) at which a rule is due, and the local time that the rule names. They differ if
    the clock skips that time; `repeated` if it comes twice. A tuple: a rule may name every
    minute."""

    at: int
    local: dt.datetime
    skipped: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A change of the clock at `at` (ms): the local times from `start` to `end` are skipped, or
    come twice (`repeated`)."""

    at: int
    start: dt.datetime
    end: dt.datetime
    repeated: bool


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (OSError, KeyError) as error:  # a folder of zones, or an unknown name
        raise ValueError(f"{name!r} is not a time zone") from error


@lru_cache(maxsize=1024)
def rule(text: str) -> "Cron":
    """Return the rule that `text` states. Raises NotARule."""
    return Cron(text)


class Cron:
    """A cron rule. Raises NotARule for a text that is not one, or that is never due."""

    def __init__(self, text: str) -> None:
        self._fields = _fields(text)
        self._parsed = _parsed(self._fields)
        self._hours = sorted(self._parsed.hours)
        self._minutes = sorted(self._parsed.minutes)
        self.follows_clock = any(field.startswith("*") for field in self._fields[:2])
        if next(self._hours_from(dt.datetime(2000, 1, 1)), None) is None:  # noqa: DTZ001 - local
            raise NotARule("is never due: no day meets all its fields")

    @property
    def words(self) -> str:
        """The rule in words."""
        return re.sub(r"\d+th\b", _ordinal, self._parsed.explain())

    @property
    def every_hour(self) -> bool:
        """Whether every hour of the day is named."""
        return len(self._hours) == 24

    def after(self, at: int, zone: dt.tzinfo) -> Iterator[DueTime]:
        """Yield the times after `at` (ms) at which it is due, in order; none more than 50 years
        ahead."""
        last = at
        for due in self._in_order(max(at, 0), zone):
            if due.at > last:  # several skipped times are due at once
                last = due.at
                yield due

    def _in_order(self, at: int, zone: dt.tzinfo) -> Iterator[DueTime]:
        """Yield the due times from some hours before `at` on, in order. Near a change of the clock
        a time is settled when no earlier one can follow."""
        begin = local_time(at, zone).replace(minute=0, second=0, microsecond=0)
        if not _is_steady(begin, zone):
            begin -= _UNSETTLED
        unsettled: list[DueTime] = []
        for hour in self._hours_from(begin):
            start = _instant(hour, zone, 0)
            if _is_steady(hour, zone):
                yield from sorted(unsettled)
                unsettled.clear()
                for minute in self._minutes:
                    yield DueTime(start + minute * _MINUTE_MS, hour + minute * _MINUTE)
                continue
            unsettled.sort()
            while unsettled and unsettled[0].at <= start - _UNSETTLED_MS:
                yield unsettled.pop(0)
            for minute in self._minutes:
                unsettled += self._at_change(hour + minute * _MINUTE, zone)
        yield from sorted(unsettled)

    def touched_by(self, change: ClockChange) -> Sequence[dt.datetime]:
        """Return the local times of the rule that a change of the clock skips or repeats."""
        found = []
        for hour in self._hours_from(change.start.replace(minute=0, second=0)):
            if hour >= change.end:
                break
            times = (hour + minute * _MINUTE for minute in self._minutes)
            found += [time for time in times if change.start <= time < change.end]
        return found

    def _hours_from(self, begin: dt.datetime) -> Iterator[dt.datetime]:
        """Yield the local hours of the rule."""
        day, last = begin.date(), min(_LAST_DAY, dt.date(begin.year + _YEARS_AHEAD, 12, 31))
        while day <= last:
            if day.month not in self._parsed.months:
                day = (day.replace(day=1) + 32 * _DAY).replace(day=1)
                continue
            if self._parsed.match_day(day):
                for hour in self._hours:
                    local = dt.datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001 - local
                    if local >= begin:
                        yield local
            day += _DAY

    def _at_change(self, local: dt.datetime, zone: dt.tzinfo) -> Iterator[DueTime]:
        """Yield when a local time near a change of the clock is due."""
        first, second = _instant(local, zone, 0), _instant(local, zone, 1)
        if local_time(first, zone) != local:
            if not self.follows_clock:
                yield DueTime(_change_between(second, first, zone), local, skipped=True)
        elif first == second:
            yield DueTime(first, local)
        else:
            yield DueTime(first, local, repeated=True)
            if self.follows_clock:
                yield DueTime(second, local, repeated=True)


def _fields(text: str) -> list[str]:
    if len(text) > MOST_CHARACTERS:
        raise NotARule(f"has more than {MOST_CHARACTERS} characters")
    stated = text.strip()
    if stated.startswith("@"):
        if stated.lower() not in _NICKNAMES:
            raise NotARule(f"is not one of {', '.join(_NICKNAMES)}")
        stated = _NICKNAMES[stated.lower()]
    fields = stated.upper().split()
    if len(fields) == 6:
        raise NotARule(f"has 6 fields; seconds are not supported. Write five: {', '.join(_FIELDS)}")
    if len(fields) != 5:
        raise NotARule(f"has {len(fields)} fields, not five: {', '.join(_FIELDS)}")
    return fields


def _parsed(fields: Sequence[str]) -> CronSim:
    for place, name in enumerate(_FIELDS):
        others = ["*"] * 5
        others[place] = fields[place]
        if _read(others) is None:
            article = "an" if name == "hour" else "a"
            raise NotARule(f"has {article} {name} that is not valid: {fields[place]}")
    if (parsed := _read(fields)) is None:
        raise NotARule("is never due: none of its months has such a day")
    return parsed


def _read(fields: Sequence[str]) -> CronSim | None:
    try:
        return CronSim(" ".join(fields), _EPOCH)
    except (CronSimError, AssertionError, TypeError):  # it asserts what it expects of a step
        return None


def _ordinal(found: re.Match[str]) -> str:
    number = int(found[0].removesuffix("th"))
    return f"{number}{'th' if 11 <= number % 100 <= 13 else _ENDINGS.get(number % 10, 'th')}"


def _is_steady(hour: dt.datetime, zone: dt.tzinfo) -> bool:
    """Whether the clock does not change within some hours of a local hour."""
    before = (hour - _UNSETTLED).replace(tzinfo=zone)
    after = (hour + _HOUR + _UNSETTLED).replace(tzinfo=zone, fold=1)
    return before.utcoffset() == after.utcoffset()


def _instant(local: dt.datetime, zone: dt.tzinfo, fold: int) -> int:
    offset = local.replace(tzinfo=zone, fold=fold).utcoffset() or dt.timedelta()
    return round((local - _EPOCH - offset).total_seconds() * 1000)


def first_instant(local: dt.datetime, zone: dt.tzinfo) -> int:
    """Return when a local time comes (ms): the first time if it comes twice, the change of the
    clock if it is skipped."""
    return _at_change(local, zone) or _instant(local, zone, 0)


def last_instant(local: dt.datetime, zone: dt.tzinfo) -> int:
    """Return when a local time comes (ms): the second time if it comes twice, the change of the
    clock if it is skipped."""
    return _at_change(local, zone) or _instant(local, zone, 1)


def _at_change(local: dt.datetime, zone: dt.tzinfo) -> int | None:
    """Return when the clock skips a local time (ms); None if it does not."""
    before, after = _instant(local, zone, 1), _instant(local, zone, 0)
    if before >= after:  # one instant, or two of a time that comes twice
        return None
    return _change_between(before, after, zone)


def local_time(at: int, zone: dt.tzinfo) -> dt.datetime:
    """Return the local time at `at` (ms), without its zone."""
    moment = dt.datetime.fromtimestamp(at / 1000, dt.UTC).astimezone(zone)
    return moment.replace(tzinfo=None, fold=0)


def offset_at(at: int, zone: dt.tzinfo) -> dt.timedelta:
    """Return the offset from UTC at a time (ms)."""
    moment = dt.datetime.fromtimestamp(at / 1000, dt.UTC).astimezone(zone)
    return moment.utcoffset() or dt.timedelta()


def _change_between(before: int, after: int, zone: dt.tzinfo) -> int:
    """Return when the clock changes (ms) between two times with different offsets."""
    old = offset_at(before, zone)
    low, high = before // 1000, after // 1000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_at(middle * 1000, zone) == old else (low, middle)
    return high * 1000


def clock_changes(after: int, until: int, zone: dt.tzinfo) -> Iterator[ClockChange]:
    """Yield the changes of the clock between two times (ms)."""
    step = 24 * _HOUR_MS
    for begin in range(after, until, step):
        old, new = offset_at(begin, zone), offset_at(begin + step, zone)
        if old == new:
            continue
        at = _change_between(begin, begin + step, zone)
        utc = _EPOCH + dt.timedelta(milliseconds=at)
        low, high = sorted((utc + old, utc + new))
        yield ClockChange(at, low, high, repeated=new < old)
