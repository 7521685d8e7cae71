"""A part on a fake GRBL is done only at the end of its program, and only without a restart."""

import asyncio

import pytest

from cnc_station.engine.drivers.base import EndUnproven, RunFailed
from cnc_station.engine.views import Doing
from tests.drivers.grbl_bench import FAST, QUICK, Bench, bench, order
from tests.drivers.grbl_fake import FakeGrbl
from tests.until import until

GREETINGS = (
    None,
    "",
    "Grbl 3.7 [FluidNC v3.7.8 (wifi) '$' for help]",
    "\x00\xfc\xe0Grbl 1.1h ['$' for help]",  # the noise of a brown-out on the same line
    "GRBL 2.4 [Advanced Edition | '$' for help]",
    "Router 12 is up",
)
AWAY = b"G21G90\nG0X1\nG1X21F300\n"
TO_ZERO = b"G21G90\nG1X20F1200\nG1X0Y0Z0F300\n"
RAPIDS = b"G21G90\nG0X900\nG0X0Y0Z0\n"


@pytest.mark.parametrize("greeting", GREETINGS)
@pytest.mark.parametrize("source", [AWAY, TO_ZERO, RAPIDS], ids=["away", "to zero", "rapids"])
async def test_a_restart_in_the_last_moves_is_never_a_part_made(
    at: Bench, source: bytes, greeting: str | None
) -> None:
    at.fake.axes.speed = 4.0
    at.fake.welcome = greeting
    ending = await at.begin(source)
    await until(lambda: at.fake.buffer.empty and at.fake.axes.moving)
    at.fake.switch_off_and_on()
    with pytest.raises((EndUnproven, RunFailed)):
        await ending
    await at.refuses("reset|switched off and on|not certain")


@pytest.mark.parametrize("greeting", GREETINGS[:2])
async def test_a_reset_at_the_end_is_never_a_part_made(at: Bench, greeting: str | None) -> None:
    """A reset keeps the position: here the end of the program."""
    at.fake.axes.speed = 4.0
    at.fake.welcome = greeting
    ending = await at.begin(TO_ZERO)
    await until(lambda: at.fake.buffer.empty and at.fake.axes.place[0] > 1)
    at.fake.axes.stop_dead()
    at.fake.axes.place = (0.0, 0.0, 0.0)
    at.fake.reset()
    with pytest.raises((EndUnproven, RunFailed)):
        await ending


async def test_a_tool_that_does_not_stand_where_the_program_ends_waits_for_a_person(
    at: Bench,
) -> None:
    at.fake.axes.speed = 4.0
    ending = await at.begin(AWAY)
    await until(lambda: at.fake.buffer.empty and at.fake.axes.moving)
    at.fake.axes.stop_dead()  # moves lost in the controller
    with pytest.raises(EndUnproven, match=r"stands at X.* where the program ends at X21"):
        await ending


async def test_motion_is_seen_on_a_controller_that_reports_work_positions_only(hal: bool) -> None:
    fake = FakeGrbl(hal=hal, speed=1.0)
    fake.work_only = True
    async with bench(fake) as it:
        await it.make(b"G21G90\nG1X10F%d\nM30\n" % (600 / (QUICK.still + 1)))
        assert fake.axes.place == (10.0, 0.0, 0.0)


async def test_a_fourth_axis_is_seen_to_turn() -> None:
    fake = FakeGrbl(hal=True, speed=1.0)
    fake.memory.fourth = 0.0
    async with bench(fake) as it:
        await it.make(b"G21G90\nG0X5\nG1A%dF600\nM30\n" % (10 * (QUICK.still + 1)))
        assert fake.memory.fourth == 10 * (QUICK.still + 1)


@pytest.mark.parametrize("stop", ["M30", "M2", "M5"])
async def test_a_spindle_that_stops_slowly_is_waited_for(hal: bool, stop: str) -> None:
    fake = FakeGrbl(hal=hal, speed=FAST)
    fake.spindle_stops_in = QUICK.idle + 1
    async with bench(fake) as it:
        await it.make(f"G21G90\nM3S10000\nG1X5F600\n{stop}\n".encode())
        assert it.driver.status().spindle_rpm == 0


async def test_a_spindle_that_the_program_leaves_on_is_stopped(at: Bench) -> None:
    await at.make(b"G21G90\nM3S12000\nG1X5F3000\nG0X0\n")
    assert not at.fake.program.turns
    assert (await at.shows(Doing.READY)).spindle_rpm == 0


async def test_a_machine_whose_spindle_turns_is_not_ready(at: Bench) -> None:
    at.fake.take(b"M3S12000\n")
    assert "spindle turns (12000 rpm)" in (await at.shows(Doing.NOT_READY)).why
    await at.refuses("spindle turns")
    at.fake.take(b"M5\n")
    await at.shows(Doing.READY)


async def test_an_abort_is_not_reported_as_a_hold_at_the_controller(at: Bench) -> None:
    at.fake.axes.speed = 1.0
    await at.driver.load(order(AWAY), 1)
    await at.driver.start()
    ending = asyncio.ensure_future(at.driver.ended())
    await until(lambda: at.fake.axes.moving)
    at.heard.clear()
    await at.driver.abort()
    await asyncio.gather(ending, return_exceptions=True)
    assert Doing.HELD not in {status.doing for status in at.heard}
