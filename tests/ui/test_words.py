from datetime import datetime

import pytest

from cnc_station.ui import words

NOW = int(datetime(2026, 11, 23, 14, 7, 51).astimezone().timestamp() * 1000)
HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "00:00"), (-3, "00:00"), (1122, "18:42"), (3599.6, "1:00:00"), (4328, "1:12:08")],
)
def test_durations_are_minutes_until_there_is_an_hour(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_a_share_is_said_with_a_space_before_its_sign() -> None:
    assert [words.percent(share) for share in (0.0, 0.644, 1.0)] == ["0 %", "64 %", "100 %"]


def test_a_due_time_is_a_time_today_and_a_day_otherwise() -> None:
    assert words.due(NOW + 3 * HOUR, NOW) == "today 17:07"
    assert words.due(NOW + 2 * DAY, NOW) == "Wed"
    assert words.due(NOW + 8 * DAY, NOW) == "Tue 1 Dec"
    assert words.due(NOW - DAY, NOW) == "Sun 22 Nov"
    assert words.due(NOW + 60 * DAY, NOW) == "Fri 22 Jan 2027"
    assert words.due(None, NOW) == words.NONE


def test_a_moment_has_its_day_unless_that_is_today() -> None:
    assert words.moment(NOW, NOW) == "14:07:51"
    assert words.moment(NOW - DAY, NOW) == "Sun 22 Nov 14:07:51"
