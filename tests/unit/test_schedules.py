"""Schedules: the check of their fields, their next times, and what a person is warned about."""

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import (
    MOST_CAUGHT_UP,
    CatchUp,
    Overlap,
    Schedule,
    fires_at,
    firings,
    next_times,
    warnings,
)

NOW = 1_790_003_400_000  # Monday, 21 September 2026, 15:10 UTC
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
JOB = JobSpec("warm up", "mill", estimated_s=30.0)
NIGHTLY = Schedule("Nightly", "30 2 * * *", "Europe/Berlin", JOB)

_ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.just("\ud800"),
    st.binary(max_size=3),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.just(JobSpec("")),
    st.sampled_from(["* * * * *", "UTC", "skip", "all", "0 0 31 2 *"]),
)


@given(st.dictionaries(st.sampled_from([f.name for f in fields(Schedule)]), _ANYTHING, max_size=4))
def test_any_values_give_a_valid_schedule_or_are_refused_by_field(values: dict[str, Any]) -> None:
    checked, invalid = _validated(replace(NIGHTLY, **values))
    assert invalid <= values.keys()
    if not invalid:
        assert isinstance(checked.catch_up, CatchUp)
        assert isinstance(checked.overlap, Overlap)
        assert checked.validated() == checked


def _validated(spec: Schedule) -> tuple[Schedule, set[str]]:
    try:
        return spec.validated(), set()
    except InvalidInput as error:
        return spec, {one.field.split(".")[0] for one in error.errors}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("due_at", NOW),
        ("not_before", NOW),
        ("after", (1,)),
        ("key", "op10"),
        ("after_keys", ("op10",)),
        ("draft", True),
        ("source", "x"),
    ],
)
def test_what_would_be_the_same_for_every_job_is_not_taken_in_a_template(
    field: str, value: Any
) -> None:
    with pytest.raises(InvalidInput, match=f"job.{field}: can't be set in a schedule"):
        replace(NIGHTLY, job=replace(JOB, **{field: value})).validated()


def test_the_jobs_of_handlers_and_of_machines_are_both_taken() -> None:
    replace(NIGHTLY, job=JobSpec("clean", handler="system.cleanup")).validated()
    replace(NIGHTLY, job=JobSpec("part", "lathe", program="a" * 64)).validated()


@pytest.mark.parametrize(
    ("rule", "zone", "now", "expected"),
    [
        (
            "30 2 * * *",
            "Europe/Berlin",
            NOW,
            [
                "25 Oct 2026: .* 02:30 comes twice. .* runs the first time only",
                "28 Mar 2027: .* skips 02:30. .* runs at 03:00 instead",
            ],
        ),
        (
            "*/20 2 * * *",
            "Europe/Berlin",
            NOW,
            [
                "25 Oct 2026: .* 02:00 to 02:40 comes twice. .* runs both times",
                "28 Mar 2027: .* skips 02:00 to 02:40. .* does not run then",
            ],
        ),
        ("*/20 * * * *", "Europe/Berlin", NOW, []),
        ("30 2 * * 1", "Europe/Berlin", NOW, []),
        ("30 2 * * *", "Asia/Tokyo", NOW, []),
        ("30 12 * * *", "America/New_York", NOW, []),
    ],
)
def test_a_change_of_the_clock_that_touches_the_rule_is_said_a_year_ahead(
    rule: str, zone: str, now: int, expected: Sequence[str]
) -> None:
    found = list(warnings(replace(NIGHTLY, cron=rule, time_zone=zone), now))
    assert len(found) == len(expected)
    for text, pattern in zip(found, expected, strict=True):
        assert re.search(pattern, text)


def test_a_job_or_a_jitter_longer_than_the_interval_is_said() -> None:
    spec = Schedule("Often", "*/5 * * * *", "UTC", replace(JOB, estimated_s=301.0))
    assert [text.split()[0] for text in warnings(spec, NOW)] == ["A"]
    assert "jitter" in " ".join(warnings(replace(spec, jitter_s=301.0), NOW))
    parts = replace(spec, job=replace(JOB, estimated_s=100.0, quantity=4))
    assert "longer than the time" in " ".join(warnings(parts, NOW))
    assert not list(warnings(replace(spec, job=replace(JOB, estimated_s=299.0)), NOW))


def test_a_schedule_that_is_never_due_between_its_bounds_says_so() -> None:
    spec = replace(NIGHTLY, starts_at=NOW, ends_at=NOW + HOUR)
    assert next_times(spec, NOW) == ()
    assert list(warnings(spec, NOW)) == ["It is never due between its start and its end."]


@given(
    catch_up=st.sampled_from(CatchUp),
    minutes=st.integers(0, 500),
    rule=st.sampled_from(["* * * * *", "*/7 * * * *", "13 * * * *", "0 3 * * *"]),
    jitter_s=st.sampled_from([0.0, 45.0, 3000.0]),
)
def test_every_time_is_fired_missed_or_still_to_come(
    catch_up: CatchUp, minutes: int, rule: str, jitter_s: float
) -> None:
    spec = replace(NIGHTLY, cron=rule, catch_up=catch_up, jitter_s=jitter_s)
    first = spec.next_after(NOW)
    assert first is not None
    now = first + minutes * MINUTE
    found = firings(spec, 1, first, now)
    times = []
    for due in spec.after(first - 1):
        times.append(due.at)
        if due.at > now:
            break
    told = [*found.missed, *found.fire, found.next_due]
    assert told[0] is not None
    place = times.index(told[0])
    delayed = (fires_at(1, due, jitter_s) for due in times)
    planned = dict(zip(times, accumulate(delayed, max), strict=True))
    assert told == times[place : place + len(told)]
    assert found.more_missed == bool(place)
    assert len(found.fire) <= MOST_CAUGHT_UP
    assert all(fires_at(1, due, jitter_s) <= now for due in found.fire)
    if catch_up is CatchUp.ALL:
        assert not found.missed
    elif catch_up is CatchUp.SKIP:
        assert all(planned[due] >= now - MINUTE for due in found.fire)
    else:
        assert sum(planned[due] < now - MINUTE for due in found.fire) <= 1


def test_the_jitter_is_spread_over_its_range_and_does_not_depend_on_who_asks() -> None:
    delays = [fires_at(7, NOW + n * MINUTE, 600.0) - NOW - n * MINUTE for n in range(200)]
    assert delays == [fires_at(7, NOW + n * MINUTE, 600.0) - NOW - n * MINUTE for n in range(200)]
    assert all(0 <= delay < 600_000 for delay in delays)
    assert min(delays) < 100_000
    assert max(delays) > 500_000
    assert delays[0] != fires_at(8, NOW, 600.0) - NOW
