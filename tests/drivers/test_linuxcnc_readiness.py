"""What is refused on a real LinuxCNC: the status states why, and the machine has not changed."""

import pytest

from cnc_station.engine.drivers.base import NotReady, RunFailed
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.views import Doing
from tests import linuxcnc
from tests.drivers.linuxcnc_programs import (
    BLINK,
    SLOW,
    SQUARE,
    begin,
    connected,
    driver_of,
    order_of,
)
from tests.until import until

pytestmark = pytest.mark.xdist_group("linuxcnc")


async def test_a_program_without_an_end_is_not_begun(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    opened = panel.get("program")
    with pytest.raises(RunFailed, match="no end"):
        await begin(milling, SQUARE.removesuffix("M2\n"))
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


async def not_ready(driver: LinuxCnc, why: str) -> None:
    """Check that nothing starts, and that the status stated why before."""
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


async def test_nothing_is_started_while_a_program_of_an_operator_runs(
    milling: LinuxCnc, panel: linuxcnc.Panel, mill: linuxcnc.LinuxCnc
) -> None:
    (mill.programs / "theirs.ngc").write_text(SLOW)
    panel.set(f"open {mill.programs}/theirs.ngc")
    panel.set("run")
    panel.wait("program_status", "RUNNING")
    with pytest.raises(NotReady, match="theirs"):
        await milling.load(order_of(SQUARE), 1)
    assert panel.get("program") == f"{mill.programs}/theirs.ngc"


async def test_control_taken_by_another_session_between_load_and_start_is_not_taken_back(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await milling.load(order_of(SQUARE), 1)
    panel.take_control()
    with pytest.raises(NotReady, match="another session"):
        await milling.start()
    assert panel.get("program_status") == "IDLE"
    assert panel.get("enable") == "ON"


async def test_programs_opened_and_never_started_do_not_affect_the_next_one(
    milling: LinuxCnc,
) -> None:
    for _ in range(3):
        await begin(milling, BLINK)
        await milling.ended()
        for _ in range(3):
            await milling.load(order_of(SQUARE), 1)
    again = order_of(SQUARE)
    await milling.load(again, 1)
    await milling.load(again, 1)


@pytest.mark.parametrize("change", ["content", "link", "gone"])
async def test_a_program_whose_file_was_changed_is_not_started(
    milling: LinuxCnc, mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel, change: str
) -> None:
    order = order_of(SQUARE)
    await milling.load(order, 1)
    file = mill.programs / f"cnc-run-{order.run_id}-part-1.ngc"
    if change == "content":
        file.write_text(SLOW)
    else:
        file.unlink()
    if change == "link":
        other = mill.programs / "other.ngc"
        other.write_text(SQUARE)
        file.symlink_to(other)
    with pytest.raises(NotReady, match="was changed after it was loaded"):
        await milling.start()
    assert panel.get("program_line") == "0"


async def test_a_folder_that_cannot_be_written_is_named_in_plain_words(
    mill: linuxcnc.LinuxCnc,
    panel: linuxcnc.Panel,  # noqa: ARG001 - the machine has to be ready
) -> None:
    driver = driver_of(mill, program_folder=f"{mill.programs}/none")
    await driver.connect()
    with pytest.raises(NotReady, match="the folder does not exist") as refused:
        await driver.load(order_of(SQUARE), 1)
    assert "Errno" not in str(refused.value)
    await driver.close()


async def test_a_machine_that_is_not_homed_is_refused_by_the_driver_and_by_the_controller(
    mill: linuxcnc.LinuxCnc, monkeypatch: pytest.MonkeyPatch
) -> None:
    mill.stop()
    mill.start()
    with mill.panel as panel:
        panel.switch_on()
        panel.make("mode", "auto")
        async with connected(mill) as driver:
            await not_ready(driver, "not homed")
            monkeypatch.setattr(driver, "must_be_ready", lambda _: None)
            with pytest.raises(NotReady, match="Can't run a program when not homed"):
                await begin(driver, SQUARE)
        assert panel.get("program_line") == "0"
