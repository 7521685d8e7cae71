"""LinuxCNC, driven as the station does, against the real controller."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from cnc_station.engine.drivers.base import (
    NotReady,
    Order,
    RunAborted,
    RunFailed,
)
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.views import Doing, Status
from tests import linuxcnc
from tests.conftest import serving
from tests.until import until

pytestmark = [pytest.mark.xdist_group("linuxcnc"), pytest.mark.timeout(60)]

HEAD = "G21 G90 G17 G94 G54 G49\nG0 X0 Y0 Z5\nF1800\n"
SQUARE = f"{HEAD}G1 X20\nG1 Y20\nG1 X0\nG1 Y0\nG0 Z10\nM2\n"
STOP = f"{HEAD}G1 X5\nM0\nG1 X8\nG0 Z6\nM2\n"
BEYOND = f"{HEAD}G1 X10\nG1 X300\nG0 X0\nM2\n"
BLINK = "G21 G90 G54 G49\nG0 X0.01\nM2\n"


@pytest.fixture(scope="module")
def mill() -> Iterator[linuxcnc.LinuxCnc]:
    with serving(linuxcnc.LinuxCnc) as mill:
        yield mill


@pytest.fixture
def panel(mill: linuxcnc.LinuxCnc) -> Iterator[linuxcnc.Panel]:
    """The operator, who has made the machine ready."""
    with mill.panel as panel:
        panel.make_ready()
        yield panel


def driver_of(mill: linuxcnc.LinuxCnc) -> LinuxCnc:
    return LinuxCnc.make({"port": mill.port, "program_folder": str(mill.programs)})


@asynccontextmanager
async def connected(mill: linuxcnc.LinuxCnc) -> AsyncIterator[LinuxCnc]:
    driver = driver_of(mill)
    await driver.connect()
    try:
        yield driver
    finally:
        await driver.close()


@pytest.fixture
async def driver(
    mill: linuxcnc.LinuxCnc,
    panel: linuxcnc.Panel,  # noqa: ARG001 - the machine has to be ready
) -> AsyncIterator[LinuxCnc]:
    async with connected(mill) as driver:
        yield driver


_runs = iter(range(1, 10_000))


def order_of(text: str) -> Order:
    return Order(
        run_id=next(_runs),
        job_id=1,
        attempt=1,
        complexity=1,
        parts=1,
        estimated_s=1.0,
        source=text.encode(),
    )


async def begin(driver: LinuxCnc, text: str) -> Order:
    order = order_of(text)
    await driver.load(order, 1)
    await driver.start()
    return order


async def test_a_program_runs_to_its_end(driver: LinuxCnc, mill: linuxcnc.LinuxCnc) -> None:
    seen: list[Status] = []
    driver.listen(seen.append)
    order = await begin(driver, SQUARE)
    await driver.ended()

    assert [path.read_bytes() for path in mill.programs.glob(f"cnc-run-{order.run_id}-*.ngc")] == [
        order.source
    ]
    running = [status for status in seen if status.doing is Doing.RUNNING]
    assert {5, 6, 7} <= {status.line for status in running}
    assert max(status.x or 0.0 for status in running) == pytest.approx(20.0, abs=0.5)
    assert {status.feed_mm_min for status in running} >= {1800.0}
    await until(lambda: driver.status().doing is Doing.READY)


async def test_a_held_program_stands_still_and_goes_on(driver: LinuxCnc) -> None:
    await begin(driver, SQUARE)
    await driver.hold()
    held = driver.status()
    assert (held.doing, held.why) == (Doing.HELD, "held")
    await asyncio.sleep(0.3)
    assert driver.status().x == held.x
    await driver.resume()
    assert driver.status().doing is Doing.RUNNING
    await driver.ended()


async def test_an_aborted_program_does_not_count_as_made(driver: LinuxCnc) -> None:
    await begin(driver, SQUARE)
    await driver.abort()
    assert driver.status().doing is Doing.READY
    with pytest.raises(RunAborted):
        await driver.ended()


async def test_a_held_program_can_be_aborted(driver: LinuxCnc) -> None:
    await begin(driver, SQUARE)
    await driver.hold()
    await driver.abort()
    with pytest.raises(RunAborted):
        await driver.ended()


async def test_a_program_stop_waits_for_a_person(driver: LinuxCnc) -> None:
    await begin(driver, STOP)
    await until(lambda: driver.status().doing is Doing.HELD)
    assert driver.status().why == "program stop (M0)"
    await driver.resume()
    await driver.ended()


async def test_a_limit_ends_the_run_in_the_controllers_own_words(driver: LinuxCnc) -> None:
    with pytest.raises(RunFailed, match="would exceed X's positive limit"):
        await run(driver, BEYOND)


async def run(driver: LinuxCnc, text: str) -> None:
    await begin(driver, text)
    await driver.ended()


async def test_a_program_without_an_end_is_not_begun(
    driver: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    opened = panel.get("program")
    with pytest.raises(RunFailed, match="no end"):
        await run(driver, SQUARE.removesuffix("M2\n"))
    assert panel.get("program") == opened


async def test_a_file_that_the_controller_does_not_find_is_named(
    mill: linuxcnc.LinuxCnc,
    panel: linuxcnc.Panel,  # noqa: ARG001 - the machine has to be ready
) -> None:
    driver = LinuxCnc.make(
        {
            "port": mill.port,
            "program_folder": str(mill.programs),
            "controller_folder": "/nowhere",
        }
    )
    await driver.connect()
    with pytest.raises(RunFailed, match="/nowhere/cnc-run"):
        await driver.load(order_of(SQUARE), 1)
    await driver.close()


async def test_a_program_of_a_few_milliseconds_is_seen_to_end(driver: LinuxCnc) -> None:
    for _ in range(3):
        await run(driver, BLINK)


async def test_a_program_stopped_at_the_panel_has_failed(
    driver: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(driver, SQUARE)
    panel.take_control()
    panel.set("abort")
    with pytest.raises(RunFailed, match="stopped at the machine"):
        await driver.ended()


async def test_a_held_program_stopped_at_the_panel_has_failed(
    driver: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(driver, SQUARE)
    await driver.hold()
    panel.take_control()
    panel.set("abort")
    with pytest.raises(RunFailed, match="while it was held"):
        await driver.ended()


async def test_an_emergency_stop_locks_the_machine_until_it_is_unlocked(
    driver: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(driver, SQUARE)
    panel.take_control()
    panel.set("estop on")
    with pytest.raises(RunFailed, match="emergency stop") as failure:
        await driver.ended()
    assert failure.value.alarm
    assert driver.status().doing is Doing.ALARM
    with pytest.raises(NotReady, match="emergency stop"):
        await driver.load(order_of(SQUARE), 1)
    await driver.unlock()
    assert driver.status().doing is Doing.READY


async def not_ready(driver: LinuxCnc, why: str) -> None:
    """Nothing is begun, and the status has said why before."""
    await until(lambda: why in driver.status().why)
    assert driver.status().doing is Doing.NOT_READY
    assert driver.status().remedy
    with pytest.raises(NotReady, match=why):
        await driver.load(order_of(SQUARE), 1)


async def test_nothing_is_started_on_a_machine_that_is_off_not_homed_or_in_manual_mode(
    driver: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    panel.make("mode", "manual")
    await not_ready(driver, "in MANUAL mode")
    panel.make("machine", "off")
    await not_ready(driver, "the machine is off")


async def test_nothing_is_started_while_somebody_elses_program_runs(
    driver: LinuxCnc, panel: linuxcnc.Panel, mill: linuxcnc.LinuxCnc
) -> None:
    (mill.programs / "theirs.ngc").write_text(SQUARE)
    panel.set(f"open {mill.programs}/theirs.ngc")
    panel.set("run")
    panel.wait("program_status", "RUNNING")
    with pytest.raises(NotReady, match="theirs"):
        await driver.load(order_of(SQUARE), 1)
    assert panel.get("program") == f"{mill.programs}/theirs.ngc"


async def test_a_control_that_was_taken_between_load_and_start_is_not_taken_back(
    driver: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await driver.load(order_of(SQUARE), 1)
    panel.take_control()
    with pytest.raises(NotReady, match="another session"):
        await driver.start()
    assert panel.get("program_status") == "IDLE"
    assert panel.get("enable") == "ON"


async def test_a_run_survives_a_stolen_control_and_takes_it_back_to_hold(
    driver: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(driver, SQUARE)
    panel.take_control()
    await until(lambda: driver.status().line == 5)
    assert panel.get("enable") == "ON"
    await driver.hold()
    assert panel.get("enable") == "OFF"
    await driver.resume()
    await driver.ended()
