"""Nothing starts on a GRBL whose position is in doubt, until it homes or a person confirms."""

import pytest

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.machine import PositionBasis
from cnc_station.engine.drivers.base import NotReady, RunAborted, RunFailed
from cnc_station.engine.views import Doing
from tests.drivers.grbl_bench import FAST, LONG, Bench, bench, order, square
from tests.drivers.grbl_fake import FakeGrbl
from tests.until import until

AWAY = b"G21G90\nG0X20Y10\nG1X21F600\nM30\n"
PRESET = b"G21G90\nG0X20\nG92X0\nG1X1F600\nM30\n"


async def _is_lost(at: Bench, why: str) -> None:
    """Check that the position is lost, for this reason, until a person confirms it."""
    status = await at.shows(Doing.NOT_READY)
    assert status.position is not None
    assert status.position.basis is PositionBasis.LOST
    await at.refuses(why)
    await at.driver.confirm_position()
    await at.shows(Doing.READY)
    await at.make(AWAY)


@pytest.mark.parametrize("greeting", [None, "", "Router 12 is up", "\x00\xfcGrbl 1.1h ['$' for"])
async def test_a_power_cycle_between_jobs_loses_the_position(
    at: Bench, greeting: str | None
) -> None:
    await at.make(AWAY)
    at.fake.welcome = greeting
    at.fake.switch_off_and_on()
    await _is_lost(at, "switched off and on")


@pytest.mark.parametrize("greeting", [None, "", "Router 12 is up"])
async def test_a_power_cycle_at_zero_between_jobs_loses_the_position(
    at: Bench, greeting: str | None
) -> None:
    await at.make(square(4))
    at.fake.welcome = greeting
    at.fake.switch_off_and_on()
    await at.refuses("switched off and on")
    await _is_lost(at, "switched off and on")


@pytest.mark.parametrize("greeting", [None, "", "Router 12 is up"])
async def test_a_reset_between_jobs_that_clears_a_g92_prevents_the_start(
    at: Bench, greeting: str | None
) -> None:
    await at.make(PRESET)
    at.fake.welcome = greeting
    at.fake.reset()
    await at.refuses("reset")
    await _is_lost(at, "reset")


@pytest.mark.parametrize("back_at_zero", [False, True], ids=["away", "back at zero"])
async def test_a_power_cycle_while_the_cable_was_out_loses_the_position(
    at: Bench, back_at_zero: bool
) -> None:
    await at.make(square(4) if back_at_zero else AWAY)
    await at.wire.pull_out()
    await at.shows(Doing.UNREACHABLE)
    at.fake.switch_off_and_on()
    await at.wire.put_back()
    await at.driver.connect()
    await _is_lost(at, "switched off and on")


async def test_a_cable_pulled_and_put_back_without_a_change_loses_nothing(
    at: Bench,
) -> None:
    await at.make(AWAY)
    await at.wire.pull_out()
    await at.shows(Doing.UNREACHABLE)
    await at.wire.put_back()
    await at.driver.connect()
    await at.shows(Doing.READY)
    await at.make(AWAY)


async def test_a_machine_moved_while_the_cable_was_out_is_lost(at: Bench) -> None:
    await at.make(AWAY)
    await at.wire.pull_out()
    await at.shows(Doing.UNREACHABLE)
    at.fake.axes.place = (40.0, 10.0, 0.0)
    await at.wire.put_back()
    await at.driver.connect()
    await _is_lost(at, "position differs")


async def test_a_work_zero_moved_while_the_cable_was_out_is_lost(at: Bench) -> None:
    await at.make(AWAY)
    await until(lambda: at.driver.status().x is not None)
    await at.wire.pull_out()
    await at.shows(Doing.UNREACHABLE)
    at.fake.take(b"G10L2P1X3\n")
    at.fake.reports = 0
    await at.wire.put_back()
    await at.driver.connect()
    await _is_lost(at, "work offset")


@pytest.mark.parametrize("code", [1, 2, 3])
async def test_an_alarm_unlocked_here_leaves_the_position_lost(at: Bench, code: int) -> None:
    at.fake.raise_alarm(code)
    await at.shows(Doing.ALARM)
    await at.driver.unlock()
    await _is_lost(at, f"without homing.*ALARM:{code}")


@pytest.mark.parametrize("code", [1, 4])
async def test_an_alarm_unlocked_at_a_pendant_leaves_the_position_lost(
    at: Bench, code: int
) -> None:
    at.fake.raise_alarm(code)
    await at.shows(Doing.ALARM)
    at.fake.mute = at.fake.locked = False
    at.fake.say("[MSG:Caution: Unlocked]")
    if not at.fake.hal:
        at.fake.reset()
    await _is_lost(at, "position|not certain|ALARM")


async def test_a_power_cut_during_a_cut_is_reported_as_a_lost_position(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    at.fake.switch_off_and_on()
    with pytest.raises(RunFailed, match=r"position.* lost"):
        await ending
    await _is_lost(at, "position.* lost")


async def test_an_abort_with_an_active_g92_loses_the_work_zero(at: Bench) -> None:
    ending = await at.begin(b"G21G90\nG92X7\n" + square(LONG))
    await until(lambda: at.fake.axes.moving)
    await at.driver.abort()
    with pytest.raises(RunAborted):
        await ending
    await _is_lost(at, "cleared G92")


async def test_an_abort_with_a_g92_of_the_job_before_loses_the_work_zero(at: Bench) -> None:
    await at.make(PRESET)
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    await at.driver.abort()
    with pytest.raises(RunAborted):
        await ending
    await _is_lost(at, "cleared G92")


# --- after a restart of the station ---


async def test_a_lost_position_is_still_lost_after_a_restart_of_the_station(at: Bench) -> None:
    at.fake.switch_off_and_on()
    await at.shows(Doing.NOT_READY)
    for _ in range(2):
        await at.restart_station()
        await at.refuses("switched off and on")
    await _is_lost(at, "switched off and on")


async def test_a_known_position_is_lost_after_a_time_without_the_station(at: Bench) -> None:
    await at.make(AWAY)
    memory = at.driver.memory()
    assert memory is not None
    assert memory.position.known
    await at.restart_station()
    await _is_lost(at, "not connected to it for a time")


async def test_a_machine_that_reports_it_is_still_homed_is_known_after_a_restart() -> None:
    fake = FakeGrbl(hal=True, homing=True, speed=FAST)
    fake.locked, fake.tells_homed = False, 1
    async with bench(fake) as it:
        fake.home(0.0)
        await it.shows(Doing.READY)
        await it.make(AWAY)
        fake.reports = 0  # sends everything on each connection
        await it.restart_station()
        await it.shows(Doing.READY)
        await it.make(AWAY)


async def test_a_machine_seen_homing_is_known_again(at: Bench) -> None:
    at.fake.switch_off_and_on()
    await at.shows(Doing.NOT_READY)
    at.fake.home()
    status = await at.shows(Doing.READY)
    assert status.position is not None
    assert status.position.basis is PositionBasis.HOMED


@pytest.mark.parametrize("greeting", [None, ""])
async def test_a_homing_interrupted_by_a_restart_proves_nothing(
    at: Bench, greeting: str | None
) -> None:
    await at.make(AWAY)
    at.fake.home(60.0)
    await until(lambda: "homing" in at.driver.status().why)
    at.fake.homes = False
    at.fake.welcome = greeting
    at.fake.switch_off_and_on()
    await at.refuses("switched off and on")


@pytest.mark.parametrize("told", [0, 1], ids=["never told", "told once"])
async def test_a_grblhal_not_homed_and_not_locked_starts_nothing(told: int) -> None:
    fake = FakeGrbl(hal=True, homing=True, speed=FAST)
    fake.locked, fake.tells_homed = False, told
    async with bench(fake) as it:
        await it.shows(Doing.NOT_READY)
        await until(lambda: fake.reports > 3)
        await it.refuses("not been homed")
        fake.home()
        await it.shows(Doing.READY)
        await it.make(AWAY)


# --- another controller ---


async def _exchange(at: Bench, change: str) -> None:
    await at.wire.pull_out()
    await at.shows(Doing.UNREACHABLE)
    if change == "settings":
        at.fake.settings = ["$100=80", "$130=1200"]
    elif change == "inches":
        at.fake.inches = True
    else:
        at.fake.hal = not at.fake.hal
    await at.wire.put_back()
    await at.driver.connect()


@pytest.mark.parametrize("change", ["settings", "inches", "make"])
async def test_another_controller_at_the_port_gets_no_program(at: Bench, change: str) -> None:
    await at.make(AWAY)
    await _exchange(at, change)
    await at.restart_station()
    await _is_lost(at, "another|differs")


async def test_a_confirmed_controller_belongs_to_the_machine_from_then_on(
    at: Bench,
) -> None:
    await at.make(AWAY)
    await _exchange(at, "settings")
    await at.refuses(r"\$130=1200")
    await at.driver.confirm_position()
    await at.make(AWAY)
    await at.wire.pull_out()
    await at.shows(Doing.UNREACHABLE)
    await at.wire.put_back()
    await at.driver.connect()
    await at.shows(Doing.READY)


async def test_settings_changed_at_the_same_controller_are_seen_when_it_is_back(
    at: Bench,
) -> None:
    at.fake.settings = ["$100=80"]
    await at.driver.connect()
    await at.refuses(r"settings have changed.*\$100=80")


# --- confirmation ---


async def test_a_position_is_not_confirmed_in_an_alarm(at: Bench) -> None:
    at.fake.raise_alarm(1)
    await at.shows(Doing.ALARM)
    with pytest.raises(Conflict, match="unlock it first"):
        await at.driver.confirm_position()


async def test_a_position_is_not_confirmed_while_it_moves(at: Bench) -> None:
    ending = await at.begin(square(LONG))
    await until(lambda: at.fake.axes.moving)
    with pytest.raises(Conflict, match="at rest"):
        await at.driver.confirm_position()
    await at.driver.abort()
    with pytest.raises(RunAborted):
        await ending
    at.fake.take(b"G1X500F60\n")
    await at.shows(Doing.RUNNING)
    with pytest.raises(Conflict, match="at rest"):
        await at.driver.confirm_position()


async def test_a_position_lost_between_load_and_start_prevents_the_start(at: Bench) -> None:
    await at.make(AWAY)
    await at.driver.load(order(AWAY), 1)
    at.fake.welcome = ""
    at.fake.switch_off_and_on()
    with pytest.raises(NotReady):
        await at.driver.start()
    assert not at.fake.axes.blocks
