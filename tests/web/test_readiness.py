from dataclasses import replace

import pytest

from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.views import Link, MachineRow, StationRow
from cnc_station.web.readiness import Status, readiness

DATABASE = Link("database", "connected", 0)
REDIS = Link("redis", "connected", 0)
HALL = StationRow(
    name="Hall 1",
    host="pc",
    version="1",
    started_at=0,
    heard_s=1.0,
    lag_ms=1.0,
    leads=True,
    term=7,
    machines=1,
    running=0,
    here=True,
)
MILL = MachineRow(
    id=1,
    version=1,
    spec=MachineSpec("Mill 1", "mill"),
    state=MachineState.IDLE,
    state_since=0,
    state_reason="",
    station="Hall 1",
    maintenance_due=False,
    job_id=None,
    run_id=None,
    run_started_at=None,
    runs_done=0,
    run_seconds=0.0,
    last_material="",
    last_program="",
)
OFF = replace(MILL, id=2, state=MachineState.OFFLINE)


def test_a_station_that_has_everything_is_ready() -> None:
    found = readiness((DATABASE, REDIS), (HALL,), (MILL,), "Hall 1")
    assert found.status is Status.READY
    assert found.checks["leader"].detail == "Hall 1, term 7"
    assert found.checks["machines"].detail == "1 of 1 are connected"


def test_a_station_alone_needs_no_redis() -> None:
    alone = Link("database", "standalone", 0)
    found = readiness((alone,), (HALL,), (MILL,), "Hall 1")
    assert found.status is Status.READY
    assert (found.checks["database"].state, found.checks["redis"].state) == (
        "standalone",
        "not used",
    )


def test_without_its_database_a_station_is_not_ready_and_reports_nothing_else() -> None:
    away = replace(DATABASE, state="offline", detail="The database server can't be reached.")
    found = readiness((away, REDIS), (HALL,), (MILL,), "Hall 1")
    assert found.status is Status.NOT_READY
    assert found.checks["database"].detail == "The database server can't be reached."
    assert found.checks["redis"].ok
    assert found.checks["leader"].state == "unknown"


def test_a_station_whose_name_was_taken_over_is_not_ready() -> None:
    taken = Link("name", "offline", 0, "Another station is called Hall 1 now.")
    found = readiness((DATABASE, REDIS, taken), (HALL,), (MILL,), "Hall 1")
    assert found.status is Status.NOT_READY
    assert found.checks["name"].detail == "Another station is called Hall 1 now."


@pytest.mark.parametrize(
    ("links", "stations", "machines", "missing"),
    [
        ((DATABASE, replace(REDIS, state="offline")), (HALL,), (MILL,), "redis"),
        ((DATABASE, REDIS), (replace(HALL, leads=False),), (MILL,), "leader"),
        ((DATABASE, REDIS), (HALL,), (MILL, OFF), "machines"),
        ((DATABASE, REDIS), (HALL,), (OFF,), "machines"),
    ],
)
def test_a_missing_optional_dependency_leaves_it_degraded(
    links: tuple[Link, ...],
    stations: tuple[StationRow, ...],
    machines: tuple[MachineRow, ...],
    missing: str,
) -> None:
    found = readiness(links, stations, machines, "Hall 1")
    assert found.status is Status.DEGRADED
    assert [name for name, check in found.checks.items() if not check.ok] == [missing]


def test_the_machines_of_other_stations_do_not_count() -> None:
    elsewhere = replace(OFF, station="Hall 2")
    assert readiness((DATABASE,), (HALL,), (MILL, elsewhere), "Hall 1").status is Status.READY
    assert readiness((DATABASE,), (HALL,), (elsewhere,), "Hall 1").status is Status.READY
