"""A fleet of three real stations under load, hurt in every way that a shop hurts one.

Their wall clocks are ten minutes apart all the time. After each fault nobody repairs anything but
what a shop's supervisor does, which starts a killed process again; then all that was handed in is
done, and every promise of `checks` has been kept. `./dev faults` does the same for long.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import serving
from tests.faults.fleet.fleet import Fleet, until
from tests.faults.fleet.supervised import LEASE_S
from tests.tools.servers import Postgres, Redis

CLOCKS = (0.0, 600.0, -600.0)

pytestmark = pytest.mark.xdist_group("a hurt fleet")


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Servers of its own: they are hurt as well."""
    folder: Path = tmp_path_factory.mktemp("fleet")
    with (
        serving(Postgres) as postgres,
        serving(Redis) as redis,
        Fleet(postgres, redis, folder, len(CLOCKS), clocks=CLOCKS) as fleet,
    ):
        fleet.works_again()
        yield fleet


@pytest.fixture
def fleet(hurt: Fleet) -> Iterator[Fleet]:
    """After each test everything comes to its end, as it must."""
    hurt.works_again()
    yield hurt
    assert hurt.drained() == []


def test_killed_stations_lose_nothing(fleet: Fleet) -> None:
    for station in fleet.stations[:2]:
        fleet.kill(station)
    fleet.works_again()


def test_a_station_that_stood_still_longer_than_its_lease_does_no_harm(fleet: Fleet) -> None:
    with fleet.stopped(fleet.stations[0]):
        time.sleep(LEASE_S + 1.5)
    fleet.works_again()


def test_another_station_leads_when_the_leader_is_killed(fleet: Fleet) -> None:
    fleet.kill(fleet.leader())
    fleet.leader()
    fleet.works_again()


def test_a_leader_that_wakes_after_its_term_does_no_harm(fleet: Fleet) -> None:
    former = fleet.leader()
    with fleet.stopped(former):
        time.sleep(LEASE_S + 1.5)
        assert fleet.leader() is not former
    fleet.works_again()


def test_it_works_while_redis_is_away_and_when_it_is_back(fleet: Fleet) -> None:
    assert fleet.redis is not None
    fleet.redis.kill()
    fleet.works_again()
    fleet.redis.start()
    fleet.works_again()
    fleet.redis.clear()
    fleet.works_again()


def test_it_works_while_redis_does_not_answer(fleet: Fleet) -> None:
    assert fleet.redis is not None
    with fleet.paused(fleet.redis):
        fleet.works_again(10)
    fleet.works_again()


def test_cut_connections_to_the_database_lose_nothing(fleet: Fleet) -> None:
    for _ in range(3):
        fleet.cut_connections()
        fleet.works_again(3)


def test_a_restart_of_the_database_server_loses_nothing(fleet: Fleet) -> None:
    fleet.postgres.stop()
    fleet.postgres.start()
    fleet.works_again()


def test_a_database_server_that_stands_still_longer_than_the_leases(fleet: Fleet) -> None:
    with fleet.paused(fleet.postgres):
        time.sleep(LEASE_S + 1.0)
    fleet.works_again()


@pytest.mark.parametrize("reset", [False, True])
def test_a_station_that_is_cut_off_stops_before_others_begin(fleet: Fleet, reset: bool) -> None:
    with fleet.cut_off(fleet.stations[1], reset=reset):
        time.sleep(LEASE_S * 1.5)
        fleet.works_again()
    fleet.works_again()


def test_a_station_that_ends_by_itself_is_a_violation_with_its_last_words(fleet: Fleet) -> None:
    station = fleet.stations[0]
    former = station.process
    assert former is not None
    former.terminate()  # nobody has told the fleet
    until(lambda: station.process is not former, 60, "it is started again")
    (found,) = fleet.drained()
    assert found.startswith("S1 ended by itself with 0: ")
    assert " | " in found
