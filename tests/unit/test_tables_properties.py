"""What must hold of every table: one style for a column, and no errors but those in words."""

import datetime as dt
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cnc_station.engine.domain import table_values
from cnc_station.engine.domain.tables import calendar_text, naming, numbers, units
from cnc_station.engine.domain.tables.calendar_text import DayOrder, day_or_moment, order_votes
from cnc_station.engine.domain.tables.header import HEAD_ROWS, find_header
from cnc_station.engine.domain.tables.plain_text import folded
from cnc_station.engine.domain.tables.questions import unused_columns
from cnc_station.engine.domain.tables.rows import job_rows
from cnc_station.engine.domain.tables.shapes import SHAPES
from cnc_station.engine.domain.tables.synonyms import FIELD_NAMES
from cnc_station.engine.domain.tables.table import Row, Table

MARKS = {".": ",", ",": "."}


@given(
    st.lists(st.integers(0, 99_999_999).map(lambda n: n / 100), min_size=1),
    st.sampled_from([".", ","]),
    st.booleans(),
)
def test_numbers_written_in_one_style_are_read_in_it(
    values: list[float], sign: Literal[".", ","], grouped: bool
) -> None:
    def written(value: float) -> str:
        text = f"{value:,.2f}" if grouped else f"{value:.2f}"
        return text.translate({44: MARKS[sign], 46: sign})

    cells = [written(value) for value in values]
    votes = numbers.sign_votes(cells)
    assert votes.signs == {sign}
    assert [numbers.number(cell, sign) for cell in cells] == values


@given(
    st.lists(st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)), min_size=1),
    st.sampled_from(list(DayOrder)),
    st.sampled_from("/-"),
    st.sampled_from(["%Y", "%y"]),
)
def test_dates_written_in_one_order_are_read_in_it(
    days: list[dt.date], order: DayOrder, mark: str, year: str
) -> None:
    assume(any(day.day > 12 for day in days))
    form = ["%d", "%m"] if order is DayOrder.DAY_FIRST else ["%m", "%d"]
    cells = [day.strftime(mark.join([*form, year])) for day in days]
    assert order_votes(cells).orders == {order}
    assert [day_or_moment(cell, order) for cell in cells] == days


@given(
    st.integers(0, HEAD_ROWS - 3),
    st.lists(st.sampled_from(["Weekly plan", "printed on Monday", "", "Hall 2"]), min_size=60),
    st.permutations(["Part", "Arbeitsplatz", "Quantité", "Fecha de entrega", "Commessa"]),
)
def test_a_header_is_found_below_any_title(
    titles: int, words: list[str], header: list[str]
) -> None:
    rows = [[word] for word in words[:titles]]
    found = find_header([*rows, header, ["Arm", "mill", "4", "2027-01-02", "7"]])
    assert found is not None
    assert (found.start, found.names) == (titles, tuple(header))


@pytest.mark.parametrize("field", FIELD_NAMES)
def test_every_name_of_a_column_stands_for_a_field(field: str) -> None:
    for names in FIELD_NAMES[field].values():
        for name in names.split(", "):
            meaning = naming.meaning_of(name.title())
            assert meaning is not None, name
            assert meaning.field is not None, name


def test_every_shape_is_recognised_by_its_own_marks() -> None:
    for shape in SHAPES:
        for mark in shape.marks:
            assert shape.fits(frozenset(map(folded, mark.split(", ")))), (shape.name, mark)
        assert set(shape.fields) - {""} <= set(FIELD_NAMES), shape.name


READERS: list[Callable[[str], object]] = [
    units.time_unit,
    units.split_unit,
    units.unit_of_column,
    units.is_pieces,
    naming.meaning_of,
    naming.spellings,
    calendar_text.day_or_moment,
    calendar_text.time_of_day,
    calendar_text.is_date,
    lambda text: calendar_text.order_votes([text]),
    lambda text: numbers.sign_votes([text]),
    numbers.pieces,
    lambda text: table_values.duration(text, units.TimeUnit()),
    lambda text: table_values.moment(text, 0, dt.UTC, order=DayOrder.DAY_FIRST, serials=True),
]
PIECES = st.sampled_from(
    [*"019./-:,'()[] ", "12", "31", "2026", "min", "h", "pcs", "Stk", "Mo", "Dez", "PM", "²", "٣"]
)


@given(st.text(max_size=60) | st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in READERS:
        try:
            read(text)
        except ValueError:
            continue


@given(
    st.lists(st.lists(st.sampled_from(["", "A", "Total", "7", "mill", "-", "W1"]), max_size=5)),
    st.dictionaries(
        st.sampled_from(["name", "machine_type", "operation", "work_order", "quantity"]),
        st.sampled_from("abcde"),
    ),
)
def test_every_row_is_a_job_or_named(cells: list[list[str]], mapping: dict[str, str]) -> None:
    rows = tuple(Row(n, tuple(row)) for n, row in enumerate(cells, 1) if any(row))
    table = Table(tuple("abcde"), rows)
    found = job_rows(table, mapping)
    kept = {row.number for row in found.rows}
    named = {number for number, _ in found.notes}
    assert kept | named == {row.number for row in rows}
    unused_columns(table, mapping)
