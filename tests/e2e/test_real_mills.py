"""Two real LinuxCNC controllers work through a queue, with everything that goes wrong in a shop.

Nothing here is played but the operator at the panel, who is a session of the controller's own. A
controller lives as long as the thread that started it, so it is started on this one.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.engine import open_client
from cnc_station.engine.queries import ControllerStatus, ListEvents, ListMachines, ListRuns
from cnc_station.engine.store.database import Database
from cnc_station.engine.views import Doing, Status
from tests.conftest import serving
from tests.e2e.real_mills import (
    HEAD,
    LONG,
    SQUARE,
    STOPPING,
    TOO_FAR,
    at_work,
    station_of,
    submitted,
    wired,
)
from tests.engine.floor import FloorOf
from tests.invariants import broken
from tests.linuxcnc import LinuxCnc
from tests.until import until

pytestmark = pytest.mark.xdist_group("linuxcnc")


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[LinuxCnc, LinuxCnc]]:
    """Started once: a controller that was switched off is one that has to be homed."""
    with ExitStack() as stack:
        one = stack.enter_context(serving(lambda: LinuxCnc("MILL1")))
        other = stack.enter_context(serving(lambda: LinuxCnc("MILL2")))
        yield one, other


@pytest.fixture
def mills(two: tuple[LinuxCnc, LinuxCnc]) -> tuple[LinuxCnc, LinuxCnc]:
    """Switched on, homed, in automatic mode, with nothing under way."""
    for mill in two:
        with mill.panel as panel:
            panel.make_ready()
    return two


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return station_of(tmp_path)


@pytest.fixture
async def floor(config: Config) -> AsyncIterator[FloorOf]:
    async with at_work(config) as floor:
        yield floor


async def _ends(floor: FloorOf, job_id: int, state: JobState, seconds: float = 60.0) -> str:
    """Waits for that state, clearing the mills where a part was spoilt; its last error."""

    async def there() -> bool:
        for machine in await floor.door.ask(ListMachines()):
            if machine.state is MachineState.NEEDS_CLEARING:
                with suppress(Conflict):  # it is something else by now
                    await floor.act_on_machine("clear", machine.id)
        return (await floor.row(job_id)).state is state

    await until(there, seconds)
    return (await floor.row(job_id)).last_error


async def _count(floor: FloorOf, job_id: int, event: str) -> int:
    return (await floor.told(job_id)).count(event)


def _status(floor: FloorOf, machine_id: int) -> Status:
    status = floor.door.peek(ControllerStatus(machine_id))
    assert status is not None
    return status


async def _cuts(floor: FloorOf, job_id: int, line: int) -> int:
    """Until the job's controller says that it has come to this line; the machine's number."""
    row = await floor.comes_to(job_id, JobState.RUNNING, 60)
    machine_id = row.machine_id
    assert machine_id is not None
    await until(lambda: (_status(floor, machine_id).line or 0) >= line, 30)
    return machine_id


async def test_two_mills_work_through_six_jobs_whatever_happens_to_them(
    mills: tuple[LinuxCnc, LinuxCnc], floor: FloorOf
) -> None:
    held = await submitted(floor, "held", LONG)
    aborted = await submitted(floor, "aborted", LONG)
    plain = await submitted(floor, "plain", SQUARE)
    stopping = await submitted(floor, "stopping", STOPPING)
    too_far = await submitted(floor, "too far", TOO_FAR)
    last = await submitted(floor, "last", SQUARE)
    both = {
        await floor.door.execute(AddMachine(wired(mill, f"Mill {number}")))
        for number, mill in enumerate(mills, 1)
    }

    mill = await _cuts(floor, held, 4)
    assert (await floor.act("hold", held)).applied
    stopped = _status(floor, mill)
    await _cuts(floor, aborted, 4)
    assert (await floor.act("abort", aborted, reason="wrong tool")).applied
    assert (_status(floor, mill).x, _status(floor, mill).line) == (stopped.x, stopped.line)
    assert (await floor.act("continue", held)).applied

    await _ends(floor, stopping, JobState.HELD)
    reason = [
        e.reason for e in await floor.door.ask(ListEvents(job_id=stopping)) if e.type == "held"
    ]
    assert reason == ["program stop (M0)"]
    assert (await floor.act("continue", stopping)).applied

    for job_id in (plain, held, stopping, last):
        await _ends(floor, job_id, JobState.COMPLETED)
        assert await _count(floor, job_id, "started") == 1
    assert "exceed" in await _ends(floor, too_far, JobState.NEEDS_ATTENTION)
    await _ends(floor, aborted, JobState.CANCELLED)
    assert {run.machine_id for run in await floor.door.ask(ListRuns())} == both


async def test_a_mill_that_is_not_homed_gets_nothing_until_somebody_has_homed_it(
    mills: tuple[LinuxCnc, LinuxCnc], floor: FloorOf
) -> None:
    mill, _ = mills
    mill.stop()
    mill.start()
    with mill.panel as panel:
        panel.switch_on()
        panel.make("mode", "auto")
    await floor.door.execute(AddMachine(wired(mill, "Mill 1")))
    job_id = await submitted(floor, "square", SQUARE)
    (machine,) = await floor.door.ask(ListMachines())
    assert "homed" in machine.not_ready
    assert (await floor.row(job_id)).state is JobState.QUEUED
    await asyncio.to_thread(_make_ready, mill)
    await _ends(floor, job_id, JobState.COMPLETED)


def _make_ready(mill: LinuxCnc) -> None:
    with mill.panel as panel:
        panel.make_ready()


async def test_a_program_that_the_controller_does_not_find_is_never_called_made(
    mills: tuple[LinuxCnc, LinuxCnc], floor: FloorOf
) -> None:
    mill, _ = mills
    await floor.door.execute(AddMachine(wired(mill, "Mill 1", controller_folder="/nowhere")))
    job_id = await submitted(floor, "square", SQUARE)
    assert "/nowhere" in await _ends(floor, job_id, JobState.NEEDS_ATTENTION)
    assert await _count(floor, job_id, "completed") == 0


async def test_a_session_stolen_in_the_middle_of_a_cut_costs_nothing(
    mills: tuple[LinuxCnc, LinuxCnc], floor: FloorOf
) -> None:
    mill, _ = mills
    await floor.door.execute(AddMachine(wired(mill, "Mill 1")))
    job_id = await submitted(floor, "long", LONG)
    await _cuts(floor, job_id, 4)
    with mill.panel as thief:
        assert thief.get("enable") == "ON"
        await _cuts(floor, job_id, 5)
        assert (await floor.act("hold", job_id)).applied
        assert (await floor.act("continue", job_id)).applied
    await _ends(floor, job_id, JobState.COMPLETED)


async def test_a_controller_killed_in_the_middle_of_a_cut_leaves_the_part_to_a_person(
    mills: tuple[LinuxCnc, LinuxCnc], floor: FloorOf
) -> None:
    mill, _ = mills
    machine_id = await floor.door.execute(AddMachine(wired(mill, "Mill 1")))
    job_id = await submitted(floor, "long", LONG)
    await _cuts(floor, job_id, 4)
    mill.kill()
    mill.start()
    await asyncio.to_thread(_make_ready, mill)
    await floor.comes_to(job_id, JobState.INTERRUPTED, 60)
    await floor.machine_comes_to(machine_id, MachineState.NEEDS_CLEARING)
    assert await _count(floor, job_id, "started") == 1
    assert (await floor.act("scrap", job_id, reason="half cut")).applied
    await _ends(floor, job_id, JobState.COMPLETED)
    assert await _count(floor, job_id, "started") == 2


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ("G20 G90\nG0 X1 Y1\nM30\n", "G21 set (G20 was on)"),
        ("%\nG21 G90\nG10 L2 P2 X100 Y0 Z0\nG55 G0 X0 Y0\n%\n", "G54 set (G55 was on)"),
        ("%\nG21 G90 G93\nG1 X0 Y1 F60\n%\n", "G94 set (G93 was on)"),
        ("%\nG21 G90\nG0 X1 Y1\nG91\n%\n", "G90 set (G91 was on)"),
    ],
)
async def test_the_job_before_changes_nothing_for_the_next_one(
    left: str, words: str, mills: tuple[LinuxCnc, LinuxCnc], floor: FloorOf
) -> None:
    mill, _ = mills
    await floor.door.execute(AddMachine(wired(mill, "Mill 1")))
    await _ends(floor, await submitted(floor, "before", left), JobState.COMPLETED)
    job_id = await submitted(floor, "plain", "G0 X0 Y0\nG1 X5 Y5 F600\nM30\n")
    await _ends(floor, job_id, JobState.COMPLETED)
    with mill.watcher as watcher:
        assert watcher.get("abs_act_pos").startswith("5.000000 5.000000")
    events = await floor.door.ask(ListEvents(job_id=job_id))
    (was_set,) = [event.reason for event in events if event.type == "modes_set"]
    assert words in was_set


async def test_the_second_part_of_a_quantity_begins_as_the_first(
    mills: tuple[LinuxCnc, LinuxCnc], floor: FloorOf
) -> None:
    mill, _ = mills
    await floor.door.execute(
        AddMachine(wired(mill, "Mill 1", operator_starts=False, operator_clears=False))
    )
    job_id = await submitted(floor, "two", "%\nG0 X5 Y5\nG20 G91\n%\n", quantity=2)
    await _ends(floor, job_id, JobState.COMPLETED)
    with mill.watcher as watcher:
        assert watcher.get("abs_act_pos").startswith("5.000000 5.000000")


async def test_a_machine_is_never_plainly_ready_while_its_spindle_turns(
    mills: tuple[LinuxCnc, LinuxCnc], floor: FloorOf
) -> None:
    mill, _ = mills
    machine_id = await floor.door.execute(AddMachine(wired(mill, "Mill 1")))
    job_id = await submitted(floor, "left on", f"%\n{HEAD}M3 S1000\nG1 X1 F600\n%\n")
    await _ends(floor, job_id, JobState.COMPLETED)
    await until(lambda: _status(floor, machine_id).doing is Doing.READY)
    with mill.watcher as watcher:
        assert watcher.get("spindle 0") == "0 OFF"


def _serving(config: Config) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "CNC_DATABASE_URL": config.database_url,
        "CNC_DATA_FOLDER": str(config.data_folder),
        "CNC_STATION": config.station,
    }
    return subprocess.Popen([sys.executable, "-m", "cnc_station", "serve"], env=environment)


async def test_a_station_killed_in_the_middle_of_a_cut_takes_the_run_up_again_once(
    mills: tuple[LinuxCnc, LinuxCnc], config: Config
) -> None:
    mill, _ = mills
    async with at_work(config) as floor:
        machine_id = await floor.door.execute(AddMachine(wired(mill, "Mill 1")))
    station = _serving(config)
    door = FloorOf(await open_client(config))
    try:
        job_id = await submitted(door, "long", LONG)
        await door.comes_to(job_id, JobState.RUNNING, 30)
        await asyncio.to_thread(_wait_for_line, mill, 4)
        station.send_signal(signal.SIGKILL)
        station.wait()
        assert (await door.row(job_id)).state is JobState.RUNNING
        station = _serving(config)
        await door.comes_to(job_id, JobState.COMPLETED, 60)
        told = await door.told(job_id)
        assert [told.count(e) for e in ("started", "reattached", "completed")] == [1, 1, 1]
        (run,) = await door.door.ask(ListRuns(job_id=job_id))
        assert run.machine_id == machine_id
        with closing(Database(config.database_url)) as database:
            assert database.read(broken) == []
    finally:
        station.terminate()
        station.wait()
        await door.engine.stop()


def _wait_for_line(mill: LinuxCnc, line: int) -> None:
    with mill.watcher as watcher:
        watcher.wait("program_line", str(line))
