"""Runs on a real LinuxCNC, through the driver of the station."""

import asyncio

import pytest

from cnc_station.engine.drivers.base import NotReady, RunAborted, RunFailed
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.views import Doing, Status
from tests import linuxcnc
from tests.conftest import serving
from tests.drivers.linuxcnc_programs import (
    BEYOND,
    BLINK,
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

pytestmark = pytest.mark.xdist_group("linuxcnc")


async def test_a_program_runs_to_its_end(milling: LinuxCnc, mill: linuxcnc.LinuxCnc) -> None:
    seen: list[Status] = []
    milling.subscribe(seen.append)
    order = await begin(milling, STEADY)
    await milling.ended()

    assert [
        path.read_bytes() for path in mill.programs.glob(f"cnc-run-{order.run_id}-part-?.ngc")
    ] == [order.source]
    running = [status for status in seen if status.doing is Doing.RUNNING]
    assert {5, 6, 7} <= {status.line for status in running}
    assert max(status.x or 0.0 for status in running) == pytest.approx(12.0, abs=0.5)
    assert {status.feed_mm_min for status in running} >= {600.0}
    await until(lambda: milling.status().doing is Doing.READY)


async def test_a_held_program_stands_still_and_resumes(milling: LinuxCnc) -> None:
    await begin(milling, STEADY)
    await milling.hold()
    held = milling.status()
    assert (held.doing, held.why) == (Doing.HELD, "held")
    await asyncio.sleep(0.3)
    assert milling.status().x == held.x
    await milling.resume()
    assert milling.status().doing is Doing.RUNNING
    await milling.ended()


async def test_an_aborted_program_does_not_count_as_made(milling: LinuxCnc) -> None:
    await begin(milling, SLOW)
    await milling.abort()
    assert milling.status().doing is Doing.READY
    with pytest.raises(RunAborted):
        await milling.ended()


async def test_a_held_program_can_be_aborted(milling: LinuxCnc) -> None:
    await begin(milling, SLOW)
    await milling.hold()
    await milling.abort()
    with pytest.raises(RunAborted):
        await milling.ended()


async def test_a_program_stop_waits_for_a_person(milling: LinuxCnc) -> None:
    await begin(milling, STOP)
    await until(lambda: milling.status().doing is Doing.HELD)
    assert milling.status().why == "program stop (M0)"
    await milling.resume()
    await milling.ended()


async def test_a_limit_ends_the_run_with_the_controllers_message(milling: LinuxCnc) -> None:
    with pytest.raises(RunFailed, match="would exceed X's positive limit"):
        await run(milling, BEYOND)


async def run(driver: LinuxCnc, text: str) -> None:
    await begin(driver, text)
    await driver.ended()


async def test_a_program_of_a_few_milliseconds_is_seen_to_end(milling: LinuxCnc) -> None:
    for _ in range(3):
        await run(milling, BLINK)


async def test_a_program_with_a_tool_change_is_done_although_its_end_position_is_unknown(
    milling: LinuxCnc,
) -> None:
    seen: list[Status] = []
    milling.subscribe(seen.append)
    await run(milling, f"{HEAD}T1 M6\nG43\nG0 Z40\nS600 M3\nG1 X4 F160\nT0 M6\nM30\n")
    assert {(1, 600.0)} <= {(status.tool, status.spindle_rpm) for status in seen}
    assert seen[-1].z is None  # the tool length is still in it


async def test_a_program_stopped_at_the_panel_has_failed(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(milling, SLOW)
    panel.take_control()
    panel.set("abort")
    with pytest.raises(RunFailed, match="stopped at the machine"):
        await milling.ended()


async def test_a_held_program_stopped_at_the_panel_has_failed(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(milling, SLOW)
    await milling.hold()
    panel.take_control()
    panel.set("abort")
    with pytest.raises(RunFailed, match="while it was held"):
        await milling.ended()


async def test_an_emergency_stop_locks_the_machine_until_it_is_unlocked(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(milling, SLOW)
    panel.take_control()
    panel.set("estop on")
    with pytest.raises(RunFailed, match="emergency stop") as failure:
        await milling.ended()
    assert failure.value.alarm
    assert milling.status().doing is Doing.ALARM
    with pytest.raises(NotReady, match="emergency stop"):
        await milling.load(order_of(SQUARE), 1)
    await milling.unlock()
    assert milling.status().doing is Doing.READY


async def test_a_run_survives_a_stolen_control_and_takes_it_back_to_hold(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(milling, STEADY)
    panel.take_control()
    await at_line(milling, 5)
    assert panel.get("enable") == "ON"
    await milling.hold()
    assert panel.get("enable") == "OFF"
    await milling.resume()
    await milling.ended()


async def test_a_machine_switched_off_in_mid_run_has_failed_and_is_not_ready(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(milling, SLOW)
    panel.set("machine off")
    with pytest.raises(RunFailed, match="the machine was switched off") as failure:
        await milling.ended()
    assert not failure.value.alarm
    assert milling.status().doing is Doing.NOT_READY


async def test_a_program_aborted_at_the_stop_before_its_end_is_not_made(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(milling, f"{HEAD}G1 X5\nM0\nM2\n")
    await until(lambda: milling.status().doing is Doing.HELD)
    panel.set("abort")
    with pytest.raises(RunFailed, match="while it was held"):
        await milling.ended()


async def test_parts_follow_one_another_from_where_the_last_one_ended(milling: LinuxCnc) -> None:
    order = order_of(f"{HEAD}G1 X5\nG0 X0\nM30\n")
    for part in (1, 2, 3):
        await milling.load(order, part)
        await milling.start()
        await milling.ended()
        assert (await milling.inspect_run(order)).part == part


@pytest.mark.usefixtures("panel")
async def test_two_controllers_run_their_own_programs_at_once(mill: linuxcnc.LinuxCnc) -> None:
    with serving(lambda: linuxcnc.LinuxCnc("MILL2")) as second:
        with second.panel as panel:
            panel.make_ready()
        async with connected(mill) as one, connected(second) as other:
            await begin(one, STEADY)
            await begin(other, STOP)
            await until(lambda: other.status().doing is Doing.HELD)
            await other.abort()
            await one.ended()
            with pytest.raises(RunAborted):
                await other.ended()
            assert other.status().x == pytest.approx(5.0)
            assert other.status().program.startswith(str(second.programs))
            assert one.status().x == pytest.approx(0.0)
            assert one.status().program.startswith(str(mill.programs))
