"""Stations on computers of their own, network namespaces, one's cable pulled under load.

Unlike a proxy that passes nothing on, this is what a kernel makes of it at both ends: no carrier,
packets sent again and given up, sessions that only one side believes in.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, func, select

from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.store import schema
from tests.conftest import serving
from tests.faults.fleet.fleet import Fleet, until
from tests.faults.fleet.namespace import Namespace, NotAllowed
from tests.faults.fleet.supervised import LEASE_S, SPEED
from tests.tools.servers import Postgres, Redis

STATIONS = 3
LONG_S = 4 * LEASE_S  # so that another station is at work before it would be done
GIVEN_UP_S = 10.0  # when the database driver counts its connection as lost

pytestmark = pytest.mark.xdist_group("a pulled cable")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder: Path = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        try:
            namespaces = [stack.enter_context(Namespace()) for _ in range(STATIONS)]
        except NotAllowed as reason:
            pytest.skip(f"no network namespace can be made here: {reason}")
        also_at = [namespace.address for namespace in namespaces]
        postgres = stack.enter_context(serving(partial(Postgres, also_at=also_at)))
        redis = stack.enter_context(serving(partial(Redis, also_at=also_at)))
        made = Fleet(postgres, redis, folder, STATIONS, namespaces=namespaces)
        stack.enter_context(made).works_again()
        yield made


def _first(fleet: Fleet, query: Select[Any]) -> Any:
    return fleet.database.read(lambda connection: connection.execute(query).first())


def _waited_for(fleet: Fleet, query: Select[Any], what: str) -> Any:
    return until(lambda: _first(fleet, query), 60, what)


@pytest.mark.parametrize("seconds", [LEASE_S + 1.5, GIVEN_UP_S + 2.0])
def test_a_station_whose_cable_is_pulled_stops_before_another_begins_and_comes_back(
    fleet: Fleet, seconds: float
) -> None:
    run, event = schema.run.c, schema.event.c
    processes = [station.process for station in fleet.stations]
    job_id = fleet.load.hand_in(
        JobSpec("long part", "mill", priority=100, estimated_s=LONG_S * SPEED)
    )
    of_the_job = select(run.id, run.station, run.lease_until).where(run.job_id == job_id)
    driven = _waited_for(fleet, of_the_job.where(run.state == "running"), "it runs")
    longer = of_the_job.where(run.id == driven.id, run.lease_until > driven.lease_until)
    _waited_for(fleet, longer, "its lease is kept")
    far = next(station for station in fleet.stations if station.name == driven.station)
    with fleet.cut_off(far):
        back_at = time.monotonic() + seconds
        reaped = select(event.id).where(event.run_id == driven.id, event.actor == "reaper")
        _waited_for(fleet, reaped, "its lease has ended")
        elsewhere = of_the_job.where(run.station != far.name, run.state == "running")
        _waited_for(fleet, elsewhere, "another station runs it")
        time.sleep(max(0.0, back_at - time.monotonic()))
    last = _first(fleet, select(func.max(run.id))).max_1
    done_by_it = select(run.id).where(run.id > last, run.station == far.name)
    _waited_for(fleet, done_by_it.where(run.state == "succeeded"), "the far station works again")
    left = fleet.drained()
    assert not left, "\n".join(left)
    assert [station.process for station in fleet.stations] == processes
