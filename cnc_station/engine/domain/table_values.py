"""Convert the text of table cells. A text with two possible meanings is refused, never guessed.
Each function raises ValueError with the reason in plain words."""

import datetime as dt
import re
from typing import Any

from cnc_station.engine.domain import json_text, text_gate
from cnc_station.engine.domain.import_fields import UNIT_SECONDS
from cnc_station.engine.domain.job import PRIORITIES
from cnc_station.engine.domain.machine import Envelope

_SHOWN = 40
_SIMPLE = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:([.,' \u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*")
_GROUPED_WITH_FRACTION = re.compile(
    r"[+-]?[0-9]{1,3}(?:(?:,[0-9]{3})+\.[0-9]+|(?:[. '\u00a0\u202f][0-9]{3})+,[0-9]+)"
)
_PIECE = re.compile(r"([0-9]+(?:[.,][0-9]+)?) *([a-z]+)[ ,]*")
_CLOCK = re.compile(r"([0-9]{1,4}):([0-5][0-9]):([0-5][0-9])(?:[.,]([0-9]+))?")
_TODAY_AT = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([./])([0-9]{1,2})\2([0-9]{4})(?:,? +(.+))?")
_SIZE = re.compile(r" *[x\u00d7*] *")
_YES_OR_NO = {
    **dict.fromkeys(("yes", "y", "true", "1", "x"), True),
    **dict.fromkeys(("no", "n", "false", "0"), False),
}
_END_OF_DAY = dt.time(23, 59)


class _Explained(ValueError):
    """The reason is complete. Callers that convert a part of a cell pass this on unchanged."""


def shown(text: str) -> str:
    """A cell's text in quotation marks, shortened and made visible."""
    return f"'{text_gate.visible(text[:_SHOWN])}{'…' if len(text) > _SHOWN else ''}'"


def number(text: str) -> float:
    """A number with a point or a comma: `1.5`, `1,5`, `1,234.5`, `1.234,5`."""
    plain = text.strip()
    if _GROUPED_WITH_FRACTION.fullmatch(plain):
        whole, fraction = re.split(r"[.,](?=[0-9]+$)", plain)
        return float(re.sub(r"[^0-9+-]", "", whole) + "." + fraction)
    groups = _GROUPED.fullmatch(plain)
    if groups and (groups[1] != "." or plain.count(".") > 1):
        if groups[1] == "," and plain.count(",") == 1:
            raise _two_meanings(plain)
        return float(re.sub(r"[^0-9+-]", "", plain))
    if not _SIMPLE.fullmatch(plain):
        raise ValueError(f"{shown(text)} is not a number")
    return float(plain.replace(",", "."))


def whole(text: str) -> int:
    """A whole number: `12`, `12.0`, `12,0`, `1 200`."""
    plain = text.strip()
    groups = _GROUPED.fullmatch(plain)
    if groups and groups[1] in ".," and plain.count(groups[1]) == 1:
        raise _two_meanings(plain)
    try:
        value = number(plain)
        if value.is_integer():
            return int(value)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a whole number") from error
    raise ValueError(f"{shown(text)} is not a whole number")


def _two_meanings(text: str) -> _Explained:
    joined = re.sub(r"[^0-9+-]", "", text)
    return _Explained(f"{shown(text)} can mean two numbers: write {joined}, or fewer decimals")


def priority(text: str) -> int:
    """A number from 0 to 100, or low, medium or high."""
    word = text.strip().lower()
    if word in PRIORITIES:
        return PRIORITIES[word]
    try:
        return whole(word)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is neither low, medium, high nor a number") from error


def seconds(text: str, unit_s: float = 1.0) -> float:
    """A duration: `90` (in units of `unit_s`), `12 min`, `2h30m`, `0:12:30` (h:mm:ss)."""
    plain = text.strip().lower()
    if clock := _CLOCK.fullmatch(plain):
        fraction = float(f"0.{clock[4] or 0}")
        return int(clock[1]) * 3600.0 + int(clock[2]) * 60 + int(clock[3]) + fraction
    pieces = _PIECE.findall(plain)
    if pieces and not _PIECE.sub("", plain) and all(unit in UNIT_SECONDS for _, unit in pieces):
        return sum(number(amount) * UNIT_SECONDS[unit] for amount, unit in pieces)
    if ":" in plain:
        raise ValueError(f"{shown(text)} is not a duration: write h:mm:ss, or 12 min 30 s")
    try:
        return number(plain) * unit_s
    except _Explained:
        raise
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a duration") from error


def moment(text: str, now: int, zone: dt.tzinfo | None, *, ends_day: bool = True) -> int:
    """A point in time as ms since the epoch, in the zone's wall time (None: this computer's).

    `2026-11-23`, `2026-11-23 17:00`, `2026-11-23T17:00+01:00`, `23.11.2026 17:00`, `17:00` (today),
    `+2h30m` (from now). A day without a time is its last minute, or its first without `ends_day`.
    """
    plain = text.strip()
    try:
        if plain.startswith("+"):
            found = _in_years(dt.datetime.fromtimestamp(now / 1000 + seconds(plain[1:]), dt.UTC))
        else:
            found = _in_years(_calendar(plain, now, zone, ends_day=ends_day))
        if found.tzinfo is None and ":" in plain:
            _refuse_skipped(found, zone)
        return round(_instant(found, zone) * 1000)
    except _Explained:
        raise
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(
            f"{shown(text)} is not a date: write 2026-11-23, 2026-11-23 17:00, or +2h30m"
        ) from error


def moment_note(text: str, now: int, zone: dt.tzinfo | None) -> str:
    """Return what to tell a person about a text that `moment` converts: that its time of day occurs
    twice that day. "" for nothing."""
    plain = text.strip()
    if plain.startswith("+") or ":" not in plain:
        return ""
    found = _calendar(plain, now, zone, ends_day=True)
    if found.tzinfo or _instant(found, zone) == _instant(found.replace(fold=1), zone):
        return ""
    return f"{shown(plain)} occurs twice, as the clocks are set back: the first is meant"


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
        raise _Explained(
            f"{found:%Y-%m-%d %H:%M} does not exist, as the clocks are set forward: "
            f"write {there:%Y-%m-%d %H:%M}"
        )


def _calendar(text: str, now: int, zone: dt.tzinfo | None, *, ends_day: bool) -> dt.datetime:
    day_end = _END_OF_DAY if ends_day else dt.time()
    if time := _time(text):
        today = dt.datetime.fromtimestamp(now / 1000, tz=zone).date()
        return dt.datetime.combine(today, time)
    if parts := _DAY_FIRST.fullmatch(text):
        day, mark, month, year, rest = parts.groups()
        if mark == "/":
            day, month = _by_slashes(int(day), int(month), int(year))
        time = _time(rest) if rest else day_end
        if time is None:
            raise ValueError
        return dt.datetime.combine(dt.date(int(year), int(month), int(day)), time)
    if len(text) == 10:
        return dt.datetime.combine(dt.date.fromisoformat(text), day_end)
    if not re.match(r"[0-9]{4}-", text):
        raise ValueError
    return dt.datetime.fromisoformat(text)


def _by_slashes(first: int, second: int, year: int) -> tuple[int, int]:
    """Day and month of `23/11/2026` or `11/23/2026`; refused where it could be either."""
    if first <= 12 and second <= 12 and first != second:
        raise _Explained(
            f"this date can mean two days: write {year}-{first:02}-{second:02} "
            f"or {year}-{second:02}-{first:02}"
        )
    return (second, first) if second > 12 else (first, second)


def _time(text: str) -> dt.time | None:
    found = _TODAY_AT.fullmatch(text.strip())
    if not found:
        return None
    return dt.time(int(found[1]), int(found[2]), int(found[3] or 0))


def yes_or_no(text: str) -> bool:
    """Yes or no, in the words and marks people use."""
    try:
        return _YES_OR_NO[text.strip().lower()]
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
