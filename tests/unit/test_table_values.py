import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain import table_values as values
from cnc_station.engine.domain.machine import Envelope
from cnc_station.engine.domain.tables import numbers

BERLIN = ZoneInfo("Europe/Berlin")
NOW = int(dt.datetime(2026, 11, 21, 10, 30, tzinfo=BERLIN).timestamp() * 1000)


def berlin(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(
        dt.datetime(year, month, day, hour, minute, second, tzinfo=BERLIN).timestamp() * 1000
    )


def moment(text: str) -> int:
    return values.moment(text, NOW, BERLIN)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12", 12.0),
        ("1.5", 1.5),
        ("1,5", 1.5),
        (" 0,25 ", 0.25),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1 200", 1200.0),
        ("1,000,000", 1_000_000.0),
        ("1.234.567", 1_234_567.0),
        ("0,125", 0.125),
        ("1.125", 1.125),
        ("1e-3", 0.001),
    ],
)
def test_a_number_may_have_a_point_or_a_comma(text: str, meant: float) -> None:
    assert numbers.number(text) == meant


@pytest.mark.parametrize("text", ["1,000", "12,345"])
def test_a_number_with_two_meanings_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="two numbers"):
        numbers.number(text)
    with pytest.raises(ValueError, match="two numbers"):
        numbers.whole(text)


def test_a_whole_number_in_german_thousands_is_not_taken_for_one() -> None:
    with pytest.raises(ValueError, match="write 1000"):
        numbers.whole("1.000")
    assert numbers.whole("1.000.000") == 1_000_000
    assert numbers.whole("5,0") == 5


@pytest.mark.parametrize("text", ["", "abc", "1.5", "nan", "inf", "1_0", "1e400", "--1"])
def test_a_value_that_is_not_a_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number"):
        numbers.whole(text)


def test_a_priority_is_a_word_or_a_number() -> None:
    assert [values.priority(text) for text in ("low", "Medium", "HIGH", "75")] == [10, 50, 90, 75]
    with pytest.raises(ValueError, match="neither low, medium, high nor a number"):
        values.priority("asap")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90", 90.0),
        ("12 min", 720.0),
        ("2h30m", 9000.0),
        ("2 hours, 30 minutes", 9000.0),
        ("1,5 h", 5400.0),
        ("0:12:30", 750.0),
        ("36:00:00", 129_600.0),
    ],
)
def test_a_duration_may_carry_its_unit(text: str, meant: float) -> None:
    assert values.seconds(text) == meant


def test_a_bare_duration_is_in_the_unit_of_its_column() -> None:
    assert values.seconds("2", 60.0) == 120.0


def test_a_duration_of_two_numbers_is_refused_because_it_may_be_hours_or_minutes() -> None:
    with pytest.raises(ValueError, match="h:mm:ss"):
        values.seconds("12:30")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-23", berlin(2026, 11, 23, 23, 59)),
        ("2026-11-23 17:00", berlin(2026, 11, 23, 17)),
        ("2026-11-23T17:00:30+00:00", berlin(2026, 11, 23, 18, 0, 30)),
        ("23.11.2026", berlin(2026, 11, 23, 23, 59)),
        ("23.11.2026 17:00", berlin(2026, 11, 23, 17)),
        ("23/11/2026", berlin(2026, 11, 23, 23, 59)),
        ("11/23/2026 8:15", berlin(2026, 11, 23, 8, 15)),
        ("17:00", berlin(2026, 11, 21, 17)),
        ("+2h30m", NOW + 9_000_000),
        ("2027-07-01 12:00", berlin(2027, 7, 1, 12)),
    ],
)
def test_a_due_date_may_be_written_in_many_ways(text: str, meant: int) -> None:
    assert moment(text) == meant


def test_a_day_to_start_from_begins_with_the_day() -> None:
    assert values.moment("2026-11-23", NOW, BERLIN, ends_day=False) == berlin(2026, 11, 23)


@pytest.mark.parametrize(
    "text", ["soon", "31.02.2026", "46349", "0001-01-01", "9999-12-31", "+", "+1e999", "25:00"]
)
def test_a_value_that_is_not_a_date_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write 2026-11-23"):
        moment(text)


def test_a_date_that_may_be_two_days_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-11-12 or 2026-12-11"):
        moment("11/12/2026")
    assert moment("11/11/2026") == berlin(2026, 11, 11, 23, 59)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("2027-03-28 02:30", "2027-03-28 03:30"),
        ("28.03.2027 2:00", "2027-03-28 03:00"),
        ("2027-03-28T02:59:59", "2027-03-28 03:59"),
    ],
)
def test_a_time_that_the_clocks_skip_is_refused_with_one_that_exists(
    text: str, instead: str
) -> None:
    with pytest.raises(ValueError, match=f"does not exist.*set forward: write {instead}"):
        moment(text)
    assert values.moment(text, NOW, dt.UTC) > NOW
    moment(instead)


def test_a_time_that_occurs_twice_is_the_first_and_says_so() -> None:
    text = "2027-10-31 02:30"
    assert moment(text) == moment("2027-10-31T02:30+02:00")
    note = values.moment_note(text, NOW, BERLIN)
    assert note == f"'{text}' occurs twice, as the clocks are set back: the first is meant"
    for plain in ("2027-10-31 03:00", "2027-10-31T02:30+02:00", "2027-10-31", "+2h", "17:00"):
        assert values.moment_note(plain, NOW, BERLIN) == ""


def test_a_day_that_begins_later_than_midnight_can_be_named() -> None:
    beirut = ZoneInfo("Asia/Beirut")  # its clocks go from 24:00 to 1:00
    first = values.moment("2027-03-28", NOW, beirut, ends_day=False)
    assert first == values.moment("2027-03-28 01:00", NOW, beirut)
    with pytest.raises(ValueError, match="does not exist"):
        values.moment("2027-03-28 00:30", NOW, beirut)


def test_a_time_counted_from_now_stays_within_the_calendar() -> None:
    assert moment("+36500 d") > NOW
    with pytest.raises(ValueError, match="is not a date"):
        moment("+9999999 d")


def test_a_size_is_three_lengths() -> None:
    assert values.envelope("100 x 50,5 x 20 mm") == Envelope(100, 50.5, 20)
    assert values.envelope("100\u00d750\u00d720") == Envelope(100, 50, 20)
    with pytest.raises(ValueError, match="length x width x height"):
        values.envelope("100x50")


def test_a_payload_is_a_json_object() -> None:
    assert values.payload('{"a": [1]}') == {"a": [1]}
    for text in ("[1]", "{", '{"a": 1} b'):
        with pytest.raises(ValueError, match="JSON"):
            values.payload(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    readers: tuple[Callable[[str], object], ...] = (
        numbers.number,
        numbers.whole,
        values.priority,
        values.seconds,
        values.envelope,
        values.payload,
        values.yes_or_no,
        moment,
    )
    for read in readers:
        try:
            read(text)
        except ValueError as refused:
            said = str(refused)
        else:
            said = "read"
        assert said


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x >= 0))
def test_a_number_as_the_program_writes_it_is_read_back(value: float) -> None:
    assert numbers.number(repr(value)) == value
