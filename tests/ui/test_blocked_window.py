"""What goes on while the thread of the window stands still: the engine has a thread of its own."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from cnc_station import engine_thread
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
from cnc_station.engine.timing import STALL_S, watch_stalls
from cnc_station.engine_thread import EngineThread
from cnc_station.ui.frame import Frame
from cnc_station.ui.shell import Shell
from tests.conftest import serving
from tests.e2e.grbl_routers import Router
from tests.e2e.real_mills import HEAD, wired
from tests.linuxcnc import LinuxCnc
from tests.tools.lag import LagProbe
from tests.tools.loop_thread import LoopThread, loop_thread
from tests.ui.real_engine import ME, mill
from tests.until import until

BLOCKED_S = 5.0
SIDES = 3_200  # of 1 mm, 5 ms each: a full planner of GRBL lasts less than a tenth of a second
SIDE = "G1X1F6000\nX0\n"
STREAM = f"G21G90\nG0X0Y0Z0\n{SIDE * (SIDES // 2)}M30\n".encode()


@pytest.fixture
async def station(config: Config) -> AsyncIterator[EngineThread]:
    thread = EngineThread(config)
    await thread.start()
    yield thread
    await thread.stop()


@pytest.fixture
def fakes() -> Iterator[LoopThread]:
    with loop_thread() as thread:
        yield thread


class Watched:
    """A router in the thread of the fakes. `pauses` are the seconds in which it stood still after
    its first and before its last line."""

    def __init__(self, fakes: LoopThread, folder: Path, lines: int) -> None:
        self.router = Router(folder, hal=True)
        self.pauses: list[float] = []
        self._lines = lines
        self._fakes = fakes
        fakes.run(self.router.wire.put_back())
        self._watching = asyncio.run_coroutine_threadsafe(self._watch(), fakes.loop)

    async def _watch(self) -> None:
        fake, moved = self.router.fake, 0.0
        while len(fake.taken) < self._lines:
            now = time.monotonic()
            if fake.axes.moving:
                if moved:
                    self.pauses.append(now - moved)
                moved = now
            await asyncio.sleep(0.001)

    def close(self) -> None:
        self._watching.cancel()
        self._fakes.run(self.router.wire.pull_out())


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


def _sleep(seconds: float = BLOCKED_S) -> None:
    """As in a native dialog: the interpreter is free."""
    time.sleep(seconds)


def _compute() -> None:
    """The interpreter is not."""
    ends = time.monotonic() + BLOCKED_S
    while time.monotonic() < ends:
        sum(range(1000))


@pytest.mark.parametrize("block", [_sleep, _compute])
async def test_a_stream_goes_on_while_the_window_stands_still(
    station: EngineThread, fakes: LoopThread, tmp_path: Path, block: Callable[[], None]
) -> None:
    watched = Watched(fakes, tmp_path, SIDES + 2)
    door = station.door(ME)
    machine_id = await door.execute(AddMachine(watched.router.as_machine("Router 1")))
    await until(lambda: _confirm_position(door, machine_id))
    job_id = await _submit(door, STREAM)
    await until(lambda: watched.router.fake.axes.moving)
    before = len(watched.router.fake.taken)
    block()
    assert len(watched.router.fake.taken) > before + 500
    await until(lambda: len(watched.router.fake.taken) > SIDES)
    assert await _comes_to(door, job_id, JobState.COMPLETED)
    watched.close()
    assert max(watched.pauses) < BLOCKED_S / 5  # a busy computer may hold it up for a moment


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
def lags(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How late each call comes on the loop of the drivers."""
    found: list[float] = []

    async def watched(report: Callable[[float], None]) -> None:
        with LagProbe() as probe:
            probe.lags = found
            await watch_stalls(report)

    monkeypatch.setattr(engine_thread, "watch_stalls", watched)
    return found


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
async def test_routers_and_a_real_linuxcnc_cut_on_while_the_window_stands_still(
    lags: list[float], station: EngineThread, fakes: LoopThread, tmp_path: Path
) -> None:
    routers = [Router(tmp_path, hal=True), Router(tmp_path, hal=False)]
    frame, door, other_loop = Frame(), station.door(ME), LagProbe()
    block, after_s = random.choice((_sleep, _compute)), random.uniform(0.0, 1.0)

    def tell(seconds: float) -> None:
        shell.tell_stall(seconds, engine_too=station.stood_still(seconds + STALL_S))

    shell = Shell(frame)
    with serving(LinuxCnc) as mill:
        with mill.panel as panel:
            panel.make_ready()
        for router in routers:
            fakes.run(router.wire.put_back())
        watching = asyncio.create_task(watch_stalls(tell))
        try:
            specs = [router.as_machine(f"Router {at}") for at, router in enumerate(routers)]
            jobs = await _put_to_work(door, wired(mill, "Mill"), specs)
            await asyncio.sleep(after_s)
            lags.clear()
            fakes.run(_entered(other_loop))
            block()
            blocked = sorted(lags)
            assert all(router.fake.axes.rests == 0 for router in routers)  # they still cut
            await until(frame.window.toasts.messages)
            for job_id in jobs:
                assert await _comes_to(door, job_id, JobState.COMPLETED)
        finally:
            watching.cancel()
            await station.stop()
            for router in routers:
                fakes.run(router.wire.pull_out())
    assert [router.fake.axes.rests for router in routers] == [1, 1]  # at the end of the program
    assert [len(router.fake.taken) for router in routers] == [STROKES + 3] * 2
    told = frame.window.toasts.messages()
    assert all(re.fullmatch(WENT_ON, words) for words in told), told
    lag_s = blocked[int(0.99 * len(blocked))]
    print(f"{block.__name__}: lag of the drivers' loop, p99: {lag_s * 1000:.1f} ms")
    assert lag_s < max(GOAL_S, 3 * other_loop.percentile(0.99))  # a busy computer delays both
    frame.window.finish()
    frame.window.deleteLater()


async def _entered(probe: LagProbe) -> None:
    probe.__enter__()


async def test_the_window_gets_all_notices_of_a_standstill_at_once(station: EngineThread) -> None:
    door = station.door(ME)
    heard: list[Notice] = []
    forget = door.subscribe(heard.append)
    await door.execute(AddMachine(mill()))
    job_ids = await door.execute(SubmitJobs([JobSpec("part", "mill", estimated_s=1.0)] * 3))
    await until(lambda: heard)
    heard.clear()
    _sleep(1.0)  # the station goes on meanwhile
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
