"""A program on a real LinuxCNC is cut in the modes it was read with, whatever was left before."""

import time

import pytest

from cnc_station.engine.drivers.base import NotReady
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.views import Doing
from tests import linuxcnc
from tests.drivers.linuxcnc_programs import HEAD, begin, connected, order_of
from tests.until import until

pytestmark = pytest.mark.xdist_group("linuxcnc")

HOME = "%\nG21 G90 G17 G94 G54 G49 G40 G8 G64 G91.1 G97 G98\nG0 X0 Y0 Z10\n%\n"
# To X5 Y5 Z10, along an arc and through a drilling cycle, without stating any mode.
SILENT = """G0 X2 Y0 Z10
G2 X4 Y0 I1 J0 F600
G81 X5 Y5 Z6 R8 F600
G80
G0 Z10
M2
"""
INCHES = "%\nG20\n%\n"


async def _made(driver: LinuxCnc, program: str) -> tuple[str, ...]:
    """Run the program. Return the modes that were set for it."""
    order = order_of(program)
    was_set = await driver.load(order, 1)
    await driver.start()
    await driver.ended()
    return was_set


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ("G20", "G21 set (G20 was on)"),
        ("G91", "G90 set (G91 was on)"),
        ("G18", "G17 set (G18 was on)"),
        ("G10 L2 P2 X30 Y30 Z0\nG55", "G54 set (G55 was on)"),
        ("G93", "G94 set (G93 was on)"),
        ("G95", "G94 set (G95 was on)"),
        ("G90.1", "G91.1 set (G90.1 was on)"),
        ("G42.1 D4", "G40 set (G42 was on)"),
        ("G7", "G8 set (G7 was on)"),
        ("G99", "G98 set (G99 was on)"),
        ("G61", "G64 set (G61 was on)"),
        ("G61.1", "G64 set (G61.1 was on)"),
    ],
)
async def test_a_mode_that_a_program_leaves_on_is_set_back_for_the_next(
    left: str, words: str, milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await _made(milling, HOME)
    await _made(milling, f"%\n{left}\n%\n")
    assert words in await _made(milling, SILENT)
    where = [float(number) for number in panel.get("abs_act_pos").split()[:3]]
    assert where == pytest.approx([5.0, 5.0, 10.0], abs=0.001)
    assert panel.get("mode") == "AUTO"


async def test_nothing_is_set_where_nothing_differs(milling: LinuxCnc) -> None:
    await _made(milling, HOME)
    assert await _made(milling, SILENT) == ()


async def test_a_mode_that_a_program_states_is_not_set(milling: LinuxCnc) -> None:
    await _made(milling, HOME)
    await _made(milling, "G20 G90 G17 G54 G94 G40 G49\nG0 X0.1 Y0 Z0.1\nM2\n")
    assert milling.status().x == pytest.approx(2.54)


async def test_all_modes_are_set_together(milling: LinuxCnc, panel: linuxcnc.Panel) -> None:
    await _made(milling, HOME)
    panel.command("G20 G91 G18 G55 G93 G90.1 G61 G99")
    panel.make("mode", "auto")
    await until(lambda: milling.status().doing is Doing.READY)
    assert len(await _made(milling, SILENT)) >= 8
    assert panel.get("abs_act_pos").startswith("5.000000 5.000000 10.000000")


async def test_a_feed_left_per_time_does_not_shorten_the_next_cut(milling: LinuxCnc) -> None:
    await _made(milling, HOME)
    await _made(milling, "%\nG93\n%\n")
    began = time.monotonic()
    await _made(milling, "G0 X0\nG1 X6 F180\nM2\n")  # 2 s; in G93 it would be a third of one
    assert time.monotonic() - began > 1.9


async def test_an_active_tool_length_waits_for_a_person(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await _made(milling, HOME)
    await _made(milling, "%\nG43.1 Z3\n%\n")
    with pytest.raises(NotReady, match="tool length offset is active") as refused:
        await milling.load(order_of(SILENT), 1)
    assert "Cancel it with G49" in str(refused.value)
    panel.command("G49")
    panel.make("mode", "auto")
    await until(lambda: milling.status().doing is Doing.READY)
    await _made(milling, SILENT)


@pytest.mark.parametrize("left", ["G20", "G91", "G55", "G93", "G18", "G61", "G43.1 Z3"])
async def test_each_part_of_a_quantity_begins_as_the_first_did(
    left: str, milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await _made(milling, HOME)
    panel.command("G10 L2 P2 X30 Y30 Z0")
    panel.make("mode", "auto")
    await until(lambda: milling.status().doing is Doing.READY)
    order = order_of(f"%\nG0 X4 Y5 Z10\nG2 X5 I0.5 F600\nG1 X6\n{left}\n%\n")
    for part in (1, 2, 3):
        was_set = await milling.load(order, part)
        assert bool(was_set) is (part > 1)
        await milling.start()
        await milling.ended()
        assert panel.get("abs_act_pos").startswith("6.000000 5.000000 10.000000")


async def test_a_mode_that_was_changed_by_hand_between_load_and_start_is_noticed(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await _made(milling, HOME)
    order = order_of(SILENT)
    await milling.load(order, 1)
    panel.command("G20 G55")
    panel.make("mode", "auto")
    await milling.link.take_control()
    milling.link.allow_control()
    with pytest.raises(NotReady, match="modes were changed after"):
        await milling.start()
    assert panel.get("abs_act_pos").startswith("0.000000 0.000000 10.000000")
    panel.command("G21 G54")
    panel.make("mode", "auto")
    await until(lambda: milling.status().doing is Doing.READY)


async def test_a_restarted_station_sets_them_too(
    mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    async with connected(mill) as driver:
        await _made(driver, HOME)
        await _made(driver, INCHES)
    async with connected(mill) as driver:
        assert "G21 set (G20 was on)" in await _made(driver, SILENT)
    assert panel.get("abs_act_pos").startswith("5.000000 5.000000 10.000000")


async def test_a_mode_switched_by_an_operator_meanwhile_is_not_overridden(
    milling: LinuxCnc, panel: linuxcnc.Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _made(milling, HOME)
    await _made(milling, INCHES)
    opened = milling.link.set

    async def beaten_to_it(words: str) -> None:
        if words == "run":
            panel.make("mode", "manual")
            await milling.link.take_control()
        await opened(words)

    monkeypatch.setattr(milling.link, "set", beaten_to_it)
    with pytest.raises(NotReady, match="modes of the program could not be set"):
        await milling.load(order_of(SILENT), 1)
    assert panel.get("mode") == "MANUAL"
    assert panel.get("abs_act_pos").startswith("0.000000 0.000000 10.000000")


async def test_the_programs_own_bytes_are_not_touched(
    milling: LinuxCnc, mill: linuxcnc.LinuxCnc
) -> None:
    await _made(milling, INCHES)
    order = order_of(SILENT)
    await milling.load(order, 1)
    files = {path.name: path.read_bytes() for path in mill.programs.glob(f"*-{order.run_id}-*")}
    assert files[f"cnc-run-{order.run_id}-part-1.ngc"] == order.source
    assert files[f"cnc-run-{order.run_id}-part-1-modes.ngc"].startswith(b"%\n(")


@pytest.mark.parametrize(
    ("coolant", "left_on"), [("", "spindle"), ("M8\n", "spindle and the coolant")]
)
async def test_a_spindle_that_a_program_leaves_on_is_stopped_and_reported(
    coolant: str, left_on: str, milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    seen: list[tuple[Doing, str]] = []
    order = order_of(f"%\n{HEAD}M3 S1000\n{coolant}G1 X1\n%\n")
    await milling.load(order, 1)
    await milling.start()
    stop = milling.subscribe(lambda status: seen.append((status.doing, status.why)))
    await milling.ended()
    await until(lambda: milling.status().doing is Doing.READY)
    stop()
    assert panel.get("spindle 0") == "0 OFF"
    assert panel.get("flood") == "OFF"
    words = f"the program left the {left_on} on: stopped"
    assert milling.status().why == words
    ready = [why for doing, why in seen if doing is Doing.READY]
    assert set(ready) == {words}
    await _made(milling, SILENT)


async def test_a_spindle_left_on_is_still_reported_while_another_session_has_control(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    await begin(milling, f"%\n{HEAD}M3 S1000\nG1 X1\n%\n")
    panel.take_control()
    await milling.ended()
    assert (milling.status().doing, milling.status().why) == (
        Doing.NOT_READY,
        "the spindle turns (1000 rpm)",
    )
    assert panel.get("spindle 0") == "0 FORWARD"
    milling.link.allow_control()
    await until(lambda: milling.status().doing is Doing.READY)
    assert panel.get("spindle 0") == "0 OFF"


async def test_coolant_switched_on_by_an_operator_makes_a_machine_not_ready(
    milling: LinuxCnc, panel: linuxcnc.Panel
) -> None:
    panel.make("flood", "on")
    await until(lambda: milling.status().why == "the coolant is on")
    assert milling.status().doing is Doing.NOT_READY
    with pytest.raises(NotReady, match="coolant"):
        await milling.load(order_of(SILENT), 1)
    panel.make("flood", "off")
    await until(lambda: milling.status().doing is Doing.READY)
