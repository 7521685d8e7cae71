"""Times as people read them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.time_text import clock, countdown, midnight

BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = ms("2026-09-21 15:10")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-09-21 00:00", "00:00"),
        ("2026-09-22 07:05", "Tue 07:05"),
        ("2026-09-27 23:59", "Sun 23:59"),
        ("2026-09-18 06:00", "Fri 06:00"),
        ("2026-09-28 00:00", "28 Sep 00:00"),
        ("2027-01-03 12:00", "3 Jan 2027"),
    ],
)
def test_a_time_names_its_day_only_where_it_matters(at: str, words: str) -> None:
    assert clock(ms(at), NOW, UTC) == words


def test_the_day_is_the_shops_own() -> None:
    late = ms("2026-09-21 22:30")
    assert clock(late, NOW, BERLIN) == "Tue 00:30"
    assert midnight(late, BERLIN) == ms("2026-09-21 22:00")


def test_the_day_of_a_clock_change_begins_at_its_midnight() -> None:
    assert midnight(ms("2026-10-25 12:00"), BERLIN) == ms("2026-10-24 22:00")


@pytest.mark.parametrize(
    ("left", "words"),
    [(-5, "00:00"), (0, "00:00"), (1, "00:01"), (42_000, "00:42"), (3_599_001, "1:00:00")],
)
def test_what_is_left_is_counted_in_whole_seconds_rounded_up(left: int, words: str) -> None:
    assert countdown(left) == words


@given(st.integers(0, 253_402_300_799_000), st.integers(0, 253_402_300_799_000))
def test_every_storable_time_has_a_text(at: int, now: int) -> None:
    assert clock(at, now, BERLIN)
    assert clock(at, now, None)
