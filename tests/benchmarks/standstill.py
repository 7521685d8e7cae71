"""How late the loop of the drivers is while the thread of the window stands still.

Two routers cut meanwhile, from a process of their own. Beside it: a bare loop in a thread while the
same thread stands still in the same way. What other processes delay is in neither figure.
"""

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from cnc_station.engine.commands import ActOnMachine, AddMachine, AddProgram, SubmitJobs
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.door import Door
from cnc_station.engine_thread import EngineThread
from cnc_station.loop import run
from tests.benchmarks.figures import Effort, Figure, compared, turns
from tests.benchmarks.shop import config, folder
from tests.e2e.routers_apart import RoutersApart, routers_apart
from tests.tools.lag import LagProbe, probe_of_drivers
from tests.tools.loop_thread import loop_thread
from tests.tools.standstill import WAYS
from tests.until import until

BLOCKED_S = 5.0
STROKE = "G1X8F6000\nX0\n"  # of 40 ms a line
HEAD, STROKES_A_SECOND = "G21G90\nG0X0Y0Z0\n", 25
ALLOWANCE_S = 10.0
MOST = {"in Qt": 20.0, "computing": 3.0, "in short calls": 3.0}  # in Qt, a bare loop has no rival


async def _confirmed(door: Door, machine_id: int) -> bool:
    try:
        await door.execute(ActOnMachine(MachineAction.CONFIRM_POSITION, machine_id))
    except Conflict:
        return False
    return True


async def _begin(door: Door, routers: RoutersApart, seconds: float) -> None:
    lines = HEAD + STROKE * round(STROKES_A_SECOND * seconds / 2) + "M30\n"
    program = await door.execute(AddProgram("cut.nc", lines.encode()))
    for machine in routers.machines():
        machine_id = await door.execute(AddMachine(machine))
        await until(partial(_confirmed, door, machine_id))
        job = JobSpec("cut", "mill", program=program.sha256, pinned_machine_id=machine_id)
        await door.execute(SubmitJobs([job]))
    await until(lambda: all(each.moving for each in routers.states()))


@asynccontextmanager
async def _cutting(path: Path, seconds: float) -> AsyncIterator[LagProbe]:
    with routers_apart(path, ["hal", "grbl"]) as routers, probe_of_drivers() as probe:
        station = EngineThread(config(path))
        await station.start()
        try:
            await _begin(station.door(local_principal("bench")), routers, seconds)
            yield probe
            assert [each.rests for each in routers.states()] == [0, 0]  # no buffer was empty
        finally:
            await station.stop()


async def _driven(seconds: float) -> dict[str, float]:
    """Milliseconds of lag, p99, for each way."""
    found = {}
    with folder() as path:
        async with _cutting(path, seconds * len(WAYS) + ALLOWANCE_S) as probe:
            for way, block in WAYS.items():
                await asyncio.sleep(0.5)
                probe.clear()
                block(seconds)
                found[way] = _p99_ms(probe)
    return found


async def _bare(seconds: float) -> dict[str, float]:
    found = {}
    with loop_thread() as thread:
        probe = LagProbe()
        thread.run(_entered(probe))
        for way, block in WAYS.items():
            probe.clear()
            block(seconds)
            found[way] = _p99_ms(probe)
    return found


async def _entered(probe: LagProbe) -> None:
    probe.__enter__()


def _p99_ms(probe: LagProbe) -> float:
    return probe.percentile_computed(0.99) * 1000


def standstill(effort: Effort) -> list[Figure]:
    """One figure for each way in which the window stands still."""
    seconds = max(1.0, BLOCKED_S * effort.share)
    driven, bare = turns(effort.repeats, lambda: run(_driven(seconds)), lambda: run(_bare(seconds)))
    return [
        compared(
            f"drivers' loop, window blocked {way}, p99",
            statistics.median(found[way] for found in driven),
            "ms",
            statistics.median(found[way] for found in bare),
            "bare loop in a thread",
            at_most=MOST[way],
        )
        for way in WAYS
    ]
