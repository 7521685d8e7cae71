"""How the columns of a table write numbers and dates, found out from all of their cells."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cnc_station.engine.domain.tables.calendar_text import DayOrder, OrderVotes, order_votes
from cnc_station.engine.domain.tables.naming import meaning_of
from cnc_station.engine.domain.tables.numbers import DecimalSign, SignVotes, sign_votes
from cnc_station.engine.domain.tables.refused_cell import shown
from cnc_station.engine.domain.tables.table import Row, Table

DATES = ("due_at", "not_before")
WHOLE_NUMBERS = ("quantity",)
_NUMBERS = ("quantity", "estimated_s", "timeout_s")
_FOREIGN = 2  # names of columns in another language
_OTHER_ROWS = 2_000  # of a column that is not used, for what it shows of dates


@dataclass(frozen=True, slots=True)
class ColumnFormats:
    """The decimal sign and the order of day and month of each field. `serials` are the fields whose
    cells are the numbers by which Excel stores days. `notes` state, with the column, what decided
    how a doubtful cell is read; `faults` what makes a column unreadable."""

    signs: Mapping[str, DecimalSign]
    orders: Mapping[str, DayOrder]
    serials: frozenset[str]
    notes: tuple[tuple[str, str], ...] = ()
    faults: tuple[tuple[str, str], ...] = ()


def column_formats(
    table: Table, rows: tuple[Row, ...], mapping: Mapping[str, str]
) -> ColumnFormats:
    """Return how the columns of a mapping are written."""
    notes: list[tuple[str, str]] = []
    faults: list[tuple[str, str]] = []
    signs = dict(_signs(table, rows, mapping, notes, faults))
    orders: dict[str, DayOrder] = {}
    votes = {f: order_votes(_cells(table, rows, mapping[f])) for f in DATES if mapping.get(f)}
    others = set().union(*(found.orders for found in votes.values()), _other_orders(table, rows))
    for field, found in votes.items():
        order = _order(found, others, table)
        if order is None:
            continue
        orders[field] = order
        if found.undecided:
            notes.append((mapping[field], f"{shown(found.undecided)} is read {order.value}"))
    serials = frozenset(field for field, found in votes.items() if found.serials)
    notes += [
        (mapping[field], "the numbers are read as the days that Excel stores so")
        for field in serials
    ]
    return ColumnFormats(signs, orders, serials, tuple(notes), tuple(faults))


def _cells(table: Table, rows: Iterable[Row], column: str) -> Iterator[str]:
    place = table.place(column)
    return (cell for row in rows if (cell := row.cell(place)))


def _signs(
    table: Table,
    rows: tuple[Row, ...],
    mapping: Mapping[str, str],
    notes: list[tuple[str, str]],
    faults: list[tuple[str, str]],
) -> Iterator[tuple[str, DecimalSign]]:
    fields = [field for field in _NUMBERS if mapping.get(field)]
    votes = {field: sign_votes(_cells(table, rows, mapping[field])) for field in fields}
    everywhere = frozenset().union(*(found.signs for found in votes.values()))
    for field, found in votes.items():
        if len(found.signs) > 1 and found.undecided:
            both = "this column has decimal points and decimal commas"
            faults.append(
                (mapping[field], f"{shown(found.undecided)} can mean two numbers: {both}")
            )
            continue
        sign = _sign(found, everywhere, whole=field in WHOLE_NUMBERS)
        if sign is None:
            continue
        yield field, sign
        if found.undecided and len(found.signs) != 1:
            how = "a decimal point" if sign == "." else "a decimal comma"
            notes.append(
                (mapping[field], f"{shown(found.undecided)} is read as in a table with {how}")
            )


def _sign(found: SignVotes, everywhere: frozenset[str], *, whole: bool) -> DecimalSign | None:
    """Its own cells decide, then those of the other columns, then that parts are whole."""
    for signs in (found.signs, everywhere):
        if len(signs) == 1:
            return "." if "." in signs else ","
    return found.grouped if whole and not everywhere else None


def _order(found: OrderVotes, others: set[DayOrder], table: Table) -> DayOrder | None:
    """Its own cells decide, then those of the other columns, then the language of the header."""
    if found.orders:
        return next(iter(found.orders)) if len(found.orders) == 1 else None
    if len(others) == 1:
        return next(iter(others))
    return DayOrder.DAY_FIRST if not others and _is_foreign(table.columns) else None


def _other_orders(table: Table, rows: tuple[Row, ...]) -> set[DayOrder]:
    """Return what columns show that are known not to be used: an order's date, say."""
    found: set[DayOrder] = set()
    for column in table.columns:
        meaning = meaning_of(column)
        if meaning is not None and meaning.field is None:
            found |= order_votes(_cells(table, rows[:_OTHER_ROWS], column)).orders
    return found


def _is_foreign(columns: Iterable[str]) -> bool:
    """Whether the names of the columns are in a language that never writes the month first."""
    found = [meaning.language for column in columns if (meaning := meaning_of(column))]
    foreign = sum(1 for language in found if language not in {"en", ""})
    return foreign >= _FOREIGN and 2 * foreign >= len(found)
