"""Each program is cut in the modes it was read with, whatever was left on a fake GRBL before."""

from dataclasses import replace

import pytest

from cnc_station.engine.domain.nc.preconditions import READ_WITH
from cnc_station.engine.drivers.base import NotReady, Order
from cnc_station.engine.views import Doing
from tests.drivers.grbl_bench import FAST, Bench, bench, order
from tests.drivers.grbl_fake import FakeGrbl
from tests.until import until

SILENT = b"G0X5Y5\nG2X6I0.5F600\n"  # states no mode, and ends without M2
MM = (6.0, 5.0, 0.0)

LEFT = {
    "inches": ("G20G90\nG0X1Y1\nM30\n", ("G21 set (G20 was on)",)),
    "increments": ("G21G91\nG0X10Y10\n", ("G90 set (G91 was on)",)),
    "another work offset": ("G21G90\nG10L2P2X100\nG55G0X0Y0\n", ("G54 set (G55 was on)",)),
    "another plane": ("G21G90G18\nG0X1\n", ("G17 set (G18 was on)",)),
    "inverse time": ("G21G90G93\nG1X1F60\n", ("G94 set (G93 was on)",)),
    "two at once": (
        "G20G91\nG0X0.5\n",
        ("G21 set (G20 was on)", "G90 set (G91 was on)"),
    ),
}


def _stating(codes: str, source: bytes) -> Order:
    """Return an order for a program that begins with these codes."""
    given = order(f"{codes.replace(' ', '')}\n".encode() + source)
    assert given.program is not None
    assumes = tuple(a for a in READ_WITH if a.code not in codes.split())
    return replace(given, program=replace(given.program, assumes=assumes))


@pytest.mark.parametrize("left", LEFT)
async def test_modes_left_by_the_job_before_are_set_back_and_reported(at: Bench, left: str) -> None:
    before, told = LEFT[left]
    await at.make(before.encode())
    assert await at.driver.load(order(SILENT), 1) == told
    await at.driver.start()
    await at.driver.ended()
    assert at.fake.axes.place == MM


@pytest.mark.parametrize("code", ["G20", "G91", "G55", "G18", "G93"])
async def test_modes_left_by_another_program_are_set_back(at: Bench, code: str) -> None:
    at.fake.memory.offsets["G55"] = (100.0, 0.0, 0.0)
    at.fake.take(code.encode() + b"\n")
    await at.make(SILENT)
    assert at.fake.axes.place == MM


async def test_a_mode_that_the_program_states_itself_is_not_set(at: Bench) -> None:
    at.fake.take(b"G20G91G55\n")
    assert await at.driver.load(_stating("G21 G90 G54", SILENT), 1) == ()


async def test_the_second_part_begins_in_the_modes_of_the_first(at: Bench) -> None:
    source = b"G0X5\nG91\nG0X5\n"
    for part, told in ((1, ()), (2, ("G90 set (G91 was on)",))):
        assert await at.driver.load(order(source, parts=2), part) == told
        await at.driver.start()
        await at.driver.ended()
        assert at.fake.axes.place == (10.0, 0.0, 0.0)


@pytest.mark.parametrize("code", ["G20", "G91", "G55", "G93"])
async def test_a_mode_changed_after_the_load_prevents_the_start(at: Bench, code: str) -> None:
    await at.driver.load(order(SILENT), 1)
    at.fake.take(code.encode() + b"\n")
    with pytest.raises(NotReady, match=f"{code} was set after"):
        await at.driver.start()
    assert at.fake.axes.place == (0.0, 0.0, 0.0)
    assert not at.fake.axes.blocks


async def test_a_reset_after_the_load_prevents_the_start(at: Bench) -> None:
    await at.driver.load(order(SILENT), 1)
    at.fake.reset()
    with pytest.raises(NotReady, match="reset"):
        await at.driver.start()
    assert not at.fake.axes.blocks


async def test_a_tool_length_offset_that_the_program_does_not_state_waits_for_a_person(
    at: Bench,
) -> None:
    lowers = b"G0X5Y5Z1\nG1Z0F600\nX6\n"
    at.fake.take(b"G43.1Z5\n")
    await at.refuses("tool length offset is in force.*G49", lowers)
    await at.driver.load(_stating("G49", lowers), 1)
    at.fake.take(b"G49\n")
    await at.make(lowers)
    assert at.fake.axes.place == MM


async def test_a_controller_that_does_not_change_its_mode_gets_no_program(
    at: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    at.fake.take(b"G20\n")
    take = at.fake.program.take
    monkeypatch.setattr(
        type(at.fake.program), "take", lambda _, code: None if code == "G21" else take(code)
    )
    with pytest.raises(NotReady, match="keeps G20, and the program needs G21"):
        await at.driver.load(order(SILENT), 1)
    assert not at.fake.axes.blocks


@pytest.mark.parametrize("code", ["G20", "G21"])
async def test_a_controller_that_reports_in_inches_is_converted_to_millimetres(
    hal: bool, code: str
) -> None:
    fake = FakeGrbl(hal=hal, speed=FAST)
    fake.inches = True
    fake.take(code.encode() + b"\n")
    fake.memory.offsets["G54"] = (10.0, 0.0, 0.0)
    async with bench(fake) as it:
        await it.make(SILENT)
        assert fake.axes.place == (16.0, 5.0, 0.0)
        await until(lambda: it.driver.status().x == pytest.approx(6.0, abs=0.02))
        assert it.driver.status().doing is Doing.READY
