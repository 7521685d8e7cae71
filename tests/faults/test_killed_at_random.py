"""kill -9 at random moments, under load: the short version of `./dev faults`."""

from pathlib import Path

import pytest

from tests.faults.campaign import Campaign

KILLS = 20


@pytest.mark.xdist_group("killed at random")
def test_a_station_killed_twenty_times_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    figures = Campaign(tmp_path, kills=KILLS, seed=7).run()
    assert figures.violations == []
    assert figures.kills == KILLS
    assert figures.completed > 100
    assert figures.recovered > 5
