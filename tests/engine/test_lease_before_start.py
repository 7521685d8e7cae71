"""No machine is started by a process that stood still until its lease had ended."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.base import Order
from cnc_station.engine.queries import JobById
from cnc_station.engine.services.dispatcher import MachineDispatcher
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.parts import RecordModesSet
from cnc_station.engine.store.transaction import StoreCommand
from tests.engine.conftest import Station
from tests.engine.floor import Controller, service_of
from tests.engine.sessions import runs_of
from tests.until import until

LEASE_S = 5.0
STOOD_STILL_S = 10.0

Instant = Callable[[str], None]


class _Mill(Controller):
    """Tells of each load before it answers; sets a mode for each part."""

    def __init__(self, at: Instant) -> None:
        super().__init__()
        self.sets = ("G54",)
        self._at = at

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        sets = await super().load(order, part)
        self._at(f"load {part}")
        return sets


class _Database:
    """A writer that writes everything, and tells of it before it answers."""

    def __init__(self, at: Instant) -> None:
        self.moves: list[str] = []
        self._at = at
        self._modes = 0

    async def write(self, change: StoreCommand[Any]) -> None:
        if isinstance(change, MoveRun):
            self.moves.append(change.transition.name)
            self._at(change.transition.name)
        elif isinstance(change, RecordModesSet):
            self._modes += 1
            self._at(f"modes {self._modes}")

    write_until_committed = write


@pytest.mark.parametrize(
    ("instant", "starts", "moves"),
    [
        ("load 1", 0, []),
        ("started", 0, ["started"]),
        ("modes 1", 0, ["started"]),
        ("load 2", 1, ["started"]),
        ("modes 2", 1, ["started"]),
        ("never", 2, ["started", "completed"]),
    ],
)
async def test_the_lease_is_asked_again_before_a_machine_is_started(
    monkeypatch: pytest.MonkeyPatch, instant: str, starts: int, moves: list[str]
) -> None:
    loop = asyncio.get_running_loop()
    time = loop.time

    def at(now: str) -> None:
        if now == instant:
            monkeypatch.setattr(loop, "time", lambda: time() + STOOD_STILL_S)

    mill, database = _Mill(at), _Database(at)
    runs = runs_of(database, {1: mill})
    two = Claimed(1, 1, 1, 1, "bracket", 1, 0, None, None, 1, 2, 60.0, "", "", "")
    runs.take(two, loop.time() + LEASE_S)
    for part in (1, 2):
        await until(lambda: mill.asked.count("start") == part or not runs.busy)  # noqa: B023 - awaited at once
        if mill.cutting:
            mill.end()
    await until(lambda: not runs.busy)
    assert mill.asked.count("start") == starts
    assert database.moves == moves


async def test_a_machine_that_still_moves_for_a_lost_run_is_given_no_other(
    station: Station, controller: Controller
) -> None:
    """Although a person takes it into maintenance and back: the others have given its run up."""
    floor = await station()
    machine_id = await floor.mill(driver="scripted")
    job_id = await floor.job()
    await floor.comes_to(job_id, JobState.RUNNING)
    await until(lambda: controller.cutting)
    floor.runs.let_go(float("inf"))
    job = await floor.door.ask(JobById(job_id))
    assert job is not None
    (run,) = job.runs
    await floor.write(MoveRun(t.LOST_FINAL, run.id, run.token, job_id, machine_id, "reaper"))
    for action in (MachineAction.MAINTENANCE_ON, MachineAction.MAINTENANCE_OFF):
        await floor.act_on_machine(action, machine_id)
    await floor.machine_comes_to(machine_id, MachineState.IDLE)
    assert floor.runs.lost_machines() == {machine_id}
    waits = await floor.job(pinned_machine_id=machine_id)
    other = await floor.mill("Mill 2")
    done = await floor.job(pinned_machine_id=other)  # claimed after that, and done
    await floor.comes_to(done, JobState.COMPLETED)
    assert (await floor.row(waits)).state is JobState.QUEUED
    controller.end()
    await until(lambda: not floor.runs.lost_machines())
    service_of(floor.engine, MachineDispatcher).wake.hint()
    await floor.comes_to(waits, JobState.RUNNING)
    await until(lambda: controller.cutting)
    controller.end()
    await floor.comes_to(waits, JobState.COMPLETED)
