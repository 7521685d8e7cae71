"""Which rows of a table are jobs: without totals, page headers and footers, and with what a row
takes over from the one above it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cnc_station.engine.domain.tables.numbers import number
from cnc_station.engine.domain.tables.plain_text import folded, split_words
from cnc_station.engine.domain.tables.table import Row, Table
from cnc_station.engine.domain.tables.words import FOOTERS, TOTALS

_RULE = re.compile(r"[-=_*.~ ]+")
_TOTALS = frozenset(split_words(TOTALS))
_FOOTERS = frozenset(split_words(FOOTERS))
_CARRIED = (  # from the row of the work order to those of its other operations
    "work_order",
    "name",
    "quantity",
    "due_at",
    "customer",
    "material",
    "priority",
    "tenant",
    "external_id",
)
_MOST_FOOTER_CELLS = 2


@dataclass(frozen=True, slots=True)
class JobRows:
    """The rows that are jobs. `notes` are what was left out or taken over, by the number of the
    row."""

    rows: tuple[Row, ...]
    notes: tuple[tuple[int, str], ...] = ()


def job_rows(table: Table, mapping: Mapping[str, str]) -> JobRows:
    """Return the rows of a table that are jobs. `mapping` is field -> column."""
    return _Sorter(table, mapping).sort()


class _Sorter:
    def __init__(self, table: Table, mapping: Mapping[str, str]) -> None:
        self._table = table
        self._places = {field: table.place(column) for field, column in mapping.items()}
        self._notes: list[tuple[int, str]] = []

    def sort(self) -> JobRows:
        rows = self._kept()
        if {"work_order", "operation"} & self._places.keys():
            rows = self._continued(rows)
        return JobRows(tuple(rows), tuple(self._notes))

    def _cell(self, row: Row, field: str) -> str:
        return row.cell(self._places.get(field))

    def _kept(self) -> list[Row]:
        rows = list(self._table.rows)
        ends = self._end_of_jobs(rows)
        kept: list[Row] = []
        for place, row in enumerate(rows):
            why = self._why_not(row, kept, last=place >= ends)
            if why:
                self._notes.append((row.number, f"left out: {why}"))
            else:
                kept.append(row)
        return kept

    def _end_of_jobs(self, rows: Sequence[Row]) -> int:
        """Return the place after the last row with a machine."""
        places = (p for p in range(len(rows), 0, -1) if self._cell(rows[p - 1], "machine_type"))
        return next(places, len(rows))

    def _why_not(self, row: Row, above: Sequence[Row], *, last: bool) -> str:
        filled = [cell for cell in row.cells if cell]
        if all(map(_RULE.fullmatch, filled)):
            return "a line"
        if self._is_header(row):
            return "the names of the columns again"
        if self._cell(row, "machine_type"):
            return ""
        if _starts_with(filled[0], _TOTALS):
            return "a total"
        if last and len(filled) <= _MOST_FOOTER_CELLS and _is_footer(filled):
            return "the end of a report"
        return "a total" if last and self._is_sum(row, above) else ""

    def _is_header(self, row: Row) -> bool:
        if row.cells[0] and row.cells[0] != self._table.columns[0]:
            return False
        pairs = [(c, n) for c, n in zip(row.cells, self._table.columns, strict=False) if c]
        return len(pairs) > 1 and all(cell == name for cell, name in pairs)

    def _is_sum(self, row: Row, above: Sequence[Row]) -> bool:
        """Whether a row without a name has only numbers, and its quantity is that of all above."""
        if self._cell(row, "name") or self._cell(row, "work_order"):
            return False
        text = self._cell(row, "quantity")
        total = _amount(text)
        if not text or total is None or any(_amount(cell) is None for cell in row.cells if cell):
            return False
        amounts = [_amount(self._cell(other, "quantity")) for other in above]
        return len(above) > 1 and sum(amount or 0 for amount in amounts) == total

    def _continued(self, rows: Sequence[Row]) -> list[Row]:
        found: list[Row] = []
        parent: Row | None = None
        for place, row in enumerate(rows):
            if parent is not None and self._continues(row, parent):
                found.append(self._filled(row, parent))
                continue
            parent = row
            following = rows[place + 1] if place + 1 < len(rows) else None
            if following is not None and self._only_heads(row, following):
                self._notes.append((row.number, "read as the work order of the rows below it"))
            else:
                found.append(row)
        return found

    def _continues(self, row: Row, parent: Row) -> bool:
        """Whether a row is another operation of the work order above it: what names the order
        there is empty here."""
        if not (self._cell(row, "operation") or self._cell(row, "machine_type")):
            return False
        order = self._cell(row, "work_order")
        if self._cell(row, "name") or (order and order != self._cell(parent, "work_order")):
            return False
        return bool(self._cell(parent, "name"))

    def _only_heads(self, row: Row, following: Row) -> bool:
        alone = not (self._cell(row, "operation") or self._cell(row, "machine_type"))
        return alone and self._continues(following, row)

    def _filled(self, row: Row, parent: Row) -> Row:
        cells = list(row.cells) + [""] * (len(self._table.columns) - len(row.cells))
        taken = []
        for field in _CARRIED:
            place = self._places.get(field)
            if place is not None and not cells[place] and parent.cell(place):
                cells[place] = parent.cell(place)
                taken.append(self._table.columns[place])
        self._notes.append((row.number, f"takes over from row {parent.number}: {', '.join(taken)}"))
        return replace(row, cells=tuple(cells))


def _starts_with(text: str, words: frozenset[str]) -> bool:
    parts = folded(text).split()
    if not parts:
        return text.strip().startswith("\u03a3")
    return any(" ".join(parts[:count]) in words for count in (1, 2, 3))


def _is_footer(filled: Sequence[str]) -> bool:
    return _starts_with(filled[0], _FOOTERS) or bool(re.match(r"\W*\d+ (records|rows)", filled[0]))


def _amount(text: str) -> float | None:
    try:
        return number(text)
    except ValueError:
        return None
