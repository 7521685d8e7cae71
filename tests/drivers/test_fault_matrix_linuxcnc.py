"""Each fault at a real LinuxCNC: how the run ends. See `fault_cells` for the results."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import NotReady, Order
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.views import Doing
from tests import linuxcnc
from tests.drivers.fault_cells import (
    ASKS,
    DONE,
    FAILED,
    GOES_ON,
    HELD,
    HOMING,
    MODES_SET,
    NOT_STARTED,
    Note,
    asked_again,
    word_of,
)
from tests.drivers.linuxcnc_programs import (
    BEYOND,
    BLINK,
    HEAD,
    SLOW,
    SQUARE,
    STOP,
    at_line,
    begin,
    cable,
    connected,
    order_of,
)
from tests.until import until

pytestmark = pytest.mark.xdist_group("linuxcnc")


@dataclass(frozen=True, slots=True)
class Mill:
    """The controller, its panel and a connected station."""

    controller: linuxcnc.LinuxCnc
    panel: linuxcnc.Panel
    driver: LinuxCnc

    async def made(self, text: str) -> str:
        """Make a whole part; a short one may end before its start returns."""
        order = order_of(text)
        return await word_of(self.driver, order, self._make(order))

    async def _make(self, order: Order) -> None:
        await self.driver.load(order, 1)
        await self.driver.start()
        await self.driver.ended()


async def _killed(at: Mill) -> str:
    order = await begin(at.driver, SQUARE)
    await at_line(at.driver, 4)
    await at.driver.close()
    async with connected(at.controller) as driver:
        return await asked_again(driver, order)


async def _cable_out(at: Mill) -> str:
    await at.driver.close()
    with cable() as pull_out:
        await at.driver.connect()
    order = await begin(at.driver, SQUARE)
    pull_out()
    with pytest.raises(Unavailable):
        await at.driver.ended()
    return await asked_again(at.driver, order)


def _at_the_panel(what: str) -> Callable[[Mill], Awaitable[str]]:
    async def run(at: Mill) -> str:
        order = await begin(at.driver, SLOW)
        at.panel.take_control()
        at.panel.set(what)
        return await word_of(at.driver, order, at.driver.ended())

    return run


async def _stolen(at: Mill) -> str:
    await begin(at.driver, SQUARE)
    at.panel.take_control()
    await at.driver.ended()
    assert at.panel.get("enable") == "ON"
    return GOES_ON


async def _second_station(at: Mill) -> str:
    await begin(at.driver, SQUARE)
    async with connected(at.controller) as other:
        with pytest.raises(NotReady, match="another program is running"):
            await other.load(order_of(BLINK), 1)
    await at.driver.ended()
    return GOES_ON


async def _program_stop(at: Mill) -> str:
    await begin(at.driver, STOP)
    await until(lambda: at.driver.status().doing is Doing.HELD)
    await at.driver.resume()
    await at.driver.ended()
    return HELD


async def _wrong_revision(at: Mill) -> str:
    """Another program with the name of the ordered one."""
    order = order_of(SQUARE)
    await at.driver.load(order, 1)
    (at.controller.programs / f"cnc-run-{order.run_id}-part-1.ngc").write_text(SLOW)
    with pytest.raises(NotReady, match="was changed"):
        await at.driver.start()
    assert at.panel.get("program_line") == "0"
    return NOT_STARTED


async def _off_between_jobs(at: Mill) -> str:
    assert await at.made(BLINK) == DONE
    at.controller.stop()
    at.controller.start()
    with at.controller.panel as panel:
        panel.switch_on()
        panel.make("mode", "auto")
        await until(lambda: at.driver.status().doing is Doing.UNREACHABLE)
        await at.driver.connect()
        with pytest.raises(NotReady, match="not homed"):
            await at.driver.load(order_of(BLINK), 1)
        panel.make_ready()
        await until(lambda: at.driver.status().doing is Doing.READY)
    assert await at.made(BLINK) == DONE
    return HOMING


async def _last_moves(at: Mill) -> str:
    order = await begin(at.driver, f"{HEAD}G1 X5\nG1 X20 F300\nM2\n")
    await until(lambda: at.driver.status().line == 5 and (at.driver.status().x or 0.0) > 5.5)
    await asyncio.to_thread(at.controller.kill)
    with pytest.raises(Unavailable):
        await at.driver.ended()
    at.controller.start()  # in this thread, because the server would end with it
    return await asked_again(at.driver, order)


async def _mdi(at: Mill) -> str:
    at.panel.command("G20 G91")
    at.panel.make("mode", "auto")
    await until(lambda: at.driver.status().doing is Doing.READY)
    assert await at.driver.load(order_of("G0 X5 Y0 Z5\nM2\n"), 1)
    await at.driver.start()
    await at.driver.ended()
    assert at.driver.status().x == pytest.approx(5.0)
    return MODES_SET


FAULTS: dict[str, tuple[Callable[[Mill], Awaitable[str]], str]] = {
    "station killed": (_killed, GOES_ON),
    "cable out": (_cable_out, GOES_ON),
    "reset": (_at_the_panel("abort"), FAILED),
    "alarm": (_at_the_panel("estop on"), FAILED),
    "stolen session": (_stolen, GOES_ON),
    "second station": (_second_station, GOES_ON),
    "M0": (_program_stop, HELD),
    "limit": (lambda at: at.made(BEYOND), FAILED),
    "wrong revision": (_wrong_revision, NOT_STARTED),
    "power cycle between jobs": (_off_between_jobs, HOMING),
    "restart in the last moves": (_last_moves, ASKS),
    "MDI at the panel": (_mdi, MODES_SET),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_at_a_linuxcnc_ends_so(
    mill: linuxcnc.LinuxCnc,
    panel: linuxcnc.Panel,
    milling: LinuxCnc,
    fault: str,
    record_property: Note,
) -> None:
    run, end = FAULTS[fault]
    found = await run(Mill(mill, panel, milling))
    record_property("fault", ("LinuxCNC", fault, found))
    assert found == end
