"""Units of times and quantities, in the name of a column and in its cells."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from cnc_station.engine.domain.tables import words
from cnc_station.engine.domain.tables.plain_text import (
    in_brackets,
    plain,
    split_words,
    without_brackets,
)

Clock = Literal["hm", "ms", "hms"]
_LONGEST_UNIT = 60
_MOST_TOKENS = 5  # of a unit at the end of a name
_TOKEN = re.compile(r"[a-z]+|[0-9]+|/|[^\sa-z0-9/]+")


@dataclass(frozen=True, slots=True)
class TimeUnit:
    """How a number in a column of times is read. `seconds` are those of 1. `pieces`: the number is
    for so many parts, which the unit itself states if `per_piece`. `whole`: it is for the whole
    quantity. `rate`: it counts parts in that time. `clock`: how two numbers with a colon are
    read."""

    seconds: float | None = None
    pieces: float = 1.0
    whole: bool = False
    rate: bool = False
    clock: Clock | None = None
    per_piece: bool = False

    def per_part(self, amount: float, quantity: int) -> float:
        """Return the seconds for one part. Raises ValueError for a rate of zero."""
        seconds = self.seconds if self.seconds is not None else 1.0
        if self.rate:
            if amount <= 0:
                raise ValueError("no part is ever ready at this rate")
            return seconds * self.pieces / amount
        return amount * seconds / (max(1, quantity) if self.whole else self.pieces)


UNIT_SECONDS: dict[str, float] = {
    name: seconds for seconds, names in words.TIME_UNITS.items() for name in split_words(names)
}
_PIECES = frozenset(split_words(words.PIECES))
_WHOLE = frozenset(split_words(words.WHOLE_ORDERS))
_PER = frozenset(split_words(words.PER))
_TOTAL = frozenset(split_words(words.TOTAL_MARKS))
_CLOCKS: dict[str, Clock] = {
    name: clock  # type: ignore[misc]  # the words are those of `Clock`
    for clock, names in words.CLOCKS.items()
    for name in split_words(names)
}


def is_pieces(text: str) -> bool:
    """Return whether a text is a unit of parts: pcs, Stk, EA."""
    return plain(text).strip(" .()[]") in _PIECES


def time_unit(text: str) -> TimeUnit | None:
    """Return the unit of a time: `min`, `min/pcs`, `h per 100 pcs`, `parts/hr`, `hh:mm`."""
    return _time_unit(text) if len(text) <= _LONGEST_UNIT else None


@lru_cache(maxsize=4_096)
def _time_unit(text: str) -> TimeUnit | None:
    bare = plain(text).strip(" .,;:")
    clock = bare.replace("[", "").replace("]", "").replace(" ", "")
    if clock in _CLOCKS:
        return TimeUnit(clock=_CLOCKS[clock])
    tokens = [token for token in _TOKEN.findall(bare) if token not in {".", ",", "in", "(", ")"}]
    tokens = [token.strip(".,()") or token for token in tokens]
    return _unit_of(tokens) if tokens else None


def _unit_of(tokens: list[str]) -> TimeUnit | None:
    whole = any(token in _TOTAL for token in tokens)
    left = [token for token in tokens if token not in _TOTAL]
    if len(left) == 1 and left[0] in UNIT_SECONDS:
        return TimeUnit(UNIT_SECONDS[left[0]], whole=whole)
    count = _count_of(left)
    return _unit_per(left[0], left[-1], count, whole=whole) if count else None


def _count_of(tokens: list[str]) -> float:
    """Return the 100 of `min per 100 pcs`, 1 of `min per pc`; 0 if the tokens are not such."""
    if not 3 <= len(tokens) <= 4 or tokens[1] not in _PER:
        return 0.0
    if len(tokens) == 3:
        return 1.0
    return float(tokens[2]) if tokens[2].isdecimal() and len(tokens[2]) <= 6 else 0.0


def _unit_per(first: str, last: str, count: float, *, whole: bool) -> TimeUnit | None:
    if first in UNIT_SECONDS and last in _PIECES:
        return TimeUnit(UNIT_SECONDS[first], pieces=count, whole=whole, per_piece=True)
    if first in UNIT_SECONDS and last in _WHOLE and count == 1.0:
        return TimeUnit(UNIT_SECONDS[first], whole=True)
    if first in _PIECES and last in UNIT_SECONDS:
        return TimeUnit(UNIT_SECONDS[last] * count, rate=True)
    return None


def split_unit(name: str) -> tuple[str, TimeUnit | None]:
    """Return the name of a column without the unit at its end, and the unit: `Runtime min/pcs`."""
    found = list(re.finditer(r"\S+", name[:200]))
    for place in range(max(0, len(found) - _MOST_TOKENS), len(found)):
        start = found[place].start()
        unit = time_unit(name[start:])
        if unit is not None:
            return name[:start].rstrip(" ,;:-"), unit
    return name, None


def unit_of_column(column: str) -> TimeUnit | None:
    """Return the unit in the name of a column of times; None if it has none. A total is one for the
    whole quantity."""
    for text in in_brackets(column):
        unit = time_unit(text)
        if unit is not None:
            return _marked(unit, column)
    bare = without_brackets(column.replace("_", " "))
    _, unit = split_unit(bare)
    return None if unit is None else _marked(unit, column)


def is_total(column: str) -> bool:
    """Return whether the name of a column says that its times are for the whole quantity."""
    return any(token in _TOTAL for token in _TOKEN.findall(plain(column)))


def _marked(unit: TimeUnit, column: str) -> TimeUnit:
    if unit.whole or not is_total(column):
        return unit
    return replace(unit, whole=True)
