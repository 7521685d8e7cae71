"""What a restarted station finds out about the run that it left on a real LinuxCNC.

Each `connected` is one run of the station; between two of them no station is watching.
"""

import pytest

from cnc_station.engine.drivers.base import Order, RunFailed, RunInspection, RunOutcome
from cnc_station.engine.views import Doing
from tests import linuxcnc
from tests.drivers.linuxcnc_programs import (
    HEAD,
    SLOW,
    SQUARE,
    STEADY,
    STOP,
    at_line,
    begin,
    connected,
    order_of,
)
from tests.until import until

pytestmark = [pytest.mark.xdist_group("linuxcnc"), pytest.mark.usefixtures("panel")]
# It stops where it ends, and then continues.
THERE_BEFORE = f"{HEAD.replace('F1800', 'F400')}G1 X5\nG1 X0\nM0\nG1 X8\nG1 X0\nM2\n"


async def begun(mill: linuxcnc.LinuxCnc, text: str, line: int) -> Order:
    """Start a program and stop the station when the program is in this line."""
    async with connected(mill) as driver:
        order = await begin(driver, text)
        await at_line(driver, line)
    return order


async def looked(mill: linuxcnc.LinuxCnc, order: Order) -> RunInspection:
    async with connected(mill) as driver:
        return await driver.inspect_run(order)


async def test_a_running_run_is_reattached_and_ends(mill: linuxcnc.LinuxCnc) -> None:
    order = await begun(mill, STEADY, 4)
    async with connected(mill) as driver:
        found = await driver.inspect_run(order)
        assert (found.outcome, found.part) == (RunOutcome.UNDER_WAY, 1)
        await driver.hold()
        await driver.resume()
        await driver.ended()
        assert driver.status().doing is Doing.READY


async def test_a_held_run_is_reattached(mill: linuxcnc.LinuxCnc) -> None:
    async with connected(mill) as driver:
        order = await begin(driver, STOP)
        await until(lambda: driver.status().doing is Doing.HELD)
    async with connected(mill) as driver:
        assert (await driver.inspect_run(order)).outcome is RunOutcome.UNDER_WAY
        assert driver.status().doing is Doing.HELD
        await driver.resume()
        await driver.ended()


async def test_a_run_that_ended_without_the_station_is_finished(
    mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    order = await begun(mill, SQUARE, 5)
    panel.wait("program_status", "IDLE")
    assert (await looked(mill, order)).outcome is RunOutcome.FINISHED


async def test_a_run_that_was_stopped_without_the_station_is_not_finished(
    mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    order = await begun(mill, SLOW, 5)
    panel.take_control()
    panel.set("abort")
    panel.wait("program_status", "IDLE")
    found = await looked(mill, order)
    assert found.outcome is RunOutcome.STOPPED
    assert "the tool stands at X12.000 Y" in found.detail
    assert "the program ends elsewhere" in found.detail


async def test_a_run_that_was_stopped_at_the_end_position_is_not_finished(
    mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    order = await begun(mill, THERE_BEFORE, 4)
    panel.wait("program_status", "PAUSED")
    panel.take_control()
    panel.set("abort")
    panel.wait("program_status", "IDLE")
    found = await looked(mill, order)
    assert found.outcome is RunOutcome.STOPPED
    assert "passes there earlier" in found.detail


async def test_a_run_seen_after_its_last_earlier_visit_there_is_finished(
    mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    async with connected(mill) as driver:
        order = await begin(driver, THERE_BEFORE)
        await until(lambda: driver.status().doing is Doing.HELD)
        await driver.resume()
        await until(lambda: driver.status().line == 7 and (driver.status().x or 0.0) > 1.0)
    panel.wait("program_status", "IDLE")
    assert (await looked(mill, order)).outcome is RunOutcome.FINISHED


async def test_a_run_that_was_never_started_is_not_finished(mill: linuxcnc.LinuxCnc) -> None:
    order = order_of(SQUARE)
    async with connected(mill) as driver:
        await driver.load(order, 1)
    found = await looked(mill, order)
    assert (found.outcome, found.detail) == (
        RunOutcome.STOPPED,
        "its program is open and was never started",
    )


async def test_the_program_of_another_run_proves_nothing(mill: linuxcnc.LinuxCnc) -> None:
    order = await begun(mill, SLOW, 4)
    found = await looked(mill, order_of(SLOW))
    assert found.outcome is RunOutcome.STOPPED
    assert f"cnc-run-{order.run_id}-part-1.ngc open" in found.detail


async def test_an_emergency_stop_without_the_station_is_reported(
    mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    order = await begun(mill, SLOW, 5)
    panel.make("estop", "on")
    found = await looked(mill, order)
    assert found.outcome is RunOutcome.STOPPED
    assert "emergency stop" in found.detail


async def test_a_machine_that_was_moved_since_gives_no_proof(
    mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    order = await begun(mill, SQUARE, 5)
    panel.wait("program_status", "IDLE")
    panel.make("mode", "mdi")
    assert "in MDI mode" in (await looked(mill, order)).detail
    panel.set("mdi G0 X1")
    panel.wait("rel_act_pos 0", "0 1.000000")
    panel.make("mode", "auto")
    found = await looked(mill, order)
    assert found.outcome is RunOutcome.STOPPED
    assert "the program ends elsewhere" in found.detail


async def test_a_reattached_run_stopped_at_the_panel_has_failed(
    mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    order = await begun(mill, SLOW, 4)
    async with connected(mill) as driver:
        await driver.inspect_run(order)
        panel.take_control()
        panel.set("abort")
        with pytest.raises(RunFailed, match="stopped at the machine"):
            await driver.ended()
