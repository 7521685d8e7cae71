"""A false GRBL at a serial port and a false grblHAL in the network work through a queue, with
everything that goes wrong in a shop. The station, its drivers and the wires are the real ones."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.engine import open_client
from cnc_station.engine.queries import ControllerStatus, ListEvents, ListMachines, ListRuns
from cnc_station.engine.store.database import Database
from cnc_station.engine.views import Doing
from tests.e2e.grbl_routers import Router
from tests.e2e.real_mills import (
    HEAD,
    LONG,
    SQUARE,
    STOPPING,
    TOO_FAR,
    at_work,
    station_of,
    submitted,
)
from tests.engine.floor import FloorOf
from tests.invariants import broken
from tests.until import until

VARIABLES = "#1=5\nG0 X#1\nM2\n"
MUCH = HEAD + 200 * "G1 X40 F600\nX0\n" + "M2\n"  # minutes at that speed


@pytest.fixture
async def routers(tmp_path: Path) -> AsyncIterator[tuple[Router, Router]]:
    two = (Router(tmp_path, hal=False), Router(tmp_path, hal=True))
    for router in two:
        await router.wire.put_back()
    yield two
    for router in two:
        await router.wire.pull_out()


@pytest.fixture(params=[0, 1], ids=["grbl", "grblhal"])
def router(request: pytest.FixtureRequest, routers: tuple[Router, Router]) -> Router:
    chosen: int = request.param
    return routers[chosen]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return station_of(tmp_path)


@pytest.fixture
async def floor(config: Config) -> AsyncIterator[FloorOf]:
    async with at_work(config) as floor:
        yield floor


async def _ends(
    floor: FloorOf, job_id: int, state: JobState, seconds: float = 60.0, *, homes: bool = False
) -> str:
    """Waits for that state; the shop clears and unlocks what needs it, and confirms the work zero
    of a machine that does not home. The job's last error."""

    async def there() -> bool:
        for machine in await floor.door.ask(ListMachines()):
            with suppress(Conflict):  # it is something else by now
                if machine.state is MachineState.NEEDS_CLEARING:
                    await floor.act_on_machine("clear", machine.id)
                if machine.state is MachineState.ALARM:
                    await floor.act_on_machine("unlock", machine.id)
                if not homes and machine.state is MachineState.IDLE and machine.position_lost:
                    await floor.act_on_machine("confirm_position", machine.id)
        return (await floor.row(job_id)).state is state

    await until(there, seconds)
    return (await floor.row(job_id)).last_error


def _doing(floor: FloorOf, machine_id: int) -> Doing | None:
    status = floor.door.peek(ControllerStatus(machine_id))
    return status.doing if status is not None else None


async def _count(floor: FloorOf, job_id: int, event: str) -> int:
    return (await floor.told(job_id)).count(event)


async def _cuts(floor: FloorOf, job_id: int, line: int) -> int:
    """Until the job's controller has come to this line; the machine's number."""
    row = await floor.comes_to(job_id, JobState.RUNNING, 60)
    machine_id = row.machine_id
    assert machine_id is not None

    def there() -> bool:
        status = floor.door.peek(ControllerStatus(machine_id))
        return status is not None and (status.line or 0) >= line

    await until(there, 30)
    return machine_id


async def test_two_machines_work_through_seven_jobs_whatever_happens_to_them(
    routers: tuple[Router, Router], floor: FloorOf
) -> None:
    held = await submitted(floor, "held", LONG)
    aborted = await submitted(floor, "aborted", LONG)
    plain = await submitted(floor, "plain", SQUARE)
    stopping = await submitted(floor, "stopping", STOPPING)
    too_far = await submitted(floor, "too far", TOO_FAR)
    unknown = await submitted(floor, "unknown", VARIABLES)
    last = await submitted(floor, "last", SQUARE)
    both = {
        await floor.door.execute(AddMachine(router.as_machine(f"Router {number}")))
        for number, router in enumerate(routers, 1)
    }

    machine = await _cuts(floor, held, 4)
    assert (await floor.act("hold", held)).applied
    stopped = floor.door.peek(ControllerStatus(machine))
    await _cuts(floor, aborted, 4)
    assert (await floor.act("abort", aborted, reason="wrong tool")).applied
    assert stopped is not None
    now = floor.door.peek(ControllerStatus(machine))
    assert now is not None
    assert (now.x, now.line) == (stopped.x, stopped.line)
    assert (await floor.act("continue", held)).applied

    await _ends(floor, stopping, JobState.HELD)
    reason = [
        e.reason for e in await floor.door.ask(ListEvents(job_id=stopping)) if e.type == "held"
    ]
    assert [words.split(" (")[0] for words in reason] == ["M0 on line 5"]
    assert (await floor.act("continue", stopping)).applied

    for job_id in (plain, held, stopping, last):
        await _ends(floor, job_id, JobState.COMPLETED)
        assert await _count(floor, job_id, "started") == 1
    assert "soft limit" in await _ends(floor, too_far, JobState.NEEDS_ATTENTION)
    assert "variables" in await _ends(floor, unknown, JobState.NEEDS_ATTENTION)
    await _ends(floor, aborted, JobState.CANCELLED)
    assert {run.machine_id for run in await floor.door.ask(ListRuns())} == both
    assert [router.fake.reset_while_moving for router in routers] == [0, 0]
    assert [router.fake.buffer.overflowed for router in routers] == [0, 0]


async def test_a_locked_machine_gets_nothing_until_it_has_homed(
    router: Router, floor: FloorOf
) -> None:
    router.fake.homing = router.fake.locked = True
    machine_id = await floor.door.execute(AddMachine(router.as_machine("Router")))
    job_id = await submitted(floor, "square", SQUARE)
    await floor.machine_comes_to(machine_id, MachineState.ALARM)
    await floor.act_on_machine("unlock", machine_id)
    await floor.machine_comes_to(machine_id, MachineState.IDLE)

    async def why() -> str:
        (machine,) = await floor.door.ask(ListMachines())
        return machine.not_ready

    assert "without homing" in await until(why)
    assert (await floor.row(job_id)).state is JobState.QUEUED
    assert router.fake.lines == 0
    router.fake.home()
    await _ends(floor, job_id, JobState.COMPLETED, homes=True)
    told = await floor.told(job_id)
    assert [told.count(event) for event in ("assigned", "started", "completed")] == [1, 1, 1]


async def test_a_cable_pulled_in_the_middle_of_a_cut_leaves_the_part_to_a_person(
    router: Router, floor: FloorOf
) -> None:
    machine_id = await floor.door.execute(AddMachine(router.as_machine("Router")))
    job_id = await submitted(floor, "long", LONG)
    await _cuts(floor, job_id, 4)
    await router.wire.pull_out()
    await until(lambda: _doing(floor, machine_id) is Doing.UNREACHABLE)
    await router.wire.put_back()
    await floor.comes_to(job_id, JobState.INTERRUPTED, 60)
    assert await _count(floor, job_id, "completed") == 0
    await floor.machine_comes_to(machine_id, MachineState.NEEDS_CLEARING)
    assert (await floor.act("scrap", job_id, reason="half cut")).applied
    await _ends(floor, job_id, JobState.COMPLETED)
    assert await _count(floor, job_id, "started") == 2


@pytest.mark.parametrize("mischief", ["reset", "hard limit", "a lost answer", "an error"])
async def test_what_goes_wrong_in_the_middle_of_a_cut_is_never_called_made(
    router: Router, floor: FloorOf, mischief: str
) -> None:
    if mischief == "a lost answer":
        router.fake.swallowed = {4}
    elif mischief == "an error":
        router.fake.errors = {5: 33}
    await floor.door.execute(AddMachine(router.as_machine("Router")))
    job_id = await submitted(floor, "long", LONG)
    if mischief == "reset":
        await _cuts(floor, job_id, 4)
        router.fake.switch_off_and_on()
    elif mischief == "hard limit":
        await _cuts(floor, job_id, 4)
        router.fake.raise_alarm(1)
    words = {"reset": "was reset", "hard limit": "ALARM:1", "a lost answer": "lost on the wire"}
    found = await _ends(floor, job_id, JobState.NEEDS_ATTENTION)
    assert words.get(mischief, "error:33") in found
    assert await _count(floor, job_id, "completed") == 0


async def _confirm_when_asked(floor: FloorOf) -> None:
    """Nobody has seen the machine while its station was down."""

    async def asked() -> int | None:
        (machine,) = await floor.door.ask(ListMachines())
        idle = machine.state is MachineState.IDLE
        return machine.id if idle and machine.position_lost else None

    machine_id = await until(asked)
    assert machine_id is not None
    await floor.act_on_machine("confirm_position", machine_id)


def _serving(config: Config) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "CNC_DATABASE_URL": config.database_url,
        "CNC_DATA_FOLDER": str(config.data_folder),
        "CNC_STATION": config.station,
    }
    return subprocess.Popen([sys.executable, "-m", "cnc_station", "serve"], env=environment)


async def test_a_station_killed_in_the_middle_of_a_cut_never_starts_it_again_blindly(
    router: Router, config: Config
) -> None:
    async with at_work(config) as floor:
        await floor.door.execute(AddMachine(router.as_machine("Router")))
    station = _serving(config)
    door = FloorOf(await open_client(config))
    try:
        job_id = await submitted(door, "long", MUCH)
        await _confirm_when_asked(door)
        await until(lambda: router.fake.axes.place[0] > 20, 30)
        station.send_signal(signal.SIGKILL)
        await asyncio.to_thread(station.wait)
        taken = len(router.fake.taken)
        station = _serving(config)
        await door.comes_to(job_id, JobState.INTERRUPTED, 60)
        told = await door.door.ask(ListEvents(job_id=job_id))
        assert any("The controller shows" in event.reason for event in told)
        assert len(router.fake.taken) < taken + 20
        assert (await door.act("scrap", job_id, reason="half cut")).applied
        router.fake.axes.speed = 4000.0
        router.fake.reset()  # somebody presses the button: it was still moving
        await _ends(door, job_id, JobState.COMPLETED)
        events = await door.told(job_id)
        assert [events.count(e) for e in ("started", "completed")] == [2, 1]
        with closing(Database(config.database_url)) as database:
            assert database.read(broken) == []
    finally:
        station.terminate()
        await asyncio.to_thread(station.wait)
        await door.engine.stop()
