"""Which back-ups are kept, when one is due, and what their files are called."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnc_station.engine.domain.backup import (
    DAY_MS,
    clock_of,
    due_at,
    file_name,
    kept,
    time_of,
)

ZONES = st.sampled_from([ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")])
TIMES = st.integers(0, 4_000_000_000).map(lambda second: second * 1000)


@given(times=st.lists(TIMES, max_size=60), zone=ZONES)
def test_the_newest_stays_and_no_more_than_the_rule_allows(
    times: list[int], zone: ZoneInfo
) -> None:
    keep = kept(times, zone)
    assert keep <= set(times)
    assert len(keep) <= 7 + 4 + 12
    assert max(times, default=None) in keep or not times
    assert kept(keep, zone) == keep  # to keep again deletes nothing more


@given(start=TIMES, gaps=st.lists(st.integers(1, 40 * 24), min_size=1, max_size=80), zone=ZONES)
def test_day_by_day_a_back_up_of_each_kind_is_there(
    start: int, gaps: list[int], zone: ZoneInfo
) -> None:
    """As it is used: after each new back-up the others are thinned out."""
    held: frozenset[int] = frozenset()
    every = []
    at = start
    for hours in gaps:
        at += hours * DAY_MS // 24
        every.append(at)
        held = kept({*held, at}, zone)
    days = {dt.datetime.fromtimestamp(one / 1000, zone).date() for one in every}
    newest_days = sorted(days)[-7:]
    assert {dt.datetime.fromtimestamp(one / 1000, zone).date() for one in held} >= {*newest_days}
    months = {(day.year, day.month) for day in days}
    newest_months = {*sorted(months)[-12:]}
    found = {
        (moment.year, moment.month)
        for moment in (dt.datetime.fromtimestamp(one / 1000, zone) for one in held)
    }
    assert found >= newest_months


def test_a_year_of_daily_back_ups_leaves_days_weeks_and_months() -> None:
    first = int(dt.datetime(2025, 1, 1, 2, tzinfo=dt.UTC).timestamp() * 1000)
    held: frozenset[int] = frozenset()
    for day in range(400):
        held = kept({*held, first + day * DAY_MS}, dt.UTC)
    assert len(held) == 7 + 2 + 10  # two weeks and two months end on one of the seven days
    assert max(held) == first + 399 * DAY_MS


@given(now=TIMES, zone=ZONES, hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_a_back_up_was_due_within_the_last_day(
    now: int, zone: ZoneInfo, hour: int, minute: int
) -> None:
    due = due_at(f"{hour:02}:{minute:02}", now, zone)
    assert now - DAY_MS - 25 * 3_600_000 <= due <= now + 3_600_000


@given(at=TIMES, station=st.text(min_size=1, max_size=80), other=st.text(min_size=1, max_size=80))
@settings(max_examples=50)
def test_a_name_tells_its_station_and_its_time(at: int, station: str, other: str) -> None:
    name = file_name(station, at)
    assert time_of(name, station) == at
    assert len(name) < 120
    assert not set(name) & set('/\\:*?"<>| ')
    if other != station:
        assert time_of(name, other) is None


@pytest.mark.parametrize(
    "name",
    [
        "cnc-station_A_2026-13-45T990000Z.zip",
        "photo.zip",
        "cnc-station_A_2026-11-30T203000Z.zip.new",
    ],
)
def test_other_files_are_no_back_ups(name: str) -> None:
    assert time_of(name, "A") is None


@pytest.mark.parametrize("text", ["24:00", "2", "02:60", "", "2 am"])
def test_a_time_of_the_day_is_checked(text: str) -> None:
    with pytest.raises(ValueError, match="time of the day"):
        clock_of(text)
    assert clock_of("2:05") == "02:05"
