"""Find the header of a table: the rows whose cells are names of columns."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import zip_longest

from cnc_station.engine.domain.tables.naming import is_known, meaning_of
from cnc_station.engine.domain.tables.shapes import recognise
from cnc_station.engine.domain.tables.units import is_pieces, time_unit

HEAD_ROWS = 60  # a title, a cover and a filter are shorter
_SURE = 2  # columns with known names: one alone can be a title
_NUMBER_OR_DATE = re.compile(r"[\d.,:/+-]*\d[\d.,:/ +-]*%?")
Records = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header is in the first rows, how many rows it has, its names, and how many fields
    they stand for."""

    start: int
    rows: int
    names: tuple[str, ...]
    known: int

    @property
    def end(self) -> int:
        """The place of the first row below it."""
        return self.start + self.rows


def find_header(records: Records, wanted: Set[str] = frozenset()) -> Header | None:
    """Return the header in the first rows of a table; None if all of them are empty. `wanted` are
    names of columns in addition to the known ones. Without a known name it is the first row that is
    not much shorter than the longest one."""
    heads = [tuple(_trimmed(record)) for record in records[:HEAD_ROWS]]
    filled = [place for place, head in enumerate(heads) if any(head)]
    if not filled:
        return None
    best: Header | None = None
    for place in filled:
        for found in _candidates(heads, place, wanted):
            if best is None or found.known > best.known:
                best = found
    if best is not None and best.known >= _SURE:
        return best
    if best is not None and best.known and len(best.names) >= _SURE:
        return best
    place = _first_wide(heads, filled)
    return Header(place, 1, heads[place], _known(heads[place], wanted))


def _trimmed(record: Sequence[str]) -> list[str]:
    cells = [cell.strip() for cell in record]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _candidates(heads: Records, place: int, wanted: Set[str]) -> list[Header]:
    """Return the row as a header, and together with the row below if both have names."""
    one = heads[place]
    if _is_data(one):
        return []
    found = [Header(place, 1, tuple(one), _known(one, wanted))]
    below = heads[place + 1] if place + 1 < len(heads) else ()
    if len([cell for cell in below if cell]) >= _SURE and not _has_value(below):
        names = _joined(one, below, wanted)
        two = Header(place, 2, names, _known(names, wanted))
        if _are_units(below):
            found = [two]
        elif two.known > max(found[0].known, _known(below, wanted)) and _means_more(names, below):
            found.append(two)
    return found


def _are_units(row: Sequence[str]) -> bool:
    return all(is_pieces(cell) or time_unit(cell.strip("()[] ")) for cell in row if cell)


def _means_more(names: Sequence[str], below: Sequence[str]) -> bool:
    """Whether at least half of the cells of the lower row are a part of a known name."""
    pairs = zip(names, below, strict=False)
    used = [bool(cell) and cell in name and is_known(name) for name, cell in pairs]
    return 2 * used.count(True) >= sum(1 for cell in below if cell)


def _is_data(row: Sequence[str]) -> bool:
    """Whether half of the cells are numbers or dates: names of columns are not."""
    cells = [cell for cell in row if cell]
    values = sum(1 for cell in cells if _NUMBER_OR_DATE.fullmatch(cell))
    return len(cells) > 1 and 2 * values >= len(cells)


def _has_value(row: Sequence[str]) -> bool:
    return any(_NUMBER_OR_DATE.fullmatch(cell) for cell in row if cell)


def _known(names: Sequence[str], wanted: Set[str]) -> int:
    """Return how many fields the names stand for, each once, and how many names are wanted."""
    fields: set[str] = set()
    others = 0
    for name in dict.fromkeys(names):
        meaning = meaning_of(name) if name else None
        if name in wanted:
            others += 1
        elif meaning is not None and meaning.field is not None:
            fields.add(meaning.field)
        elif meaning is not None:
            others += 1
    return len(fields) + others + (1 if fields and recognise(names) else 0)


def _joined(upper: Sequence[str], lower: Sequence[str], wanted: Set[str]) -> tuple[str, ...]:
    """Return the names of a header of two rows. A merged cell of the upper row stands above all the
    columns that it covers."""
    names: list[str] = []
    group = ""
    for above, below in zip_longest(upper, lower, fillvalue=""):
        group = above or (group if below else "")
        choices = (f"{group} {below}".strip(), below, group) if below else (above,)
        known = (name for name in choices if name and (name in wanted or is_known(name)))
        names.append(next(known, choices[0]))
    return tuple(names)


def _first_wide(heads: Records, filled: Sequence[int]) -> int:
    """Return the first row that has at least half of the columns of the longest one."""
    counts = {place: sum(1 for cell in heads[place] if cell) for place in filled}
    widest = max(counts.values())
    return next(place for place in filled if 2 * counts[place] > widest)
