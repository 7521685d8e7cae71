"""LinuxCNC, driven as the station does, against the real controller."""

import asyncio
import time

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import (
    Finding,
    NotReady,
    RunAborted,
    RunFailed,
)
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
    driver_of,
    order_of,
)
from tests.until import at_best, until

pytestmark = [pytest.mark.xdist_group("linuxcnc"), pytest.mark.timeout(60)]


async def test_a_program_runs_to_its_end(milling: LinuxCnc, mill: linuxcnc.LinuxCnc) -> None:
    seen: list[Status] = []
    milling.listen(seen.append)
    order = await begin(milling, STEADY)
    await milling.ended()

    assert [path.read_bytes() for path in mill.programs.glob(f"cnc-run-{order.run_id}-*.ngc")] == [
        order.source
    ]
    running = [status for status in seen if status.doing is Doing.RUNNING]
    assert {5, 6, 7} <= {status.line for status in running}
    assert max(status.x or 0.0 for status in running) == pytest.approx(12.0, abs=0.5)
    assert {status.feed_mm_min for status in running} >= {600.0}
    await until(lambda: milling.status().doing is Doing.READY)


async def test_a_held_program_stands_still_and_goes_on(milling: LinuxCnc) -> None:
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


async def test_a_limit_ends_the_run_in_the_controllers_own_words(milling: LinuxCnc) -> None:
    with pytest.raises(RunFailed, match="would exceed X's positive limit"):
        await run(milling, BEYOND)


async def run(driver: LinuxCnc, text: str) -> None:
    await begin(driver, text)
    await driver.ended()


async def test_a_program_without_an_end_is_not_begun(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    opened = panel.get("program")
    with pytest.raises(RunFailed, match="no end"):
        await run(milling, SQUARE.removesuffix("M2\n"))
    assert panel.get("program") == opened


async def test_a_file_that_the_controller_does_not_find_is_named(
    mill: linuxcnc.LinuxCnc,
    panel: linuxcnc.Panel,  # noqa: ARG001 - the machine has to be ready
) -> None:
    driver = driver_of(mill, controller_folder="/nowhere")
    await driver.connect()
    with pytest.raises(RunFailed, match="/nowhere/cnc-run"):
        await driver.load(order_of(SQUARE), 1)
    await driver.close()


async def test_a_program_of_a_few_milliseconds_is_seen_to_end(milling: LinuxCnc) -> None:
    for _ in range(3):
        await run(milling, BLINK)


async def test_a_program_that_changes_its_tool_ends_where_nobody_knows_and_is_made(
    milling: LinuxCnc,
) -> None:
    seen: list[Status] = []
    milling.listen(seen.append)
    await run(milling, f"{HEAD}T1 M6\nG43\nG0 Z40\nS600 M3\nG1 X4 F160\nT0 M6\nM30\n")
    assert {(1, 600.0)} <= {(status.tool, status.spindle_rpm) for status in seen}
    assert seen[-1].z is None  # the tool's length is still in it


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


async def not_ready(driver: LinuxCnc, why: str) -> None:
    """Nothing is begun, and the status has said why before."""
    await until(lambda: why in driver.status().why)
    assert driver.status().doing is Doing.NOT_READY
    assert driver.status().remedy
    with pytest.raises(NotReady, match=why):
        await driver.load(order_of(SQUARE), 1)


async def test_nothing_is_started_on_a_machine_that_is_off_not_homed_or_in_manual_mode(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    panel.make("mode", "manual")
    await not_ready(milling, "in MANUAL mode")
    panel.make("machine", "off")
    await not_ready(milling, "the machine is off")


async def test_nothing_is_started_while_somebody_elses_program_runs(
    milling: LinuxCnc, panel: linuxcnc.Panel, mill: linuxcnc.LinuxCnc
) -> None:
    (mill.programs / "theirs.ngc").write_text(SLOW)
    panel.set(f"open {mill.programs}/theirs.ngc")
    panel.set("run")
    panel.wait("program_status", "RUNNING")
    with pytest.raises(NotReady, match="theirs"):
        await milling.load(order_of(SQUARE), 1)
    assert panel.get("program") == f"{mill.programs}/theirs.ngc"


async def test_a_control_that_was_taken_between_load_and_start_is_not_taken_back(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await milling.load(order_of(SQUARE), 1)
    panel.take_control()
    with pytest.raises(NotReady, match="another session"):
        await milling.start()
    assert panel.get("program_status") == "IDLE"
    assert panel.get("enable") == "ON"


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


async def test_a_killed_controller_is_unreachable_until_it_is_back(
    mill: linuxcnc.LinuxCnc,
) -> None:
    with mill.panel as panel:
        panel.make_ready()
    async with connected(mill) as driver:
        order = await begin(driver, SLOW)
        await at_line(driver, 5)
        await asyncio.to_thread(mill.kill)
        with pytest.raises(Unavailable):
            await driver.ended()
        assert driver.status().doing is Doing.UNREACHABLE
        for ask in (driver.hold, driver.abort, driver.connect):
            with pytest.raises(Unavailable):
                await ask()
        mill.start()  # in this thread, with which it would end
        await driver.connect()
        assert driver.status().doing is Doing.ALARM  # as it is when it was switched on
        found = await driver.look(order)
        assert (found.finding, found.words) == (
            Finding.STOPPED,
            "the controller has no program open: not this run's",
        )


async def test_a_run_goes_on_while_the_connection_is_lost_and_is_found_again(
    milling: LinuxCnc,
) -> None:
    order = await begin(milling, STEADY)
    client = milling._link._client
    assert client is not None
    client._writer.transport.abort()
    with pytest.raises(Unavailable):
        await milling.ended()
    for ask in (milling.hold, milling.resume, milling.abort):
        with pytest.raises(Unavailable):
            await ask()
    await milling.connect()
    assert (await milling.look(order)).finding is Finding.UNDER_WAY
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
        assert (await milling.look(order)).part == part


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


async def test_a_machine_that_is_not_homed_is_refused_by_us_and_by_the_controller(
    mill: linuxcnc.LinuxCnc, monkeypatch: pytest.MonkeyPatch
) -> None:
    mill.stop()
    mill.start()
    with mill.panel as panel:
        panel.switch_on()
        panel.make("mode", "auto")
        async with connected(mill) as driver:
            await not_ready(driver, "not homed")
            monkeypatch.setattr(driver, "_must_be_ready", lambda _: None)
            await driver.load(order_of(SQUARE), 1)
            with pytest.raises(NotReady, match="Can't run a program when not homed"):
                await driver.start()
        assert panel.get("program_line") == "0"


def test_settings_that_cannot_work_are_refused_in_words() -> None:
    good = {"program_folder": "/programs"}
    for wrong, word in (
        ({}, "folder"),
        ({"program_folder": "programs"}, "whole path"),
        ({"controller_folder": "/my programs"}, "spaces"),
        ({"port": "70000"}, "the port"),
        ({"joints": "0"}, "joints"),
        ({"poll_s": "often"}, "seconds"),
        ({"enable_password": "a b"}, "spaces"),
    ):
        with pytest.raises(ValueError, match=word):
            LinuxCnc.make({**good, **wrong} if wrong else {})


async def test_a_wrong_password_is_named(mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel) -> None:
    stranger = driver_of(mill, connect_password="no")
    with pytest.raises(Unavailable, match="connect password"):
        await stranger.connect()
    powerless = driver_of(mill, enable_password="no")
    await powerless.connect()
    with pytest.raises(NotReady, match="enable password"):
        await powerless.load(order_of(SQUARE), 1)
    await powerless.close()
    assert panel.get("enable") == "ON"


async def test_a_connection_changes_nothing_and_says_who_answered(
    mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    driver = driver_of(mill)
    details = dict((await driver.connect()).details)
    assert (details["Name"], details["Units"]) == ("MILL1", "mm")
    assert driver.status().doing is Doing.READY
    assert panel.get("enable") == "ON"
    await driver.close()
    await driver.close()
    assert driver.status().doing is Doing.UNREACHABLE


async def test_a_look_at_the_controller_is_answered_at_once(milling: LinuxCnc) -> None:
    """Twenty questions in one go: without a quick acknowledgement each look takes 40 ms longer."""

    async def look_s() -> float:
        before = time.monotonic()
        await milling._link.look()
        return time.monotonic() - before

    assert await at_best(look_s, 0.02, tries=100) <= 0.02


async def test_the_wires_record_has_what_was_said_but_no_password(milling: LinuxCnc) -> None:
    await begin(milling, BLINK)
    await milling.ended()
    said = [message.text for message in milling.traffic()]
    assert said[0] == "hello *** cnc-station 1.0"
    assert said[1].startswith("HELLO ACK")
    assert "set enable ***" in said
    assert "set run" in said
    assert "SET RUN ACK" in said
    assert not any(word in text.split() for word in linuxcnc.PASSWORDS for text in said)
    assert len(said) < 100
