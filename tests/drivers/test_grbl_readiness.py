"""When a fake GRBL starts nothing: alarms, locks, holds and doors, and how people clear them."""

import pytest

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.drivers.base import NotReady, RunFailed
from cnc_station.engine.views import Doing
from tests.drivers.grbl_bench import FAST, Bench, bench, order, square
from tests.drivers.grbl_fake import FakeGrbl
from tests.until import until


async def test_a_soft_limit_ends_the_run_in_an_alarm_that_can_be_unlocked(at: Bench) -> None:
    with pytest.raises(RunFailed, match=r"ALARM:2.*soft limit") as failed:
        await at.make(b"G21G90\nG0X5\nG1X2000F500\nG0X5\nM30\n")
    assert failed.value.alarm
    status = await at.shows(Doing.ALARM)
    assert "soft limit" in status.why
    with pytest.raises(NotReady, match="ALARM:2"):
        await at.driver.load(order(square(1)), 1)
    await at.driver.unlock()
    assert "not certain" in (await at.shows(Doing.NOT_READY)).why
    await at.driver.confirm_position()
    assert (await at.shows(Doing.READY)).why == ""
    await at.make(square(1))


async def test_a_locked_machine_starts_nothing(hal: bool) -> None:
    async with bench(FakeGrbl(hal=hal, homing=True, speed=FAST)) as it:
        assert it.driver.status().doing is Doing.ALARM
        with pytest.raises(NotReady, match=r"locked.*home the machine"):
            await it.driver.load(order(square(1)), 1)
        assert it.fake.lines == 0


async def test_a_machine_unlocked_but_not_homed_starts_nothing_until_it_was_homed(
    hal: bool,
) -> None:
    async with bench(FakeGrbl(hal=hal, homing=True, speed=FAST)) as it:
        await it.driver.unlock()
        status = await it.shows(Doing.NOT_READY)
        assert "without homing" in status.why
        assert "Home the machine" in status.remedy
        with pytest.raises(NotReady, match="not certain"):
            await it.driver.load(order(square(1)), 1)
        await it.driver.close()  # reconnecting proves nothing
        await it.driver.connect()
        with pytest.raises(NotReady, match="not certain"):
            await it.driver.load(order(square(1)), 1)
        it.fake.home()
        await it.shows(Doing.READY)
        await it.make(square(1))


async def test_a_machine_homed_at_its_panel_is_ready_again(at: Bench) -> None:
    at.fake.homing = True
    await at.driver.connect()
    await at.driver.confirm_position()  # it is the same machine with other settings
    at.fake.raise_alarm(1)
    await at.shows(Doing.ALARM)
    await at.driver.unlock()
    await at.shows(Doing.NOT_READY)
    at.fake.home()
    await at.shows(Doing.READY)


async def test_a_machine_held_by_an_operator_starts_nothing(at: Bench) -> None:
    at.fake.take(b"G0X900\n")
    assert (await at.shows(Doing.RUNNING)).why.startswith("Run: ")
    at.fake.take(b"!")
    assert (await at.shows(Doing.HELD)).why.startswith("Hold:")
    with pytest.raises(NotReady, match="did not start"):
        await at.driver.load(order(square(1)), 1)
    await until(lambda: at.fake.state == "Hold:0")
    at.fake.take(b"~")
    at.fake.axes.stop_dead()
    at.fake.checking = True
    assert "check mode" in (await at.shows(Doing.NOT_READY)).why


async def test_an_open_door_holds_the_run(at: Bench) -> None:
    ending = await at.begin(square(20))
    at.fake.door = True
    assert "safety door" in (await at.shows(Doing.HELD)).why
    with pytest.raises(Conflict, match="close it first"):
        await at.driver.resume()
    at.fake.door = False
    await ending


async def test_an_alarm_between_load_and_start_prevents_the_start(at: Bench) -> None:
    await at.driver.load(order(square(1)), 1)
    at.fake.raise_alarm(1)
    with pytest.raises(NotReady, match="ALARM:1"):
        await at.driver.start()
    assert at.fake.lines == 0


async def test_a_controller_that_locks_itself_before_the_first_line_is_only_not_ready(
    at: Bench,
) -> None:
    at.fake.errors = dict.fromkeys(range(1, 20), 9)
    await at.driver.load(order(square(3)), 1)
    with pytest.raises(NotReady, match="error:9"):
        await at.driver.start()
    assert at.fake.taken == []


async def test_without_a_run_hold_and_resume_are_refused(at: Bench) -> None:
    with pytest.raises(Conflict):
        await at.driver.hold()
    with pytest.raises(Conflict):
        await at.driver.resume()


async def test_an_abort_without_a_run_does_nothing(at: Bench) -> None:
    await at.driver.abort()
    await at.driver.load(order(square(1)), 1)
    await at.driver.abort()
    with pytest.raises(NotReady):
        await at.driver.start()
    assert at.fake.resets == 0
