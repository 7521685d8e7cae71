"""The MTConnect driver: modes in which no part is cut, several paths, and names at the control."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cnc_station.engine.drivers.base import RunFailed, RunOutcome
from cnc_station.engine.drivers.mtconnect import MTConnect
from cnc_station.engine.drivers.mtconnect.documents import DataItem, Device, Observation
from cnc_station.engine.drivers.mtconnect.layout import layout
from cnc_station.engine.drivers.mtconnect.picture import Picture
from cnc_station.engine.views import Doing
from tests.drivers.mtconnect_agent import FakeAgent
from tests.drivers.watched import HEARTBEAT_S, PROGRAM, begin, doing, order, still_waits
from tests.until import until

SETTLE_S = 30.0  # on a busy computer nothing counts as late


@pytest.fixture
async def watcher(agent: FakeAgent) -> AsyncIterator[MTConnect]:
    """A driver with a long time for a name or a counter."""
    watcher = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S, settle_s=SETTLE_S)
    yield watcher
    await watcher.close()


@pytest.fixture
async def lathe() -> AsyncIterator[FakeAgent]:
    """An agent with two paths, both ready."""
    async with FakeAgent(two_paths=True) as agent:
        agent.ready(count=12)
        agent.say(exec2="READY", pgm2="SECOND.NC", pgm="FIRST.NC")
        yield agent


@pytest.fixture
async def turning(lathe: FakeAgent) -> AsyncIterator[MTConnect]:
    """A driver of that lathe, connected, with an order."""
    watcher = MTConnect(lathe.url, heartbeat_s=HEARTBEAT_S, settle_s=SETTLE_S)
    await watcher.connect()
    await watcher.load(order(), 1)
    yield watcher
    await watcher.close()


async def _begun(agent: FakeAgent, watcher: MTConnect, **values: str) -> asyncio.Task[None]:
    """Begin the ordered program with these values. Return the task that waits for its end."""
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, **values)
    agent.say(exec="ACTIVE")
    await watcher.start()
    return begin(watcher.ended())


async def _left_open(watcher: MTConnect, ended: asyncio.Task[None], words: str) -> None:
    """Check that the end waits for a person, with this reason."""
    await until(lambda: words in watcher.status().why and watcher.status().doing is Doing.READY)
    assert watcher.status().remedy == "Confirm whether the part is done."
    assert await still_waits(ended)
    found = await watcher.inspect_run(order())
    assert found.outcome is RunOutcome.STOPPED
    assert words in found.detail
    ended.cancel()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dry": "ON"}, "dry run was on"),
        ({"lock": "ON", "dry": "ON"}, "dry run was on; the axes were locked"),
        ({"single": "ON"}, "single block was on"),
        ({"zlock": "ON"}, "the Z axis was locked"),
        ({"mode": "SEMI_AUTOMATIC"}, "single block was on"),
        ({"purpose": "SETUP"}, "the machine was being set up"),
        ({"purpose": "MAINTENANCE"}, "the machine was in maintenance"),
        ({"purpose": "PROCESS_DEVELOPMENT"}, "the process was being tried"),
        ({"mode": "UNAVAILABLE"}, "the machine did not report its mode"),
        ({"mode": "TEACH"}, "ran in mode TEACH"),
    ],
)
async def test_a_program_that_ran_in_a_mode_that_does_not_cut_is_left_to_a_person(
    agent: FakeAgent, watcher: MTConnect, values: dict[str, str], words: str
) -> None:
    ended = await _begun(agent, watcher, **values)
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await _left_open(watcher, ended, words)


@pytest.mark.parametrize(
    ("on", "off", "words"),
    [
        ({"dry": "ON"}, {"dry": "OFF"}, "dry run was on"),
        ({"mode": "MANUAL_DATA_INPUT"}, {"mode": "AUTOMATIC"}, "ran in MDI"),
        ({"purpose": "SETUP"}, {"purpose": "PRODUCTION"}, "was being set up"),
        ({"mode": "UNAVAILABLE"}, {"mode": "AUTOMATIC"}, "did not report its mode"),
        ({"exec": "FEED_HOLD", "mode": "MANUAL"}, {"mode": "AUTOMATIC"}, "ran in manual mode"),
    ],
)
async def test_a_doubt_in_the_middle_of_a_run_is_not_forgotten_at_its_end(
    agent: FakeAgent, watcher: MTConnect, on: dict[str, str], off: dict[str, str], words: str
) -> None:
    ended = await _begun(agent, watcher)
    agent.say(**on)
    await until(lambda: "a person has to decide" in watcher.status().why)
    agent.say(**off)
    agent.say(exec="ACTIVE")
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await _left_open(watcher, ended, words)


async def test_optional_stops_and_switches_that_are_off_cause_no_doubt(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    off = dict.fromkeys(("dry", "lock", "single", "zlock"), "OFF")
    ended = await _begun(agent, watcher, **off, optional="ON", purpose="PRODUCTION")
    agent.say(exec="OPTIONAL_STOP")
    agent.say(exec="ACTIVE")
    agent.say(exec="PROGRAM_COMPLETED")
    await ended


async def test_a_switch_that_becomes_unavailable_is_still_on(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    agent.say(dry="ON", lock="OFF")
    ended = await _begun(agent, watcher, dry="UNAVAILABLE", lock="UNAVAILABLE")
    agent.say(exec="PROGRAM_COMPLETED")
    await _left_open(watcher, ended, "dry run was on")


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("MANUAL_DATA_INPUT", "the machine is in MDI"),
        ("MANUAL", "the machine is in manual mode"),
        ("EDIT", "a program is being edited"),
    ],
)
async def test_what_runs_by_hand_is_not_the_begin_of_the_ordered_program(
    agent: FakeAgent, watcher: MTConnect, mode: str, words: str
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    started = begin(watcher.start())
    agent.say(pgm=PROGRAM, mode=mode)
    agent.say(exec="ACTIVE")
    await until(lambda: f"{PROGRAM} is selected, but {words}" in watcher.status().why)
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await until(lambda: watcher.status().parts == 13)
    assert await still_waits(started)

    agent.say(mode="AUTOMATIC")
    agent.say(exec="ACTIVE")
    await started
    ended = begin(watcher.ended())
    agent.say(exec="PROGRAM_COMPLETED")
    await ended


async def test_what_runs_by_hand_waits_for_a_person_although_the_operator_confirmed_it(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, mode="MANUAL_DATA_INPUT")
    agent.say(exec="ACTIVE")
    await doing(watcher, Doing.RUNNING)
    ended = begin(watcher.ended())
    agent.say(exec="PROGRAM_COMPLETED", mode="AUTOMATIC", count="13")
    await until(lambda: "does not report whether the part has been made" in watcher.status().why)
    assert await still_waits(ended)
    ended.cancel()


async def test_a_jump_of_the_counter_does_not_make_an_aborted_program_a_part(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    ended = await _begun(agent, watcher)
    agent.say(exec="INTERRUPTED")
    agent.say(count="599999")
    await until(lambda: watcher.status().parts == 599_999)
    agent.say(exec="READY")
    await _left_open(watcher, ended, "the part counter jumped from 12 to 599999 for one part")


async def test_a_lathe_has_done_its_part_when_the_last_path_has_ended(
    lathe: FakeAgent, turning: MTConnect
) -> None:
    lathe.say(pgm=PROGRAM, exec="ACTIVE", exec2="ACTIVE")
    await turning.start()
    ended = begin(turning.ended())
    lathe.say(exec="PROGRAM_COMPLETED", count="13")
    await until(lambda: turning.status().parts == 13)
    assert turning.status().doing is Doing.RUNNING
    assert await still_waits(ended)
    lathe.say(exec2="FEED_HOLD")
    await doing(turning, Doing.HELD)
    assert turning.status().why == "path2: feed hold"
    lathe.fault("turret", "T2")
    await doing(turning, Doing.ALARM)
    assert await still_waits(ended)
    lathe.normal()
    lathe.say(exec2="ACTIVE")
    lathe.say(exec2="READY")
    await ended


async def test_the_ordered_program_may_be_that_of_the_second_path(
    lathe: FakeAgent, turning: MTConnect
) -> None:
    started = begin(turning.start())
    lathe.say(exec="ACTIVE")
    await until(lambda: "FIRST.NC runs: the job waits for plate.nc" in turning.status().why)
    lathe.say(exec="PROGRAM_COMPLETED")
    await doing(turning, Doing.READY)
    assert await still_waits(started)

    lathe.say(pgm2="PLATE.MIN", exec2="ACTIVE")
    await started
    ended = begin(turning.ended())
    # The end that the first path reported before is not the end of this program.
    lathe.say(exec2="READY")
    await until(lambda: "does not report how" in turning.status().why)
    assert await still_waits(ended)
    lathe.say(exec2="PROGRAM_COMPLETED", pgm2="OTHER.MIN")
    await ended


async def test_another_path_that_completes_does_not_complete_the_ordered_program(
    lathe: FakeAgent, turning: MTConnect
) -> None:
    lathe.say(pgm2=PROGRAM, exec2="ACTIVE", exec="ACTIVE")
    await turning.start()
    ended = begin(turning.ended())
    lathe.say(exec2="READY")
    lathe.say(exec="PROGRAM_COMPLETED")
    await until(lambda: "does not report how" in turning.status().why)
    assert await still_waits(ended)
    ended.cancel()


async def test_what_a_path_has_completed_before_is_not_the_end_of_the_next_run(
    lathe: FakeAgent, turning: MTConnect
) -> None:
    lathe.say(pgm=PROGRAM, pgm2=PROGRAM, exec="ACTIVE", exec2="ACTIVE")
    await turning.start()
    lathe.say(exec="PROGRAM_COMPLETED", exec2="PROGRAM_COMPLETED")
    await turning.ended()
    await turning.load(order(run_id=8), 1)
    lathe.say(exec="ACTIVE")
    await turning.start()
    ended = begin(turning.ended())
    lathe.say(exec="READY")
    await until(lambda: "does not report how" in turning.status().why)
    assert await still_waits(ended)
    ended.cancel()


async def test_what_a_path_ran_before_is_not_what_another_path_runs_now(
    lathe: FakeAgent, turning: MTConnect
) -> None:
    lathe.say(pgm=PROGRAM, exec="ACTIVE")
    await turning.start()
    lathe.say(exec="READY")
    await turning.load(order(run_id=8), 1)
    started = begin(turning.start())
    await until(lambda: turning.status().doing is Doing.READY)
    lathe.say(exec2="ACTIVE")
    await until(lambda: "SECOND.NC runs" in turning.status().why)
    assert await still_waits(started)
    started.cancel()


async def test_a_path_that_only_has_the_ordered_program_selected_does_not_begin_it(
    lathe: FakeAgent, turning: MTConnect
) -> None:
    started = begin(turning.start())
    lathe.say(pgm=PROGRAM, exec2="ACTIVE")
    await until(lambda: "SECOND.NC runs" in turning.status().why)
    lathe.say(exec2="PROGRAM_COMPLETED")
    await doing(turning, Doing.READY)
    assert await still_waits(started)
    started.cancel()


async def test_an_aborted_second_path_aborts_the_part(lathe: FakeAgent) -> None:
    watcher = MTConnect(lathe.url, heartbeat_s=HEARTBEAT_S, settle_s=0.3)
    await watcher.connect()
    await watcher.load(order(), 1)
    lathe.say(pgm=PROGRAM, exec="ACTIVE", exec2="ACTIVE")
    await watcher.start()
    ended = begin(watcher.ended())
    lathe.say(exec="PROGRAM_COMPLETED", exec2="INTERRUPTED")
    lathe.say(exec2="READY")
    with pytest.raises(RunFailed, match="aborted at the machine"):
        await ended
    await watcher.close()


async def test_a_dry_run_of_a_path_counts_where_that_path_runs(
    lathe: FakeAgent, turning: MTConnect
) -> None:
    lathe.say(dry2="ON")
    lathe.say(pgm=PROGRAM, exec="ACTIVE")
    await turning.start()
    ended = begin(turning.ended())
    lathe.say(exec2="ACTIVE")
    lathe.say(exec2="PROGRAM_COMPLETED", exec="PROGRAM_COMPLETED")
    await _left_open(turning, ended, "dry run was on")

    await turning.load(order(run_id=8), 1)
    lathe.say(exec="ACTIVE")
    await turning.start()
    lathe.say(exec="PROGRAM_COMPLETED")
    await turning.ended()


async def test_a_second_path_without_data_is_not_ready(
    lathe: FakeAgent, turning: MTConnect
) -> None:
    lathe.say(exec2="UNAVAILABLE")
    await doing(turning, Doing.UNREACHABLE)
    lathe.say(exec2="READY")
    await doing(turning, Doing.READY)


async def test_a_waiting_job_states_the_expected_name_and_why_a_program_does_not_match(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(name="bracket.nc"), 1)
    assert watcher.status().why == ""
    started = begin(watcher.start())
    await until(lambda: watcher.status().why == "waits for bracket.nc to be started at the control")
    assert watcher.status().doing is Doing.READY
    agent.say(pgm="O4711", exec="ACTIVE")
    words = "O4711 runs: the job waits for bracket.nc (also BRACKET.MIN)"
    await until(lambda: watcher.status().why == words)
    agent.say(exec="INTERRUPTED")
    await until(lambda: watcher.status().why == f"interrupted; {words}")
    agent.say(exec="READY", pgm="BRACKET.EIA")
    agent.say(exec="ACTIVE")
    await started
    await until(lambda: watcher.status().why == "")


async def test_a_program_that_ran_before_the_order_is_reported_as_such(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.connect()
    await watcher.load(order(), 1)
    started = begin(watcher.start())
    await until(lambda: "was running before this job was assigned" in watcher.status().why)
    started.cancel()
    await until(lambda: watcher.status().why == "")


async def test_after_a_restart_of_the_station_a_manual_mode_is_not_the_run(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    agent.say(pgm=PROGRAM, mode="MANUAL_DATA_INPUT", exec="ACTIVE")
    await watcher.connect()
    found = await watcher.inspect_run(order())
    assert found.outcome is RunOutcome.STOPPED
    assert "Now the machine is in MDI." in found.detail
    agent.say(mode="AUTOMATIC", dry="ON", line="7")
    await until(lambda: watcher.status().line == 7)
    assert (await watcher.inspect_run(order())).outcome is RunOutcome.UNDER_WAY
    ended = begin(watcher.ended())
    agent.say(exec="PROGRAM_COMPLETED")
    await _left_open(watcher, ended, "dry run was on")


@pytest.mark.parametrize(
    ("kind", "sub_type", "value"),
    [
        ("CONTROLLER_MODE_OVERRIDE", "DRY_RUN", "ON"),
        ("x:DRY_RUN", "", "TRUE"),
        ("DryRun", "", "1"),
        ("okuma:MachineLock", "", "on"),
        ("CONTROLLER_MODE_OVERRIDE", "x:MST_LOCK", "ACTIVE"),
    ],
)
def test_switches_are_known_in_the_spellings_of_older_agents(
    kind: str, sub_type: str, value: str
) -> None:
    within = ("d", "c")
    items = (
        DataItem("e", "EXECUTION", component="Controller", within=within),
        DataItem("s", kind, sub_type, component="Controller", within=within),
    )
    picture = Picture(layout(Device("M", items=items)))
    picture.take(Observation(1, "e", "Execution", "ACTIVE"))
    assert not picture.report().doubts
    picture.take(Observation(2, "s", "Switch", value))
    assert len(picture.report().doubts) == 1
