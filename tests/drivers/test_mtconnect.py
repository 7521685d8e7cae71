"""The MTConnect driver against an agent that can be told to misbehave."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers.base import Finding, RunAborted, RunFailed
from cnc_station.engine.drivers.mtconnect import KIND, MTConnect
from cnc_station.engine.views import Doing, Status
from tests.drivers.mtconnect_agent import FakeAgent
from tests.drivers.watched import PROGRAM, begin, doing, order, still_waits
from tests.until import until

HEARTBEAT_S = 0.2
SETTLE_S = 0.3


@pytest.fixture
async def agent() -> AsyncIterator[FakeAgent]:
    async with FakeAgent() as agent:
        agent.ready(count=12)
        yield agent


@pytest.fixture
async def driver(agent: FakeAgent) -> AsyncIterator[MTConnect]:
    driver = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S, settle_s=SETTLE_S)
    yield driver
    await driver.close()


async def test_connecting_tells_who_answered_and_how_the_machine_is(
    agent: FakeAgent, driver: MTConnect
) -> None:
    agent.say(pgm="OTHER.NC", line="42", tool="7", pos="1.5 -2 30", feed="20", fovr="80")

    identity = await driver.connect()

    assert identity.controller == "MTConnect agent 1.3"
    assert ("Device", "MILL-1") in identity.details
    assert ("Maker", "Acme") in identity.details
    assert driver.status() == Status(
        Doing.READY,
        program="OTHER.NC",
        line=42,
        x=1.5,
        y=-2.0,
        z=30.0,
        feed_mm_min=1200.0,
        tool=7,
        feed_override=0.8,
        parts=12,
    )


async def test_a_program_that_begins_by_itself_and_completes_is_a_part(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    started = begin(driver.start())
    assert await still_waits(started)

    agent.say(exec="ACTIVE", pgm="//CNC_MEM/USER/PLATE.NC")
    await started
    assert driver.status().doing is Doing.RUNNING

    ended = begin(driver.ended())
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await ended
    assert driver.status().parts == 13


async def test_a_part_counter_that_goes_up_proves_the_end_of_a_machine_that_only_goes_ready(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()
    await _past_settling()

    ended = begin(driver.ended())
    agent.say(exec="READY")
    await doing(driver, Doing.READY)
    assert await still_waits(ended)
    agent.say(count="13")
    await ended


async def test_an_end_that_nothing_proves_is_left_to_a_person(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()
    ended = begin(driver.ended())
    await _past_settling()

    agent.say(exec="READY")
    await until(lambda: "does not say how" in driver.status().why)
    await _past_settling()
    assert not ended.done()
    agent.say(count="13")  # too late to be this part's for certain
    await until(lambda: driver.status().parts == 13)
    assert await still_waits(ended)
    ended.cancel()


@pytest.mark.parametrize("stop", ["STOPPED", "INTERRUPTED", "FEED_HOLD"])
async def test_a_program_that_is_stopped_and_reset_fails(
    agent: FakeAgent, driver: MTConnect, stop: str
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()

    ended = begin(driver.ended())
    agent.fault("spindle overload", "SP9031")
    agent.say(exec=stop)
    await doing(driver, Doing.ALARM)
    assert driver.status().why == "spindle overload (SP9031)"
    assert not ended.done()
    agent.say(exec="READY")

    with pytest.raises(RunFailed, match="spindle overload") as failed:
        await ended
    assert failed.value.alarm


@pytest.mark.parametrize(
    ("execution", "words"),
    [
        ("FEED_HOLD", "feed hold"),
        ("INTERRUPTED", "interrupted"),
        ("PROGRAM_STOPPED", "program stop (M0)"),
        ("OPTIONAL_STOP", "optional stop (M1)"),
    ],
)
async def test_a_hold_is_seen_and_is_no_end(
    agent: FakeAgent, driver: MTConnect, execution: str, words: str
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()
    ended = begin(driver.ended())

    agent.say(exec=execution)
    await doing(driver, Doing.HELD)
    assert driver.status().why == words
    assert await still_waits(ended)
    agent.say(exec="ACTIVE")
    await doing(driver, Doing.RUNNING)
    agent.say(exec="PROGRAM_COMPLETED")
    await ended


async def test_nothing_can_be_asked_of_the_machine(agent: FakeAgent, driver: MTConnect) -> None:
    await driver.connect()
    assert not any((driver.abilities.starts, driver.abilities.holds, driver.abilities.aborts))
    for call in (driver.hold, driver.resume):
        with pytest.raises(Conflict, match="use its own panel"):
            await call()
    agent.fault("coolant low", "C1")
    await doing(driver, Doing.ALARM)
    with pytest.raises(Conflict, match=r"coolant low \(C1\)"):
        await driver.unlock()
    agent.normal()
    await doing(driver, Doing.READY)
    await driver.unlock()


async def test_giving_up_a_run_ends_it_here_and_tells_the_machine_nothing(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()
    ended = begin(driver.ended())

    await driver.abort()
    with pytest.raises(RunAborted):
        await ended
    assert driver.status().doing is Doing.RUNNING


async def test_another_program_never_counts(agent: FakeAgent, driver: MTConnect) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    started = begin(driver.start())

    agent.say(exec="ACTIVE", pgm="OTHER.NC")
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    agent.say(exec="READY")
    await until(lambda: driver.status().parts == 13)
    assert await still_waits(started)
    started.cancel()


async def test_a_machine_that_names_no_program_waits_for_a_person(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    started = begin(driver.start())
    agent.say(exec="ACTIVE")
    await doing(driver, Doing.RUNNING)
    assert await still_waits(started)
    started.cancel()

    ended = begin(driver.ended())  # a person said that it was started
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await until(lambda: driver.status().parts == 13)
    assert await still_waits(ended)
    ended.cancel()


async def test_what_ran_before_the_order_is_not_its_begin_but_a_person_may_say_so(
    agent: FakeAgent, driver: MTConnect
) -> None:
    agent.say(exec="ACTIVE", pgm=PROGRAM)
    await driver.connect()
    await driver.load(order(), 1)
    started = begin(driver.start())
    assert await still_waits(started)
    started.cancel()

    ended = begin(driver.ended())
    assert await still_waits(ended)
    agent.say(exec="PROGRAM_COMPLETED")
    await ended


async def test_the_next_part_may_have_begun_before_it_is_ordered(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(parts=2), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()
    agent.say(exec="PROGRAM_COMPLETED")
    await driver.ended()
    agent.say(exec="ACTIVE")
    await doing(driver, Doing.RUNNING)

    await driver.load(order(parts=2), 2)
    await driver.start()
    agent.say(exec="PROGRAM_COMPLETED")
    await driver.ended()


async def test_a_part_made_while_nobody_asked_for_it_is_the_next_one(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(parts=2), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()
    agent.say(exec="PROGRAM_COMPLETED")
    agent.say(exec="ACTIVE")
    agent.say(exec="PROGRAM_COMPLETED")
    agent.say(exec="READY")
    await driver.ended()
    await driver.load(order(parts=2), 2)
    await driver.start()
    await driver.ended()


async def test_a_lost_connection_is_said_and_what_was_missed_is_caught_up(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()
    ended = begin(driver.ended())

    await agent.down()
    with pytest.raises(Unavailable):
        await ended
    assert driver.status().doing is Doing.UNREACHABLE
    with pytest.raises(Unavailable, match="nobody answers"):
        await driver.connect()
    with pytest.raises(Unavailable):
        await driver.look(order())

    agent.say(exec="PROGRAM_COMPLETED", count="13")
    agent.say(exec="READY")
    await agent.up()
    await driver.connect()
    assert (await driver.look(order())).finding is Finding.FINISHED
    await driver.ended()


async def test_a_restarted_agent_is_asked_anew_and_a_run_that_goes_on_is_taken_up(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()

    await agent.restart()
    await doing(driver, Doing.UNREACHABLE)
    await driver.connect()
    assert (await driver.look(order())).finding is Finding.UNDER_WAY
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await driver.ended()


async def test_what_a_restarted_agent_has_not_seen_proves_nothing(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()

    await agent.down()
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await agent.restart()
    await driver.connect()
    found = await driver.look(order())
    assert found.finding is Finding.STOPPED
    assert "part counter at 13 (at its begin 12)" in found.words


async def test_a_new_instance_in_mid_stream_is_noticed(agent: FakeAgent, driver: MTConnect) -> None:
    await driver.connect()
    agent.instance += 1
    agent.say(exec="ACTIVE", pgm=PROGRAM)
    await until(lambda: agent.streams == 2)
    assert driver.status().program == PROGRAM
    agent.say(exec="FEED_HOLD")
    await doing(driver, Doing.HELD)


async def test_a_driver_that_fell_behind_the_buffer_goes_on_from_the_present() -> None:
    async with FakeAgent(buffer=110) as agent:
        agent.ready()
        driver = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S)
        await driver.connect()
        await driver.close()
        for line in range(200):
            agent.say(line=str(line))
        agent.say(exec="ACTIVE", pgm=PROGRAM)

        await driver.connect()
        assert driver.status().doing is Doing.RUNNING
        assert driver.status().line == 199
        agent.say(exec="FEED_HOLD")
        await doing(driver, Doing.HELD)
        await driver.close()


async def test_a_stream_overtaken_by_the_buffer_is_put_right() -> None:
    async with FakeAgent(buffer=110) as agent:
        agent.ready()
        agent.ends_after = 1
        driver = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S)
        await driver.connect()
        agent.silent = True
        for line in range(200):
            agent.say(line=str(line))
        agent.silent = False
        await until(lambda: driver.status().line == 199)
        await driver.close()


async def test_unavailable_is_a_value_of_everything(agent: FakeAgent, driver: MTConnect) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()
    ended = begin(driver.ended())

    agent.say(**dict.fromkeys(("exec", "pgm", "count", "pos", "feed", "avail"), "UNAVAILABLE"))
    with pytest.raises(Unavailable, match="no word from the machine"):
        await ended
    status = driver.status()
    assert (status.doing, status.program, status.parts) == (Doing.UNREACHABLE, "", None)

    agent.say(avail="AVAILABLE", pgm=PROGRAM, count="12", exec="ACTIVE")
    await doing(driver, Doing.RUNNING)
    assert (await driver.look(order())).finding is Finding.UNDER_WAY


async def test_a_heartbeat_that_stays_out_is_a_lost_connection(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()
    agent.silent = True

    with pytest.raises(Unavailable, match="has said nothing for"):
        await driver.ended()
    assert driver.status().doing is Doing.UNREACHABLE


async def test_heartbeats_alone_keep_a_connection(agent: FakeAgent, driver: MTConnect) -> None:
    seen: list[Status] = []
    await driver.connect()
    driver.listen(seen.append)
    talk = len(driver.traffic())
    agent.ends_after = 8  # heartbeats: 1.6 s, three times the patience
    before = agent.streams
    await until(lambda: agent.streams > before + 1)
    assert seen == []
    assert len(driver.traffic()) - talk <= 4


@pytest.mark.parametrize("version", ["1.1", "1.8", "2.4"])
async def test_any_version_of_the_namespace_is_read(version: str) -> None:
    async with FakeAgent(version=version) as agent:
        agent.ready(program="A")
        driver = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S)
        identity = await driver.connect()
        assert identity.controller.endswith(version)
        assert driver.status().program == "A"
        await driver.close()


@pytest.mark.parametrize("tidy", [False, True])
async def test_parts_of_a_stream_are_read_as_agents_send_them_and_as_they_should(
    tidy: bool,
) -> None:
    async with FakeAgent(tidy=tidy) as agent:
        agent.ready()
        driver = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S)
        await driver.connect()
        for execution, expected in (("ACTIVE", Doing.RUNNING), ("FEED_HOLD", Doing.HELD)):
            agent.say(exec=execution)
            await doing(driver, expected)
        await driver.close()


async def test_a_device_that_is_not_there_is_said_in_plain_words(agent: FakeAgent) -> None:
    driver = MTConnect(agent.url, "LATHE-9")
    with pytest.raises(Unavailable, match="no device called 'LATHE-9'"):
        await driver.connect()
    assert "LATHE-9" in driver.status().why


async def test_of_several_devices_one_has_to_be_named() -> None:
    async with FakeAgent(devices=("MILL-1", "MILL-2")) as agent:
        agent.ready()
        with pytest.raises(Unavailable, match="name one in the settings: MILL-1, MILL-2"):
            await MTConnect(agent.url).connect()
        driver = MTConnect(agent.url, "MILL-2")
        assert ("Device", "MILL-2") in (await driver.connect()).details
        await driver.close()


async def test_rubbish_in_place_of_xml_is_no_agent(agent: FakeAgent, driver: MTConnect) -> None:
    agent.rubbish = b"<html><body>It works!<br></body></html>"
    with pytest.raises(Unavailable, match="is no MTConnect agent"):
        await driver.connect()
    await driver.connect()
    assert driver.status().doing is Doing.READY


async def test_rubbish_in_the_stream_ends_the_connection(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    agent.rubbish = b"<MTConnectStreams><Header"
    agent.say(exec="ACTIVE")
    await until(lambda: "can't be read" in driver.status().why)
    await driver.connect()
    await doing(driver, Doing.RUNNING)


async def test_a_part_cut_in_half_is_a_lost_connection_and_nothing_is_missed_after(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.start()
    agent.cut_next = True
    agent.say(exec="PROGRAM_COMPLETED")
    with pytest.raises(Unavailable):
        await driver.ended()
    await driver.connect()
    await driver.ended()


async def test_waiting_for_the_begin_outlives_the_connection(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    started = begin(driver.start())
    await agent.down()
    await doing(driver, Doing.UNREACHABLE)
    assert await still_waits(started)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await agent.up()
    await started
    assert driver.status().doing is Doing.RUNNING


async def test_a_run_that_a_person_vouched_for_goes_on_after_a_lost_connection(
    agent: FakeAgent, driver: MTConnect
) -> None:
    agent.say(exec="ACTIVE")
    await driver.connect()
    await driver.load(order(), 1)
    ended = begin(driver.ended())  # nobody saw it begin, a person said so
    await agent.restart()
    with pytest.raises(Unavailable):
        await ended
    await driver.connect()
    assert (await driver.look(order())).finding is Finding.UNDER_WAY
    agent.say(exec="READY")
    await doing(driver, Doing.READY)
    assert (await driver.look(order())).finding is Finding.STOPPED


async def test_after_a_restart_of_the_station_only_a_program_that_still_runs_goes_on(
    agent: FakeAgent, driver: MTConnect
) -> None:
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await driver.connect()
    assert (await driver.look(order(name="other.nc"))).finding is Finding.STOPPED
    assert (await driver.look(order())).finding is Finding.UNDER_WAY
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await driver.ended()

    found = await driver.look(order(run_id=8))
    assert found.finding is Finding.STOPPED
    assert (
        found.words == "The machine says: program completed, program plate.nc, part counter at 13."
    )


async def test_manual_mode_and_emergency_stop_are_not_ready(
    agent: FakeAgent, driver: MTConnect
) -> None:
    await driver.connect()
    agent.say(mode="MANUAL")
    await doing(driver, Doing.NOT_READY)
    assert driver.status().why == "in manual mode"
    agent.say(estop="TRIGGERED")
    await doing(driver, Doing.ALARM)
    assert driver.status().why == "emergency stop"
    await driver.load(order(), 1)  # it is set up at its panel: that is no reason to refuse


async def test_closing_ends_what_waits_and_may_be_repeated(driver: MTConnect) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    started = begin(driver.start())
    assert await still_waits(started)
    await driver.close()
    await driver.close()
    with pytest.raises(Unavailable):
        await started


def test_settings_that_cannot_work_are_refused_with_a_sentence() -> None:
    for url in ("", "ftp://mill", "http://"):
        with pytest.raises(ValueError, match="like http"):
            KIND.make({"url": url})
    with pytest.raises(ValueError, match="number of seconds"):
        KIND.make({"url": "mill:5000", "heartbeat": "often"})
    with pytest.raises(ValueError, match=r"from 0\.1 to 60"):
        KIND.make({"url": "mill:5000", "heartbeat": "0.01"})
    KIND.make({"url": "mill:5000"})


async def _past_settling() -> None:
    """From now on what is counted can only be of what runs now."""
    await asyncio.sleep(SETTLE_S * 1.2)
