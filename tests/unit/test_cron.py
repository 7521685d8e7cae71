"""When a cron rule is due: against croniter where the clock goes evenly, by hand where it jumps."""

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice, takewhile

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain import cron
from cnc_station.engine.domain.cron import NotARule, clock_changes, rule, zone

DAY = dt.timedelta(days=1)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


def ms(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)


def local(name: str, text: str) -> int:
    """Return a local time that is not ambiguous."""
    return ms(dt.datetime.fromisoformat(text).replace(tzinfo=zone(name)))


def due(text: str, name: str, begin: str, end: str) -> list[str]:
    """Return the times in a period, in local time with the offset from UTC."""
    there, last = zone(name), local(name, end)
    times = takewhile(
        lambda at: at < last, (d.at for d in rule(text).after(local(name, begin), there))
    )
    return [
        dt.datetime.fromtimestamp(at / 1000, there).isoformat(" ", "minutes")[5:] for at in times
    ]


_NUMBERS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}


@st.composite
def _field(draw: st.DrawFn, name: str) -> str:
    low, high = _NUMBERS[name]
    form = draw(st.sampled_from(["*", "number", "list", "range", "step", "range step"]))
    first = draw(st.integers(low, high - 1))
    second = draw(st.integers(first + 1, high))  # croniter reads 0-0 as every day of the week
    step = draw(st.integers(1, 12))
    return {
        "*": "*",
        "number": f"{first}",
        "list": f"{first},{second}",
        "range": f"{first}-{second}",
        "step": f"*/{step}",
        "range step": f"{first}-{second}/{step}",
    }[form]


@st.composite
def _rules(draw: st.DrawFn) -> str:
    fields = [draw(_field(name)) for name in _NUMBERS]
    if fields[2] != "*" and fields[4] != "*":  # libraries read "*/2" beside a weekday differently
        fields[draw(st.sampled_from([2, 4]))] = "*"
    return " ".join(fields)


@given(
    text=_rules(),
    name=st.sampled_from(ZONES),
    begin=st.integers(0, 3 * 366 * 86_400),
)
def test_outside_the_days_of_a_change_the_times_are_those_of_croniter(
    text: str, name: str, begin: int
) -> None:
    there = zone(name)
    start = dt.datetime.fromtimestamp(1_767_225_600 + begin, there)  # from 2026 on
    try:
        found = islice(rule(text).after(ms(start), there), 20)
    except NotARule:  # the 31st of months that have none
        return
    changes = {
        dt.datetime.fromtimestamp(change.at / 1000, there).date()
        for change in clock_changes(ms(start) - 2 * 86_400_000, ms(start + 400 * DAY), there)
    }
    if changes & {start.date(), start.date() + DAY}:
        return
    expected = croniter(text, start)
    for time in found:
        other: dt.datetime = expected.get_next(dt.datetime)
        if changes & {time.local.date(), other.date(), other.date() - DAY}:
            return
        assert time.at == ms(other)
        assert not time.skipped
        assert not time.repeated


@pytest.mark.parametrize(
    ("text", "name", "begin", "end", "expected"),
    [
        # 02:00 → 03:00 on 29 March 2026, 03:00 → 02:00 on 25 October
        ("30 2 * * *", "Europe/Berlin", "2026-03-28", "2026-03-31",
         ["03-28 02:30+01:00", "03-29 03:00+02:00", "03-30 02:30+02:00"]),
        ("0 3 * * *", "Europe/Berlin", "2026-03-29", "2026-03-30", ["03-29 03:00+02:00"]),
        ("0,30 2,3 * * *", "Europe/Berlin", "2026-03-29", "2026-03-30",
         ["03-29 03:00+02:00", "03-29 03:30+02:00"]),
        ("30 * * * *", "Europe/Berlin", "2026-03-29 01:00", "2026-03-29 05:00",
         ["03-29 01:30+01:00", "03-29 03:30+02:00", "03-29 04:30+02:00"]),
        ("*/30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", "2026-03-30 12:00",
         ["03-30 02:00+02:00", "03-30 02:30+02:00"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", "2026-10-26 12:00",
         ["10-25 02:30+02:00", "10-26 02:30+01:00"]),
        ("0 3 * * *", "Europe/Berlin", "2026-10-25 01:00", "2026-10-26", ["10-25 03:00+01:00"]),
        ("*/30 * * * *", "Europe/Berlin", "2026-10-25 01:00", "2026-10-25 03:30",
         ["10-25 01:30+02:00", "10-25 02:00+02:00", "10-25 02:30+02:00", "10-25 02:00+01:00",
          "10-25 02:30+01:00", "10-25 03:00+01:00"]),
        ("0 */2 * * *", "Europe/Berlin", "2026-10-25 00:30", "2026-10-25 05:00",
         ["10-25 02:00+02:00", "10-25 02:00+01:00", "10-25 04:00+01:00"]),
        # 02:00 → 03:00 on 8 March 2026, 02:00 → 01:00 on 1 November
        ("15 2 * * *", "America/New_York", "2026-03-07 12:00", "2026-03-09 12:00",
         ["03-08 03:00-04:00", "03-09 02:15-04:00"]),
        ("15 1 * * *", "America/New_York", "2026-10-31 12:00", "2026-11-02 12:00",
         ["11-01 01:15-04:00", "11-02 01:15-05:00"]),
        ("*/20 1 * * *", "America/New_York", "2026-11-01 00:30", "2026-11-01 12:00",
         ["11-01 01:00-04:00", "11-01 01:20-04:00", "11-01 01:40-04:00", "11-01 01:00-05:00",
          "11-01 01:20-05:00", "11-01 01:40-05:00"]),
        # 02:00 → 02:30 on 4 October 2026, 02:00 → 01:30 on 5 April
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00", "2026-10-05 12:00",
         ["10-04 02:30+11:00", "10-05 02:15+11:00"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04 12:00", "2026-04-06 12:00",
         ["04-05 01:45+11:00", "04-06 01:45+10:30"]),
        ("*/15 * * * *", "Australia/Lord_Howe", "2026-04-05 01:15", "2026-04-05 02:15",
         ["04-05 01:30+11:00", "04-05 01:45+11:00", "04-05 01:30+10:30", "04-05 01:45+10:30",
          "04-05 02:00+10:30"]),
        # midnight itself is skipped on 8 March 2026
        ("0 0 * * *", "America/Havana", "2026-03-07 12:00", "2026-03-09 12:00",
         ["03-08 01:00-04:00", "03-09 00:00-04:00"]),
    ],
)  # fmt: skip
def test_at_a_change_of_the_clock_a_rule_is_due_as_written_here(
    text: str, name: str, begin: str, end: str, expected: Sequence[str]
) -> None:
    assert due(text, name, begin, end) == expected


# Some hours before a change of the clock, in UTC
CHANGES = {
    "Europe/Berlin": ("2026-03-28T22:00", "2026-10-24T22:00"),
    "America/New_York": ("2026-03-08T04:00", "2026-11-01T03:00"),
    "Australia/Lord_Howe": ("2026-10-03T12:00", "2026-04-04T11:00"),
    "America/Havana": ("2026-03-08T02:00", "2026-11-01T02:00"),
    "America/St_Johns": ("2011-03-13T01:00", "2011-11-06T00:00"),
}


@given(
    minutes=_field("minute"),
    hours=_field("hour"),
    place=st.sampled_from([(name, at) for name, times in CHANGES.items() for at in times]),
)
def test_around_a_change_of_the_clock_no_time_that_exists_is_lost_or_doubled(
    minutes: str, hours: str, place: tuple[str, str]
) -> None:
    """Compare with every minute of the ten hours around the change."""
    name, text = place
    there, found = zone(name), rule(f"{minutes} {hours} * * *")
    begin = ms(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC))
    day = dt.datetime.fromtimestamp(begin / 1000, there).replace(tzinfo=None)
    whole = cron.ClockChange(0, day, day + DAY, repeated=False)
    named = {(local.hour, local.minute) for local in found.touched_by(whole)}
    clocks = [
        dt.datetime.fromtimestamp(at / 1000, there)
        for at in range(begin + 60_000, begin + 36_000_000, 60_000)
    ]
    expected = [
        ms(clock)
        for clock in clocks
        if (clock.hour, clock.minute) in named and (found.follows_clock or not clock.fold)
    ]
    skipped = _skipped(found, begin, there)
    times = takewhile(lambda due: due.at < begin + 36_000_000, found.after(begin, there))
    assert [due.at for due in times if not due.skipped] == [
        at for at in expected if at not in skipped
    ]


def _skipped(found: cron.Cron, begin: int, there: dt.tzinfo) -> set[int]:
    """The times at which something skipped is due."""
    times = takewhile(lambda due: due.at < begin + 36_000_000, found.after(begin, there))
    return {due.at for due in times if due.skipped}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 0 31 * *", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("0 0 L * *", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("0 0 1 * 1#1", ["2026-01-05", "2026-02-01", "2026-02-02"]),
        ("0 0 * * 5L", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("@yearly", ["2027-01-01", "2028-01-01", "2029-01-01"]),
        ("@Monthly", ["2026-02-01", "2026-03-01", "2026-04-01"]),
        ("@weekly", ["2026-01-04", "2026-01-11", "2026-01-18"]),
        ("@daily", ["2026-01-03", "2026-01-04", "2026-01-05"]),
    ],
)
def test_rare_days_and_nicknames(text: str, expected: Sequence[str]) -> None:
    there = zone("Europe/Berlin")
    times = islice(rule(text).after(local("Europe/Berlin", "2026-01-02"), there), 3)
    assert [f"{time.local:%Y-%m-%d}" for time in times] == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0 0 31 2 *", "never due"),
        ("0 0 30,31 2 *", "never due"),
        ("0 0 31 4,6,9,11 *", "never due"),
        ("0 0 */30 * 1#2", "never due"),
        ("0 * * * * *", "has 6 fields; seconds are not supported"),
        ("* * *", "has 3 fields"),
        ("", "has 0 fields"),
        ("@reboot", "is not one of @yearly"),
        ("60 * * * *", "has a minute that is not valid: 60"),
        ("* 24 * * *", "has an hour that is not valid"),
        ("* * * * 8", "has a day of the week that is not valid"),
        ("* * * * 1#2/3", "has a day of the week that is not valid"),
        ("*/0 * * * *", "has a minute that is not valid"),
        ("1" * 121, "has more than 120 characters"),
    ],
)
def test_what_is_not_a_rule_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(NotARule, match=why.replace("*", r"\*")):
        rule(text)


@given(st.text(max_size=30) | st.lists(st.text("0123456789*/,-#L?MON ", max_size=6)).map(" ".join))
def test_any_text_is_a_rule_with_words_or_refused(text: str) -> None:
    with suppress(NotARule):
        assert rule(text).words


@pytest.mark.parametrize("name", ["", "Europe", "../etc/passwd", "Mars/Olympus", "\0", "/etc/x"])
def test_a_name_that_is_not_a_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cron.zone(name)
