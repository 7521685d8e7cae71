"""Each driver and each fault: how a run ends. The whole is printed as one table after the tests.

What a cell says is what was seen here, on the fakes; a run that asks or waits is never done.
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import EndUnproven, Finding, NotReady, RunAborted, RunFailed
from cnc_station.engine.drivers.grbl import settings
from cnc_station.engine.drivers.grbl.driver import Grbl
from cnc_station.engine.drivers.mtconnect import MTConnect
from cnc_station.engine.views import Doing
from tests.drivers import watched
from tests.drivers.grbl_bench import LONG, QUICK, Bench, order, square
from tests.drivers.mtconnect_agent import FakeAgent
from tests.until import until

Note = Callable[[str, object], None]
ASKS, FAILED, HELD, CONFIRM = "interrupted: asks", "failed, waits", "held", "needs confirm"
SHORT = b"G21G90\nG0X20\nG1X21F600\nM30\n"
LAST_MOVES = b"G21G90\nG0X1\nG1X21F6000\n"


async def _end(ending: Awaitable[None]) -> str:
    """As the runner takes it."""
    try:
        await asyncio.wait_for(ending, 30)
    except (Unavailable, EndUnproven):
        return ASKS
    except RunFailed:
        return FAILED
    except RunAborted:
        return "aborted"
    return "done"


async def _killed(at: Bench) -> str:
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    await at.restart_station()
    await asyncio.gather(ending, return_exceptions=True)
    found = await at.driver.look(order(square(LONG)))
    return ASKS if found.finding is Finding.STOPPED else str(found.finding)


def _in_the_cut(fault: Callable[[Bench], object]) -> Callable[[Bench], Awaitable[str]]:
    async def run(at: Bench) -> str:
        ending = await at.begin(square(LONG))
        await until(lambda: at.fake.axes.moving)
        done = fault(at)
        if asyncio.iscoroutine(done):
            await done
        return await _end(ending)

    return run


async def _second_station(at: Bench) -> str:
    """Of one network module: the newest connection is the one."""
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    other = Grbl(settings.from_machine({"port": at.wire.port}), QUICK)
    other.recall(at.driver.memory())  # as the database has it
    await other.connect()
    found = await _end(ending)
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
    return await _end(await at.begin(b"G21G90\nG0X5\nG1X2000F500\nM30\n"))


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
    return await _end(ending)


async def _mdi(at: Bench) -> str:
    at.fake.take(b"G20G91\nG0X1\n")
    await until(lambda: at.fake.axes.place[0] > 25)
    await until(lambda: at.fake.state == "Idle")
    await at.shows(Doing.READY)
    assert await at.driver.load(order(b"G0X5\n"), 1)
    await at.driver.start()
    await at.driver.ended()
    return "modes set, done"


GRBL: dict[str, tuple[Callable[[Bench], Awaitable[str]], str]] = {
    "station killed": (_killed, ASKS),
    "cable out": (_in_the_cut(lambda at: at.wire.pull_out()), ASKS),
    "reset": (_in_the_cut(lambda at: at.fake.reset()), FAILED),
    "alarm": (_in_the_cut(lambda at: at.fake.raise_alarm(3)), FAILED),
    "stolen session": (_in_the_cut(lambda at: at.fake.attach(lambda _: None)), ASKS),
    "second station": (_second_station, ASKS),
    "M0": (_program_stop, HELD),
    "limit": (_limit, FAILED),
    "power cycle between jobs": (_off_between_jobs, CONFIRM),
    "restart in the last moves": (_last_moves, ASKS),
    "MDI at the panel": (_mdi, "modes set, done"),
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


async def _ends_with(agent: FakeAgent, watcher: MTConnect, fault: str) -> str:
    await watcher.connect()
    await watcher.load(watched.order(), 1)
    started = watched.begin(watcher.start())
    if fault == "wrong revision":
        agent.say(pgm="OTHER.NC", exec="ACTIVE")
        await watched.doing(watcher, Doing.RUNNING)
        waits = await watched.still_waits(started)
        started.cancel()
        return "waits for its own program" if waits else "begun"
    agent.say(pgm=watched.PROGRAM, exec="ACTIVE")
    await asyncio.wait_for(started, 20)
    ending = watched.begin(watcher.ended())
    if fault == "M0":
        agent.say(exec="PROGRAM_STOPPED")
        await watched.doing(watcher, Doing.HELD)
        assert await watched.still_waits(ending)
        ending.cancel()
        return HELD
    if fault == "cable out":
        await agent.__aexit__(None, None, None)
    else:
        agent.say(exec="INTERRUPTED" if fault == "alarm" else "STOPPED")
        agent.say(exec="READY")
    return await _end(ending)


MTCONNECT = {
    "wrong revision": "waits for its own program",
    "M0": HELD,
    "cable out": ASKS,
    "reset": FAILED,
}


@pytest.mark.parametrize("fault", MTCONNECT)
async def test_a_fault_at_a_watched_machine_ends_so(
    agent: FakeAgent, watcher: MTConnect, fault: str, record_property: Note
) -> None:
    found = await _ends_with(agent, watcher, fault)
    record_property("fault", ("MTConnect", fault, found))
    assert found == MTCONNECT[fault]
