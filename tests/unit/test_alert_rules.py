"""When a rule tells an alert: the rule machine, its quiet hours, and its sentences."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.alert_rules import (
    UNTOLD,
    AlertRule,
    Channel,
    QuietHours,
    Step,
    due,
)
from cnc_station.engine.domain.alerts import (
    MOST_ALONE,
    Alert,
    AlertKind,
    AlertState,
    Cause,
    Severity,
    Waiting,
    grouped,
    message,
)
from cnc_station.engine.domain.errors import InvalidInput

MINUTE, HOUR = 60_000, 3_600_000
NOW = 1_790_003_400_000  # Monday, 21 September 2026, 17:10 in Berlin
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(22 * 60, 6 * 60, "Europe/Berlin")
CLEARING = Cause(
    "machine.waiting:3",
    AlertKind.MACHINE_WAITING,
    Severity.WARNING,
    NOW,
    {"machine": "Mill 3", "waits_for": Waiting.CLEARING},
    machine_id=3,
)
ALERT = Alert(1, CLEARING, NOW)
RULE = AlertRule("Phone", Channel.WINDOW, after_s=600.0)


def at(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp() * 1000)


def test_a_message_has_the_minutes_that_the_cause_has_lasted() -> None:
    first = due(RULE, ALERT, UNTOLD, NOW)
    assert first == NOW + 10 * MINUTE
    told = message(ALERT, AlertState.RAISED, first)
    assert (told.title, told.text) == (
        "Mill 3: clear it",
        "Mill 3 has waited 10 min for clearing.",
    )
    assert message(ALERT, AlertState.RAISED, NOW).text == "Mill 3 waits for clearing."
    later = message(ALERT, AlertState.REMINDER, NOW + 125 * MINUTE)
    assert later.text == "Mill 3 has waited 2 h 5 min for clearing."
    ended = replace(ALERT, ended_at=NOW + 12 * MINUTE)
    over = message(ended, AlertState.WITHDRAWN, NOW + 12 * MINUTE)
    assert over.text == "Over after 12 min: Mill 3: clear it."


def test_a_long_reason_is_one_line_and_cut() -> None:
    cause = replace(CLEARING, args={**CLEARING.args, "why": "drive\n fault " + "x " * 500})
    text = message(Alert(1, cause, NOW), AlertState.RAISED, NOW).text
    assert text.startswith("Mill 3 waits for clearing: drive fault x x")
    assert len(text) < 350


def test_every_kind_has_its_sentences() -> None:
    args = {
        "machine": "Mill 3",
        "job": "Job 7 (Bracket)",
        "station": "hall 2",
        "machines": "Mill 3",
        "schedule": "Warm-up",
        "host": "erp.example",
        "deliveries": "a delivery",
        "why": "spindle too hot.",
    }
    for kind in AlertKind:
        forms = [{"waits_for": form} for form in Waiting]
        for form in forms if kind is AlertKind.MACHINE_WAITING else [{}]:
            cause = replace(CLEARING, kind=kind, args=args | form)
            for waited in (0, 10 * MINUTE):
                told = message(Alert(1, cause, NOW), AlertState.RAISED, NOW + waited)
                assert told.text.endswith(": spindle too hot.")
                assert ("10 min" in told.text) == (waited > 0)
                assert "{" not in told.title + told.text
        many = replace(CLEARING, kind=kind, args={"count": 1_234})
        assert "1,234 more" in message(Alert(1, many, NOW), AlertState.RAISED, NOW).text


def test_what_falls_into_quiet_hours_is_told_at_their_end() -> None:
    rule = replace(RULE, quiet=NIGHT, repeat_s=1_800.0)
    late = at("2026-09-21T21:55+02:00")
    alert = replace(ALERT, raised_at=late, cause=replace(CLEARING, since=late))
    morning = at("2026-09-22T06:00+02:00")
    assert due(rule, alert, UNTOLD, late) == morning
    assert due(rule, alert, UNTOLD, morning) == morning
    told_before = Step(1, at("2026-09-21T21:40+02:00"))
    assert due(rule, alert, told_before, late) == morning
    critical = replace(alert, cause=replace(alert.cause, severity=Severity.CRITICAL))
    assert due(rule, critical, UNTOLD, late) == late + 10 * MINUTE
    assert due(replace(rule, critical_breaks_quiet=False), critical, UNTOLD, late) == morning
    ended = replace(alert, ended_at=at("2026-09-22T03:00+02:00"))
    at_four = at("2026-09-22T04:00+02:00")
    assert due(replace(rule, tells_end=True), ended, told_before, at_four) == morning
    assert due(rule, ended, told_before, at_four) is None
    assert due(replace(rule, tells_end=True), ended, UNTOLD, at_four) is None


@pytest.mark.parametrize(
    ("quiet", "moment", "end"),
    [
        # The clock goes forward on 28 March 2027 at 2:00, and back on 25 October 2026 at 3:00.
        (NIGHT, "2027-03-28T01:30+01:00", "2027-03-28T06:00+02:00"),
        (NIGHT, "2026-10-25T01:30+02:00", "2026-10-25T06:00+01:00"),
        # The end is skipped, and the end comes twice.
        ((22 * 60, 150), "2027-03-28T01:30+01:00", "2027-03-28T03:00+02:00"),
        ((22 * 60, 150), "2026-10-25T01:30+02:00", "2026-10-25T02:30+01:00"),
        # The beginning is skipped, and the beginning comes twice.
        ((150, 240), "2027-03-28T03:10+02:00", "2027-03-28T04:00+02:00"),
        ((150, 240), "2026-10-25T02:40+02:00", "2026-10-25T04:00+01:00"),
        ((150, 240), "2026-10-25T02:10+01:00", "2026-10-25T04:00+01:00"),
        ((150, 240), "2026-10-25T02:20+02:00", None),
        # Whole days that follow each other: Saturday and Sunday.
        ((0, 0, (5, 6)), "2026-09-26T12:00+02:00", "2026-09-28T00:00+02:00"),
        ((22 * 60, 6 * 60, (4,)), "2026-09-26T03:00+02:00", "2026-09-26T06:00+02:00"),
        ((22 * 60, 6 * 60, (4,)), "2026-09-25T03:00+02:00", None),
        (NIGHT, "2026-09-21T21:59:59+02:00", None),
        (NIGHT, "2026-09-22T06:00+02:00", None),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(
    quiet: QuietHours | tuple[int, ...], moment: str, end: str | None
) -> None:
    if isinstance(quiet, tuple):
        start, last, *days = quiet
        quiet = QuietHours(start, last, "Europe/Berlin", *days)  # type: ignore[arg-type]
    assert quiet.until(at(moment)) == (None if end is None else at(end))


minutes = st.integers(0, 1439)
moments = st.integers(at("2026-10-24T00:00+02:00"), at("2026-10-27T00:00+01:00")) | st.integers(
    at("2027-03-27T00:00+01:00"), at("2027-03-30T00:00+02:00")
)
weekdays = st.lists(st.integers(0, 6), max_size=6, unique=True).map(tuple)


@given(start=minutes, end=minutes, days=weekdays, moment=moments)
def test_a_moment_at_which_the_wall_shows_a_quiet_time_is_quiet(
    start: int, end: int, days: tuple[int, ...], moment: int
) -> None:
    if start == end:
        end = (start + 1) % 1440
    quiet = QuietHours(start, end, "Europe/Berlin", days)
    until = quiet.until(moment)
    wall = dt.datetime.fromtimestamp(moment / 1000, BERLIN)
    shown = wall.hour * 60 + wall.minute
    after_midnight = end <= start and shown < end
    day = (wall.weekday() - after_midnight) % 7
    inside = start <= shown < end if start < end else shown >= start or after_midnight
    if inside and (not days or day in days):
        assert until is not None
    if until is not None:
        assert moment < until <= moment + 9 * 24 * HOUR
        assert quiet.until(until) is None


rules = st.builds(
    AlertRule,
    name=st.just("any"),
    channel=st.just(Channel.WINDOW),
    least_severity=st.sampled_from(Severity),
    after_s=st.sampled_from([0.0, 60.0, 600.0]),
    repeat_s=st.sampled_from([0.0, 60.0, 1_800.0]),
    quiet=st.none()
    | st.builds(
        QuietHours,
        start_min=st.integers(0, 700),
        end_min=st.integers(701, 1439),
        time_zone=st.just("Europe/Berlin"),
        weekdays=weekdays,
    ),
    critical_breaks_quiet=st.booleans(),
    tells_end=st.booleans(),
    enabled=st.booleans(),
)


def _told(rule: AlertRule, alert: Alert, looks: list[int], step: Step) -> Iterator[int]:
    """When a rule tells an alert to one who looks at these times."""
    for now in looks:
        when = due(rule, alert, step, now)
        assert when is None or when >= now
        if when == now:
            step = Step(step.sent + 1, now)
            yield now


@given(
    rule=rules,
    severity=st.sampled_from(Severity),
    start=moments,
    pauses=st.lists(st.integers(1, 3 * HOUR), min_size=1, max_size=40),
)
def test_a_rule_tells_no_less_and_no_more_than_it_says(
    rule: AlertRule, severity: Severity, start: int, pauses: list[int]
) -> None:
    alert = Alert(1, replace(CLEARING, since=start, severity=severity), start)
    looks = [start := start + pause for pause in pauses]
    told = list(_told(rule, alert, looks, UNTOLD))
    loud = rule.quiet is None or (severity is Severity.CRITICAL and rule.critical_breaks_quiet)
    heard = [now for now in looks if loud or (rule.quiet and rule.quiet.until(now) is None)]
    if not rule.enabled or severity.rank < rule.least_severity.rank:
        assert told == []
        return
    next_at: float = alert.cause.since + rule.after_s * 1000
    expected = []
    for now in heard:
        if now >= next_at:
            expected.append(now)
            next_at = now + rule.repeat_s * 1000 if rule.repeat_s else float("inf")
    assert told == expected
    acknowledged = replace(alert, acknowledged_at=looks[0])
    assert list(_told(rule, acknowledged, looks, Step(1, looks[0]))) == []


def test_many_causes_are_told_in_one_alert_until_the_last_is_over() -> None:
    def causes(*numbers: int) -> list[Cause]:
        return [replace(CLEARING, key=f"c{n:03}", since=NOW + n) for n in numbers]

    first = grouped(causes(*range(50)), frozenset())
    assert [cause.args.get("count") for cause in first] == [None] * MOST_ALONE + [30]
    assert grouped(causes(*range(MOST_ALONE)), frozenset()) == tuple(causes(*range(MOST_ALONE)))
    keys = frozenset(cause.key for cause in first)
    # A person has settled the first ten: those of the group get no alert of their own now.
    after = grouped(causes(*range(10, 50)), keys)
    assert [cause.key for cause in after] == [f"c{n:03}" for n in range(10, 20)] + [first[-1].key]
    assert after[-1].args == {"count": 30}
    assert len(grouped(causes(*range(10, 20)), keys)) == 10
    others = [replace(c, tenant="") for c in causes(*range(100, 150))]
    both = grouped([*causes(*range(50)), *others], frozenset())
    assert len({cause.key for cause in both}) == len(both) == 2 * (MOST_ALONE + 1)


def test_a_rule_with_faults_names_each_of_them() -> None:
    wrong = AlertRule(
        " ",
        Channel.ENDPOINT,
        kinds=("machine.on_fire",),  # type: ignore[arg-type]
        after_s=-1.0,
        repeat_s=5.0,
        quiet=QuietHours(0, 0, "Nowhere/Here"),
        sounds={Severity.CRITICAL: "../alarm.wav"},
    )
    with pytest.raises(InvalidInput) as refused:
        wrong.validated()
    assert {error.field for error in refused.value.errors} == {
        "name",
        "kinds",
        "webhook_id",
        "after_s",
        "repeat_s",
        "quiet.time_zone",
        "quiet.weekdays",
        "sounds",
    }
