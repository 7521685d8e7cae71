"""What goes on while the thread of the window stands still: the engine has a thread of its own."""

import asyncio
import random
import re
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import (
    ActOnMachine,
    AddMachine,
    AddProgram,
    SubmitJobs,
)
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.door import Door
from cnc_station.engine.queries import JobsById, ListMachines
from cnc_station.engine.timing import STALL_S, SWITCH_S, watch_stalls
from cnc_station.engine_thread import EngineThread
from cnc_station.ui.frame import Frame
from cnc_station.ui.shell import Shell
from tests.conftest import serving
from tests.e2e.real_mills import HEAD, wired
from tests.e2e.routers_apart import routers_apart
from tests.linuxcnc import LinuxCnc
from tests.tools.lag import LagProbe, probe_of_drivers
from tests.tools.standstill import WAYS, in_one_call, in_qt
from tests.ui.real_engine import ME, mill
from tests.until import until

BLOCKED_S = 5.0
SIDES = 3_200  # of 1 mm, 5 ms each: a full planner of GRBL lasts less than a tenth of a second
SIDE = "G1X1F6000\nX0\n"
STREAM = f"G21G90\nG0X0Y0Z0\n{SIDE * (SIDES // 2)}M30\n".encode()


@pytest.fixture(autouse=True)
def _threads_of_the_product() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture
async def station(config: Config) -> AsyncIterator[EngineThread]:
    thread = EngineThread(config)
    await thread.start()
    yield thread
    await thread.stop()


async def _submit(door: Door, program: bytes, machine_id: int | None = None) -> int:
    row = await door.execute(AddProgram("stream.nc", program))
    spec = JobSpec(
        "stream", "mill", program=row.sha256, retry_limit=0, pinned_machine_id=machine_id
    )
    (job_id,) = await door.execute(SubmitJobs([spec]))
    return job_id


async def _state(door: Door, job_id: int) -> JobState:
    (row,) = await door.ask(JobsById([job_id]))
    return row.state


async def _confirm_position(door: Door, machine_id: int) -> bool:
    try:
        await door.execute(ActOnMachine(MachineAction.CONFIRM_POSITION, machine_id))
    except Conflict:
        return False
    return True


@pytest.mark.parametrize("way", ["in Qt", "computing"])
async def test_a_stream_goes_on_while_the_window_stands_still(
    station: EngineThread, tmp_path: Path, way: str
) -> None:
    door = station.door(ME)
    with routers_apart(tmp_path, ["hal"]) as routers:
        machine_id = await door.execute(AddMachine(*routers.machines()))
        await until(lambda: _confirm_position(door, machine_id))
        job_id = await _submit(door, STREAM)
        await until(lambda: routers.states()[0].moving)
        before = routers.states()[0].taken
        WAYS[way](BLOCKED_S)
        assert routers.states()[0].taken > before + 500
        await until(lambda: routers.states()[0].taken > SIDES)
        assert await _comes_to(door, job_id, JobState.COMPLETED)
        # A busy computer may hold it up for a moment.
        assert routers.states()[0].longest_pause_s < BLOCKED_S / 5


async def _comes_to(door: Door, job_id: int, state: JobState) -> bool:
    async def there() -> bool:
        return await _state(door, job_id) is state

    return await until(there)


STROKES = 260  # of 8 mm, 40 ms each: the planner and the buffer of a GRBL last a second
STROKE = "G1X8F6000\nX0\n"
CUT = f"G21G90\nG0X0Y0Z0\n{STROKE * (STROKES // 2)}M30\n".encode()
MILL_CUT = f"{HEAD}G0 X0 Y0 Z5\nG1 X50 F600\nX0\nG0 Z7\nM2\n".encode()  # some 10 s
WENT_ON = r"The window did not respond for \d+ s\. Machines and jobs went on\."
GOAL_S = 0.020
"""The lag of the drivers' loop, of 99 calls in a hundred."""


@pytest.fixture
def probe() -> Iterator[LagProbe]:
    """On the loop of the drivers."""
    with probe_of_drivers() as found:
        yield found


async def _put_to_work(door: Door, mill: MachineSpec, routers: Sequence[MachineSpec]) -> list[int]:
    """Add the machines. Return the jobs that they have begun: the mill takes longest to begin."""
    jobs = [await _submit(door, MILL_CUT, await door.execute(AddMachine(mill)))]
    added = [await door.execute(AddMachine(router)) for router in routers]
    for machine_id in added:
        await until(partial(_confirm_position, door, machine_id))
    assert await _comes_to(door, jobs[0], JobState.RUNNING)
    jobs += [await _submit(door, CUT, machine_id) for machine_id in added]
    for job_id in jobs:
        assert await _comes_to(door, job_id, JobState.RUNNING)
    return jobs


@pytest.mark.xdist_group("linuxcnc")
@pytest.mark.parametrize(
    "way",
    [  # short C calls leave the buffers little room: beside other tests one ran empty
        pytest.param(way, marks=[pytest.mark.slow] if way == "in short calls" else [])
        for way in WAYS
    ],
)
async def test_routers_and_a_real_linuxcnc_cut_on_while_the_window_stands_still(
    probe: LagProbe, station: EngineThread, tmp_path: Path, way: str
) -> None:
    frame, door = Frame(), station.door(ME)
    after_s = random.uniform(0.0, 1.0)

    def tell(seconds: float) -> None:
        shell.tell_stall(seconds, engine_too=station.stood_still(seconds + STALL_S))

    shell = Shell(frame)
    with routers_apart(tmp_path, ["hal", "grbl"]) as routers, serving(LinuxCnc) as mill:
        with mill.panel as panel:
            panel.make_ready()
        watching = asyncio.create_task(watch_stalls(tell))
        try:
            jobs = await _put_to_work(door, wired(mill, "Mill"), routers.machines())
            await asyncio.sleep(after_s)
            probe.clear()
            WAYS[way](BLOCKED_S)
            lag_s, own_s = probe.percentile(0.99), probe.percentile_computed(0.99)
            assert [each.rests for each in routers.states()] == [0, 0]  # they still cut
            await until(frame.window.toasts.messages)
            for job_id in jobs:
                assert await _comes_to(door, job_id, JobState.COMPLETED)
        finally:
            watching.cancel()
            await station.stop()
        # At the end of the program.
        assert [each.rests for each in routers.states()] == [1, 1]
        assert [each.taken for each in routers.states()] == [STROKES + 3] * 2
    told = frame.window.toasts.messages()
    assert all(re.fullmatch(WENT_ON, words) for words in told), told
    print(f"{way}: the drivers' loop is late by {lag_s * 1000:.1f} ms, {own_s * 1000:.1f} of ours")
    assert own_s < GOAL_S  # a busy computer adds what it likes
    frame.window.finish()
    frame.window.deleteLater()


async def test_a_stream_survives_a_call_that_keeps_the_interpreter(
    station: EngineThread, tmp_path: Path
) -> None:
    """Nothing in Python is that long here. If a library is, the controller stops and waits."""
    door = station.door(ME)
    with routers_apart(tmp_path, ["hal"]) as routers:
        machine_id = await door.execute(AddMachine(*routers.machines()))
        await until(lambda: _confirm_position(door, machine_id))
        job_id = await _submit(door, CUT, machine_id)
        await until(lambda: routers.states()[0].moving)
        in_one_call(BLOCKED_S)
        assert await until(lambda: station.stood_still(BLOCKED_S))
        assert await _comes_to(door, job_id, JobState.COMPLETED)
        assert routers.states()[0].taken == STROKES + 3


async def test_the_window_gets_all_notices_of_a_standstill_at_once(station: EngineThread) -> None:
    door = station.door(ME)
    heard: list[Notice] = []
    forget = door.subscribe(heard.append)
    await door.execute(AddMachine(mill()))
    job_ids = await door.execute(SubmitJobs([JobSpec("part", "mill", estimated_s=1.0)] * 3))
    await until(lambda: heard)
    heard.clear()
    in_qt(1.0)  # the station goes on meanwhile
    for job_id in job_ids:
        assert await _comes_to(door, job_id, JobState.COMPLETED)
    await until(lambda: {job for notice in heard for job in notice.jobs} >= set(job_ids))
    assert len(heard) < 10
    forget()
    heard.clear()
    (later,) = await door.execute(SubmitJobs([JobSpec("part", "mill", estimated_s=1.0)]))
    await _comes_to(door, later, JobState.COMPLETED)
    assert heard == []


async def test_a_closed_station_refuses_what_is_asked(config: Config) -> None:
    thread = EngineThread(config)
    await thread.start()
    door = thread.door(ME)
    await thread.stop()
    with pytest.raises(Unavailable, match="closed"):
        await door.ask(ListMachines())


async def test_a_station_that_cannot_start_says_why(config: Config, tmp_path: Path) -> None:
    (tmp_path / "station.db").unlink()
    (tmp_path / "station.db").mkdir()
    with pytest.raises(Unavailable):
        await EngineThread(config).start()
