"""Alert rules as sentences."""

import pytest

from cnc_station.engine.domain.alert_rules import AlertRule, Channel, QuietHours
from cnc_station.engine.domain.alerts import AlertKind, Severity
from cnc_station.ui.alerts.rule_text import rule_words, span_words
from cnc_station.ui.alerts.station_settings import StationAlerts, station_alerts

_WAITS = (AlertKind.MACHINE_WAITING,)
_NIGHT = QuietHours(20 * 60, 6 * 60, "Europe/Berlin")


def words(channel: Channel = Channel.WINDOW, **values: object) -> str:
    rule = AlertRule("r", channel, **values)  # type: ignore[arg-type]
    endpoint = "shift lead" if rule.webhook_id else None
    return rule_words(rule, endpoint, "Mill 1" if rule.machine_id == 1 else None)


def test_a_rule_reads_as_a_person_says_it() -> None:
    assert words(
        Channel.ENDPOINT,
        kinds=_WAITS,
        after_s=600.0,
        repeat_s=900.0,
        webhook_id=3,
        quiet=_NIGHT,
        critical_breaks_quiet=False,
    ) == (
        "When a machine waits for a person for 10 min: message to shift lead, again every 15 min "
        "until acknowledged, not 20:00\N{EN DASH}06:00."
    )
    assert words(machine_id=1, tenant="Cell 2", tells_end=True) == (
        "When anything asks for a person at Mill 1 of tenant Cell 2: banner in the window, and "
        "when it is over."
    )
    assert words(Channel.SOUND, least_severity=Severity.CRITICAL, quiet=_NIGHT) == (
        "When anything asks for a person and it is critical: sound at the stations, "
        "not 20:00\N{EN DASH}06:00."
    )


def test_many_kinds_are_told_by_those_that_are_missing() -> None:
    all_but_one = tuple(kind for kind in AlertKind if kind is not AlertKind.MACHINE_WAITING)
    assert words(kinds=all_but_one).startswith(
        "When anything asks for a person, unless a machine waits for a person:"
    )
    three = (AlertKind.MACHINE_ALARM, AlertKind.JOB_INTERRUPTED, AlertKind.STATION_LOST)
    assert words(kinds=three).startswith(
        "When a machine is in alarm, a job was interrupted or a station does not respond:"
    )


def test_what_was_deleted_is_called_so() -> None:
    assert "at a deleted machine" in words(machine_id=2)
    rule = AlertRule("r", Channel.ENDPOINT, webhook_id=9)
    assert "message to a deleted endpoint" in rule_words(rule, None, None)


@pytest.mark.parametrize(
    ("quiet", "said"),
    [
        (QuietHours(0, 0, "UTC", (5, 6)), "not all day from Sat, Sun"),
        (QuietHours(1200, 1200, "UTC", (4,)), "not for 24 h from 20:00 from Fri"),
        (QuietHours(720, 780, "UTC", tuple(range(7))), "not 12:00\N{EN DASH}13:00, critical"),
    ],
)
def test_quiet_hours_name_their_days(quiet: QuietHours, said: str) -> None:
    assert said in words(quiet=quiet)


def test_spans_are_short() -> None:
    spans = (30.0, 90.0, 60.0, 5400.0, 7200.0, 3661.0)
    assert [span_words(s) for s in spans] == [
        "30 s",
        "90 s",
        "1 min",
        "1 h 30 min",
        "2 h",
        "1:01:01",
    ]


def test_a_stored_way_to_tell_alerts_is_read_back_and_garbage_is_the_default() -> None:
    own = StationAlerts(desktop=False, sounds={"critical": "/a.wav"}, muted_until=7)
    assert station_alerts(dict(own.stored())) == own
    garbage = {"desktop": "yes", "sounds": {"critical": 5}, "muted_until": None, "other": 1}
    assert station_alerts(garbage) == StationAlerts()
    assert station_alerts(None) == StationAlerts()
