"""Each fault at a GRBL: how the run ends. See `fault_cells` for the results.

The table is printed after the tests, with the other drivers of `test_fault_matrix_*`. A cell states
what was observed; "-" is a fault that cannot happen. GRBL has no "wrong revision": it stores no
program, and the station streams the bytes of the job.
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

import pytest

from cnc_station.engine.drivers.base import NotReady
from cnc_station.engine.drivers.grbl import settings
from cnc_station.engine.drivers.grbl.driver import Grbl
from cnc_station.engine.views import Doing
from tests.drivers.fault_cells import (
    ASKS,
    CONFIRM,
    FAILED,
    HELD,
    MODES_SET,
    Note,
    asked_again,
    word_of,
)
from tests.drivers.grbl_bench import LONG, QUICK, Bench, order, square
from tests.until import until

BEYOND = b"G21G90\nG0X5\nG1X2000F500\nM30\n"
SHORT = b"G21G90\nG0X20\nG1X21F600\nM30\n"
LAST_MOVES = b"G21G90\nG0X1\nG1X21F10\n"
"""So slow that the restart falls into the last move, however busy the computer is."""


async def _killed(at: Bench) -> str:
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    await at.restart_station()
    await asyncio.gather(ending, return_exceptions=True)
    return await asked_again(at.driver, order(square(LONG)))


def _in_the_cut(fault: Callable[[Bench], object]) -> Callable[[Bench], Awaitable[str]]:
    async def run(at: Bench) -> str:
        ending = await at.begin(square(LONG))
        await until(lambda: at.fake.axes.moving)
        done = fault(at)
        if asyncio.iscoroutine(done):
            await done
        return await word_of(at.driver, order(square(LONG)), ending)

    return run


async def _cable_out(at: Bench) -> None:
    await at.wire.pull_out()
    await at.shows(Doing.UNREACHABLE)
    await at.wire.put_back()


async def _second_station(at: Bench) -> str:
    """A second station on one network module: the newest connection is the active one."""
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    other = Grbl(settings.from_machine({"port": at.wire.port}), QUICK)
    other.recall(at.driver.memory())  # as the database has it
    await other.connect()
    found = await word_of(at.driver, order(square(LONG)), ending)
    await other.connect()
    with pytest.raises(NotReady):
        await other.load(order(SHORT, run_id=2), 1)
    await other.close()
    return found


async def _program_stop(at: Bench) -> str:
    ending = await at.begin(b"G21G90\nG0X5\nM0\nG0X10\nM30\n")
    await at.shows(Doing.HELD)
    await at.driver.resume()
    await ending
    return HELD


async def _limit(at: Bench) -> str:
    return await word_of(at.driver, order(BEYOND), await at.begin(BEYOND))


async def _off_between_jobs(at: Bench) -> str:
    await at.make(SHORT)
    at.fake.switch_off_and_on()
    with pytest.raises(NotReady):
        await at.driver.load(order(SHORT), 1)
    await at.driver.confirm_position()
    await at.make(SHORT)
    return CONFIRM


async def _last_moves(at: Bench) -> str:
    at.fake.welcome = "Router 12 is up"
    ending = await at.begin(LAST_MOVES)
    await until(lambda: at.fake.buffer.empty and at.fake.axes.moving)
    at.fake.switch_off_and_on()
    return await word_of(at.driver, order(LAST_MOVES), ending)


async def _mdi(at: Bench) -> str:
    at.fake.take(b"G20G91\nG0X1\n")
    await until(lambda: at.fake.axes.place[0] > 25)
    await until(lambda: at.fake.state == "Idle")
    await at.shows(Doing.READY)
    assert await at.driver.load(order(b"G0X5\n"), 1)
    await at.driver.start()
    await at.driver.ended()
    return MODES_SET


GRBL: dict[str, tuple[Callable[[Bench], Awaitable[str]], str]] = {
    "station killed": (_killed, ASKS),
    "cable out": (_in_the_cut(_cable_out), ASKS),
    "reset": (_in_the_cut(lambda at: at.fake.reset()), FAILED),
    "alarm": (_in_the_cut(lambda at: at.fake.raise_alarm(3)), FAILED),
    "stolen session": (_in_the_cut(lambda at: at.fake.attach(lambda _: None)), ASKS),
    "second station": (_second_station, ASKS),
    "M0": (_program_stop, HELD),
    "limit": (_limit, FAILED),
    "power cycle between jobs": (_off_between_jobs, CONFIRM),
    "restart in the last moves": (_last_moves, ASKS),
    "MDI at the panel": (_mdi, MODES_SET),
}


@pytest.mark.parametrize("fault", GRBL)
async def test_a_fault_at_a_grbl_ends_so(
    at: Bench, hal: bool, fault: str, record_property: Note
) -> None:
    run, end = GRBL[fault]
    at.fake.axes.lag = 0.02 if at.fake.axes.speed < inf else 0.0
    found = await run(at)
    record_property("fault", ("grblHAL" if hal else "GRBL", fault, found))
    assert found == end
