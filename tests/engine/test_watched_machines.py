"""Machines that nobody can start from here: a real engine, a real driver, an agent that obeys the
test."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from cnc_station.config import Config
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.mtconnect.driver import MTConnect
from cnc_station.engine.queries import ControllerStatus, ListEvents
from cnc_station.engine.services import run_steps
from tests.drivers.mtconnect_agent import FakeAgent
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf
from tests.until import until

HEARTBEAT = "5"


@pytest.fixture
async def agent() -> AsyncIterator[FakeAgent]:
    async with FakeAgent() as agent:
        agent.ready(count=12)
        yield agent


@pytest.fixture
async def floor(station: Station, agent: FakeAgent) -> FloorOf:
    floor = await station()
    await floor.mill(driver="mtconnect", settings={"url": agent.url, "heartbeat": HEARTBEAT})
    return floor


async def _assigned(floor: FloorOf, **values: object) -> int:
    """And known to its machine's driver: what runs before that may be an earlier run."""
    job_id = await floor.job(**values)
    await floor.comes_to(job_id, JobState.ASSIGNED)
    (driver,) = floor.drivers.values()
    assert isinstance(driver, MTConnect)
    await until(lambda: driver.status().why)  # what it waits for
    return job_id


async def _running(floor: FloorOf, agent: FakeAgent, **values: object) -> int:
    """Begun at the panel."""
    job_id = await _assigned(floor, **values)
    agent.say(pgm="BRACKET.NC", exec="ACTIVE")
    await floor.comes_to(job_id, JobState.RUNNING)
    return job_id


async def test_parts_begun_at_the_panel_are_a_jobs_parts_and_a_hold_there_is_told(
    floor: FloorOf, agent: FakeAgent
) -> None:
    job_id = await _running(floor, agent, quantity=2)
    agent.say(exec="FEED_HOLD")
    await floor.comes_to(job_id, JobState.HELD)
    agent.say(exec="ACTIVE")
    await floor.comes_to(job_id, JobState.RUNNING)
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await until(partial(_part, floor, 1, 2))

    # The second part: nobody has to say anything at the station.
    agent.say(exec="READY")
    agent.say(exec="ACTIVE")
    agent.say(exec="PROGRAM_COMPLETED", count="14")
    await floor.comes_to(job_id, JobState.COMPLETED)
    assert (await floor.told(job_id)).count("completed") == 1


async def test_an_operators_word_starts_and_ends_what_the_machine_gives_no_name(
    floor: FloorOf, agent: FakeAgent
) -> None:
    job_id = await _assigned(floor, quantity=5)
    agent.say(exec="ACTIVE")
    assert (await floor.act("start", job_id)).applied
    await floor.comes_to(job_id, JobState.RUNNING)
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    assert (await floor.act("finish", job_id)).applied
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_the_operators_word_for_the_end_is_for_all_parts_that_are_left(
    floor: FloorOf, agent: FakeAgent
) -> None:
    job_id = await _running(floor, agent, quantity=3)
    agent.say(exec="PROGRAM_COMPLETED")
    agent.say(exec="READY")
    await until(partial(_part, floor, 2, 3))
    assert (await floor.act("finish", job_id)).applied
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_program_broken_off_at_the_panel_fails_its_job_with_the_machines_words(
    floor: FloorOf, agent: FakeAgent
) -> None:
    job_id = await _running(floor, agent, retry_limit=0)
    agent.fault("spindle overload", "SP9031")
    agent.say(exec="STOPPED")
    agent.say(exec="READY")
    row = await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
    assert "spindle overload (SP9031)" in row.last_error
    assert await floor.machine_state(1) is MachineState.ALARM
    agent.normal()
    await floor.machine_comes_to(1, MachineState.NEEDS_CLEARING)


async def test_an_agent_that_restarts_while_a_job_waits_for_its_start_costs_nothing(
    floor: FloorOf, agent: FakeAgent
) -> None:
    job_id = await _assigned(floor)
    await agent.restart()
    agent.say(pgm="BRACKET", exec="ACTIVE")
    await floor.comes_to(job_id, JobState.RUNNING)
    agent.say(exec="PROGRAM_COMPLETED")
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_run_that_ends_while_the_line_is_down_is_completed_from_the_agents_buffer(
    floor: FloorOf, agent: FakeAgent
) -> None:
    job_id = await _running(floor, agent)
    await agent.down()
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    agent.say(exec="READY")
    await agent.up()
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_an_end_that_a_new_agent_has_not_seen_is_left_to_a_person(
    floor: FloorOf, agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_steps, "RECONNECT_S", 5.0)
    job_id = await _running(floor, agent)
    await agent.down()
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await agent.restart()
    row = await floor.comes_to(job_id, JobState.INTERRUPTED)
    assert "part counter at 13 (12 at the begin)" in row.last_error
    assert (await floor.act("accept", job_id)).applied


async def test_a_station_closed_in_mid_run_takes_it_up_when_it_is_opened_again(
    floor: FloorOf, agent: FakeAgent, config: Config, station: Station
) -> None:
    job_id = await _running(floor, agent)
    await floor.engine.stop()
    again = await station(config)
    await again.comes_to(job_id, JobState.RUNNING)
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await again.comes_to(job_id, JobState.COMPLETED)
    assert (await again.told(job_id)).count("completed") == 1


async def test_a_station_started_again_goes_on_with_the_part_that_is_in_hand(
    floor: FloorOf, agent: FakeAgent, config: Config, station: Station
) -> None:
    job_id = await _running(floor, agent, quantity=3)
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await until(partial(_part, floor, 2))
    agent.say(exec="READY")
    agent.say(exec="ACTIVE")
    await until(partial(_told, floor, job_id, "part_done"))
    await floor.engine.stop()
    again = await station(config)
    await again.comes_to(job_id, JobState.RUNNING)
    await until(partial(_part, again, 2))
    agent.say(exec="PROGRAM_COMPLETED", count="14")
    await until(partial(_part, again, 3))
    assert (await again.row(job_id)).state is JobState.RUNNING
    agent.say(exec="READY")
    agent.say(exec="ACTIVE")
    agent.say(exec="PROGRAM_COMPLETED", count="15")
    await again.comes_to(job_id, JobState.COMPLETED)
    done = [
        e.reason for e in await again.door.ask(ListEvents(job_id=job_id)) if e.type == "part_done"
    ]
    assert done == ["part 1 of 3", "part 2 of 3"]


async def test_a_run_that_is_lost_from_sight_between_two_parts_says_how_many_were_done(
    floor: FloorOf, agent: FakeAgent, config: Config, station: Station
) -> None:
    job_id = await _running(floor, agent, quantity=3)
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await until(partial(_told, floor, job_id, "part_done"))
    agent.say(exec="READY")
    await floor.engine.stop()
    again = await station(config)
    row = await again.comes_to(job_id, JobState.INTERRUPTED)
    assert "1 of 3 parts were done when last seen." in row.last_error


async def test_a_dry_run_is_not_a_part_until_the_operator_says_so(
    floor: FloorOf, agent: FakeAgent
) -> None:
    agent.say(dry="ON", lock="ON")
    job_id = await _running(floor, agent)
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    words = "it may not have made a part: dry run was on; the axes were locked"
    await until(lambda: words in _why(floor))
    assert (await floor.row(job_id)).state is JobState.RUNNING
    assert (await floor.act("finish", job_id)).applied
    await floor.comes_to(job_id, JobState.COMPLETED)
    await until(lambda: _why(floor) == "")


async def test_an_mdi_block_does_not_begin_the_job_that_waits(
    floor: FloorOf, agent: FakeAgent
) -> None:
    job_id = await _assigned(floor)
    agent.say(pgm="BRACKET.NC", mode="MANUAL_DATA_INPUT")
    agent.say(exec="ACTIVE")
    await until(lambda: "the machine is in MDI" in _why(floor))
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    agent.say(mode="AUTOMATIC")
    await until(lambda: _why(floor) == "waits for bracket to be started at the control")
    assert (await floor.row(job_id)).state is JobState.ASSIGNED
    agent.say(exec="ACTIVE")
    agent.say(exec="PROGRAM_COMPLETED", count="14")
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_the_floor_says_which_name_a_job_awaits_and_takes_the_controls_own_ending(
    floor: FloorOf, agent: FakeAgent
) -> None:
    job_id = await _assigned(floor)
    agent.say(pgm="O4711", exec="ACTIVE")
    words = "O4711 runs: the job waits for bracket (also BRACKET.MIN)"
    await until(lambda: _why(floor) == words)
    agent.say(exec="READY", pgm="MD1:BRACKET.MIN")
    agent.say(exec="ACTIVE")
    await floor.comes_to(job_id, JobState.RUNNING)
    agent.say(exec="PROGRAM_COMPLETED")
    await floor.comes_to(job_id, JobState.COMPLETED)


async def test_a_job_given_up_while_it_waits_leaves_no_words_on_its_machine(
    floor: FloorOf,
) -> None:
    job_id = await _assigned(floor)
    await until(lambda: "waits for bracket" in _why(floor))
    assert (await floor.act("abort", job_id)).applied
    await floor.machine_comes_to(1, MachineState.IDLE)
    await until(lambda: _why(floor) == "")


def _why(floor: FloorOf) -> str:
    """What its machine's controller says."""
    status = floor.door.peek(ControllerStatus(1))
    assert status is not None
    return status.why


async def _told(floor: FloorOf, job_id: int, event: str) -> bool:
    return event in await floor.told(job_id)


async def _part(floor: FloorOf, *parts: int) -> bool:
    """Whether one of these is in hand."""
    return any(session.part in parts for session in floor.runs.sessions)
