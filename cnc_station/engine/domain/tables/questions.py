"""Columns that look as if a job needed them, and that no field is filled from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from cnc_station.engine.domain.tables.calendar_text import is_date
from cnc_station.engine.domain.tables.naming import meaning_of
from cnc_station.engine.domain.tables.plain_text import folded, split_words
from cnc_station.engine.domain.tables.shapes import Shape
from cnc_station.engine.domain.tables.table import Row, Table
from cnc_station.engine.domain.tables.units import time_unit
from cnc_station.engine.domain.tables.words import KINDS

_KINDS: Mapping[str, frozenset[str]] = {k: frozenset(split_words(w)) for k, w in KINDS.items()}
_CLOCK = re.compile(r"[0-9]{1,4}:[0-5][0-9](:[0-5][0-9])?")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,' \u00a0]*")
_IN_COMPOUND = 5  # letters of a word that shows a kind within another
_LOOKED_AT = 200  # rows with a value in the column
_UNIT_NAMES = frozenset(
    split_words("unit, units, uom, einheit, me, unite, unidad, unita, meins, udm, um, ud")
)


@dataclass(frozen=True, slots=True)
class Unused:
    """Columns that no field is filled from. `asked` are those of a field that has no column at all,
    with the field; `others` have values that a job might need."""

    asked: tuple[tuple[str, str], ...]
    others: tuple[str, ...]


def unused_columns(table: Table, mapping: Mapping[str, str], shape: Shape | None = None) -> Unused:
    """Return the columns that look like a quantity, time, date or machine and are not used. A field
    that is mapped to "" was asked about: it is to have no column."""
    used = set(mapping.values())
    asked, others = [], []
    for place, column in enumerate(table.columns):
        if column in used:
            continue
        values = list(islice(_values(table.rows, place), _LOOKED_AT))
        kind = _kind(column, values)
        known = _known(column, shape)
        if not values or (kind is None and known in {None, ""}):
            continue
        if kind is not None and kind not in mapping and known is None:
            asked.append((column, kind))
        elif kind is not None or known in KINDS:
            others.append(column)
    return Unused(tuple(asked), tuple(others))


def unit_column(table: Table, mapping: Mapping[str, str]) -> str | None:
    """Return the column that states the unit of the times: every value in it is one."""
    for place, column in enumerate(table.columns):
        if column in mapping.values() or _UNIT_NAMES.isdisjoint(folded(column).split()):
            continue
        values = list(_values(table.rows, place))
        if values and all(time_unit(value) for value in set(values)):
            return column
    return None


def _values(rows: Sequence[Row], place: int) -> Iterator[str]:
    return (cell for row in rows if (cell := row.cell(place)))


def _known(column: str, shape: Shape | None) -> str | None:
    """Return the field that a name stands for, "" for a known one that a job has no field for."""
    if shape is not None and (stated := shape.meaning(column)) is not None:
        return stated[1]
    meaning = meaning_of(column)
    if meaning is None:
        return None
    return meaning.field or ""


def _kind(column: str, values: Sequence[str]) -> str | None:
    """Return the field that a column looks like, by its name and its values."""
    words = set(folded(column).split())
    dates = bool(values) and all(map(is_date, values))
    if dates:
        return "due_at"
    clocks = bool(values) and all(map(_CLOCK.fullmatch, values))
    counted = sum(1 for value in values if _NUMBER.match(value))
    numbers = bool(values) and 2 * counted >= len(values)
    if numbers and _names(words, "quantity"):
        return "quantity"
    if clocks or (numbers and _names(words, "estimated_s")):
        return "estimated_s"
    return "machine_type" if not numbers and _names(words, "machine_type") else None


def _names(words: set[str], kind: str) -> bool:
    """Whether a word shows the kind, alone or in a compound such as `Produktionsmenge`."""
    kinds = _KINDS[kind]
    if words & kinds:
        return True
    long = tuple(each for each in kinds if len(each) >= _IN_COMPOUND)
    return any(word.startswith(long) or word.endswith(long) for word in words)
