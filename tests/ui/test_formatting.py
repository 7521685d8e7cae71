from datetime import datetime

import pytest

from cnc_station.ui import formatting

NOW = int(datetime(2026, 11, 23, 14, 7, 51).astimezone().timestamp() * 1000)
HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "00:00"), (-3, "00:00"), (1122, "18:42"), (3599.6, "1:00:00"), (4328, "1:12:08")],
)
def test_durations_are_minutes_until_there_is_an_hour(seconds: float, said: str) -> None:
    assert formatting.duration(seconds) == said


def test_a_share_is_said_with_a_space_before_its_sign() -> None:
    assert [formatting.percent(share) for share in (0.0, 0.644, 1.0)] == ["0 %", "64 %", "100 %"]


def test_a_due_time_is_a_time_today_and_a_day_otherwise() -> None:
    assert formatting.due(NOW + 3 * HOUR, NOW) == "today 17:07"
    assert formatting.due(NOW + 2 * DAY, NOW) == "Wed"
    assert formatting.due(NOW + 8 * DAY, NOW) == "Tue 1 Dec"
    assert formatting.due(NOW - DAY, NOW) == "Sun 22 Nov"
    assert formatting.due(NOW + 60 * DAY, NOW) == "Fri 22 Jan 2027"
    assert formatting.due(None, NOW) == formatting.NONE


def test_a_moment_has_its_day_unless_that_is_today() -> None:
    assert formatting.moment(NOW, NOW) == "14:07:51"
    assert formatting.moment(NOW - DAY, NOW) == "Sun 22 Nov 14:07:51"
