"""Each fault at a read-only machine: how the run ends. See `fault_cells` for the results.

"stolen session" cannot happen here: a station that only reads has no control of the machine, and
the servers accept any number of readers. "wrong revision" is a program of another name: a machine
does not report which bytes it runs, so an old revision under the same name is not noticed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.read_only import ReadOnlyDriver
from cnc_station.engine.views import Doing
from tests.drivers.fault_cells import (
    ASKS,
    DONE,
    FAILED,
    GOES_ON,
    HELD,
    OWN_PROGRAM,
    Note,
    asked_again,
    word_of,
)
from tests.drivers.mtconnect_agent import FakeAgent
from tests.drivers.opcua_machines import OpcUaServer
from tests.drivers.watched import PROGRAM, begin, doing, order, still_waits
from tests.drivers.watched_controls import Control, MtConnectControl, OpcUaControl
from tests.until import until

Fault = Callable[[Control, ReadOnlyDriver], Awaitable[str]]


@asynccontextmanager
async def _station(control: Control, run_id: int = 7) -> AsyncIterator[ReadOnlyDriver]:
    """Connect a driver, with an order."""
    driver = control.watcher()
    await driver.connect()
    await driver.load(order(run_id), 1)
    try:
        yield driver
    finally:
        await driver.close()


async def _cutting(control: Control, driver: ReadOnlyDriver) -> asyncio.Task[None]:
    """Begin the ordered program; return the task that waits for its end."""
    control.select(PROGRAM)
    await until(lambda: driver.status().program == PROGRAM)
    started = begin(driver.start())
    control.run()
    await asyncio.wait_for(started, 20)
    return begin(driver.ended())


async def _made(control: Control, driver: ReadOnlyDriver) -> None:
    ending = await _cutting(control, driver)
    control.complete()
    await asyncio.wait_for(ending, 20)


async def _killed(control: Control, driver: ReadOnlyDriver) -> str:
    ending = await _cutting(control, driver)
    await driver.close()
    with pytest.raises(Unavailable):
        await ending
    later = control.watcher()
    try:
        return await asked_again(later, order(), control.complete)
    finally:
        await later.close()


async def _cable_out(control: Control, driver: ReadOnlyDriver) -> str:
    ending = await _cutting(control, driver)
    await control.unplug()
    with pytest.raises(Unavailable):
        await ending
    await control.plug_in()
    return await asked_again(driver, order(), control.complete)


async def _reset(control: Control, driver: ReadOnlyDriver) -> str:
    ending = await _cutting(control, driver)
    control.break_off()
    return await word_of(driver, order(), ending)


def _stopped_by(alarm: str) -> Fault:
    async def run(control: Control, driver: ReadOnlyDriver) -> str:
        ending = await _cutting(control, driver)
        control.alarm(alarm)
        await until(lambda: alarm in driver.status().why)
        control.break_off()
        return await word_of(driver, order(), ending)

    return run


async def _second_station(control: Control, driver: ReadOnlyDriver) -> str:
    ending = await _cutting(control, driver)
    async with _station(control, run_id=8) as other:
        its_start = begin(other.start())
        await until(lambda: "was running before this job was assigned" in other.status().why)
        control.complete()
        await asyncio.wait_for(ending, 20)
        await doing(other, Doing.READY)
        assert await still_waits(its_start)
        its_start.cancel()
    return GOES_ON


async def _program_stop(control: Control, driver: ReadOnlyDriver) -> str:
    ending = await _cutting(control, driver)
    control.hold()
    await doing(driver, Doing.HELD)
    assert await still_waits(ending)
    control.run()
    await doing(driver, Doing.RUNNING)
    control.complete()
    await asyncio.wait_for(ending, 20)
    return HELD


async def _wrong_revision(control: Control, driver: ReadOnlyDriver) -> str:
    started = begin(driver.start())
    control.select("PLATE_REV_A.NC")
    control.run()
    await until(lambda: "PLATE_REV_A.NC runs: the job waits for" in driver.status().why)
    control.complete()
    return await _only_its_own(control, driver, started)


async def _mdi(control: Control, driver: ReadOnlyDriver) -> str:
    """MDI while the ordered program is selected."""
    control.select(PROGRAM)
    control.by_hand(on=True)
    await doing(driver, Doing.NOT_READY)
    started = begin(driver.start())
    control.run()
    await until(lambda: "is selected, but the machine is in" in driver.status().why)
    control.complete()
    await doing(driver, Doing.NOT_READY)
    control.by_hand(on=False)
    return await _only_its_own(control, driver, started)


async def _only_its_own(
    control: Control, driver: ReadOnlyDriver, started: asyncio.Task[None]
) -> str:
    """Another program ran, then the ordered one."""
    await doing(driver, Doing.READY)
    assert await still_waits(started)
    started.cancel()
    await _made(control, driver)
    return OWN_PROGRAM


async def _off_between_jobs(control: Control, driver: ReadOnlyDriver) -> str:
    """The position is up to the operator: the control homes before it runs a program."""
    await _made(control, driver)
    await control.off()
    await doing(driver, Doing.UNREACHABLE)
    await control.on()
    await driver.connect()
    assert driver.memory() is None
    await driver.load(order(run_id=8), 1)
    await _made(control, driver)
    return DONE


async def _last_moves(control: Control, driver: ReadOnlyDriver) -> str:
    ending = await _cutting(control, driver)
    await control.off()
    with pytest.raises(Unavailable):
        await ending
    await control.on()
    return await asked_again(driver, order())


FAULTS: dict[str, tuple[Fault, str]] = {
    "station killed": (_killed, GOES_ON),
    "cable out": (_cable_out, GOES_ON),
    "reset": (_reset, FAILED),
    "alarm": (_stopped_by("spindle overload"), FAILED),
    "second station": (_second_station, GOES_ON),
    "M0": (_program_stop, HELD),
    "limit": (_stopped_by("X axis over travel"), FAILED),
    "wrong revision": (_wrong_revision, OWN_PROGRAM),
    "power cycle between jobs": (_off_between_jobs, DONE),
    "restart in the last moves": (_last_moves, ASKS),
    "MDI at the panel": (_mdi, OWN_PROGRAM),
}


async def _check(control: Control, name: str, fault: str, note: Note) -> None:
    run, end = FAULTS[fault]
    async with _station(control) as driver:
        found = await run(control, driver)
    note("fault", (name, fault, found))
    assert found == end


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_at_an_mtconnect_machine_ends_so(
    agent: FakeAgent, fault: str, record_property: Note
) -> None:
    await _check(MtConnectControl(agent), "MTConnect", fault, record_property)


@pytest.mark.xdist_group("opcua")
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_at_an_opc_ua_machine_ends_so(
    opcua_server: OpcUaServer, fault: str, record_property: Note
) -> None:
    await _check(OpcUaControl(opcua_server), "OPC UA", fault, record_property)
