"""The MTConnect driver and its agent: lost, restarted, overrun, silent, or sending garbage."""

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import RunOutcome
from cnc_station.engine.drivers.mtconnect import MTConnect
from cnc_station.engine.views import Doing, Status
from tests.drivers.mtconnect_agent import FakeAgent
from tests.drivers.watched import HEARTBEAT_S, PROGRAM, begin, doing, order, still_waits
from tests.until import until

OFTEN_S = 1.0


async def test_a_lost_connection_is_reported_and_missed_observations_are_read_later(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()
    ended = begin(watcher.ended())

    await agent.down()
    with pytest.raises(Unavailable):
        await ended
    assert watcher.status().doing is Doing.UNREACHABLE
    with pytest.raises(Unavailable, match="does not answer"):
        await watcher.connect()
    with pytest.raises(Unavailable):
        await watcher.inspect_run(order())

    agent.say(exec="PROGRAM_COMPLETED", count="13")
    agent.say(exec="READY")
    await agent.up()
    await watcher.connect()
    assert (await watcher.inspect_run(order())).outcome is RunOutcome.FINISHED
    await watcher.ended()


async def test_a_restarted_agent_is_read_again_and_a_running_program_is_reattached(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()

    await agent.restart()
    await doing(watcher, Doing.UNREACHABLE)
    await watcher.connect()
    assert (await watcher.inspect_run(order())).outcome is RunOutcome.UNDER_WAY
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await watcher.ended()


async def test_what_a_restarted_agent_has_not_seen_proves_nothing(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()

    await agent.down()
    agent.say(exec="PROGRAM_COMPLETED", count="13")
    await agent.restart()
    await watcher.connect()
    found = await watcher.inspect_run(order())
    assert found.outcome is RunOutcome.STOPPED
    assert "part counter at 13 (12 at the begin)" in found.detail


async def test_a_new_instance_in_mid_stream_is_noticed(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    agent.instance += 1
    agent.say(exec="ACTIVE", pgm=PROGRAM)
    await until(lambda: agent.streams == 2)
    assert watcher.status().program == PROGRAM
    agent.say(exec="FEED_HOLD")
    await doing(watcher, Doing.HELD)


async def test_a_driver_behind_the_buffer_continues_from_the_present_state() -> None:
    async with FakeAgent(buffer=110) as agent:
        agent.ready()
        watcher = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S)
        await watcher.connect()
        await watcher.close()
        for line in range(200):
            agent.say(line=str(line))
        agent.say(exec="ACTIVE", pgm=PROGRAM)

        await watcher.connect()
        assert watcher.status().doing is Doing.RUNNING
        assert watcher.status().line == 199
        agent.say(exec="FEED_HOLD")
        await doing(watcher, Doing.HELD)
        await watcher.close()


async def test_a_stream_behind_the_buffer_recovers() -> None:
    async with FakeAgent(buffer=110) as agent:
        agent.ready()
        agent.ends_after = 1
        watcher = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S)
        await watcher.connect()
        agent.silent = True
        for line in range(200):
            agent.say(line=str(line))
        agent.silent = False
        await until(lambda: watcher.status().line == 199)
        await watcher.close()


async def test_any_value_may_be_unavailable(agent: FakeAgent, watcher: MTConnect) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()
    ended = begin(watcher.ended())

    agent.say(**dict.fromkeys(("exec", "pgm", "count", "pos", "feed", "avail"), "UNAVAILABLE"))
    with pytest.raises(Unavailable, match="no data from the machine"):
        await ended
    status = watcher.status()
    assert (status.doing, status.program, status.parts) == (Doing.UNREACHABLE, "", None)

    agent.say(avail="AVAILABLE", pgm=PROGRAM, count="12", exec="ACTIVE")
    await doing(watcher, Doing.RUNNING)
    assert (await watcher.inspect_run(order())).outcome is RunOutcome.UNDER_WAY


async def test_a_missing_heartbeat_is_a_lost_connection(agent: FakeAgent) -> None:
    watcher = MTConnect(agent.url, heartbeat_s=OFTEN_S)
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()
    agent.silent = True

    with pytest.raises(Unavailable, match="has not answered for"):
        await watcher.ended()
    assert watcher.status().doing is Doing.UNREACHABLE
    await watcher.close()


async def test_heartbeats_alone_keep_a_connection(agent: FakeAgent) -> None:
    seen: list[Status] = []
    watcher = MTConnect(agent.url, heartbeat_s=OFTEN_S)
    await watcher.connect()
    watcher.subscribe(seen.append)
    talk = len(watcher.traffic())
    agent.ends_after = 5  # heartbeats, twice the patience
    before = agent.streams
    await until(lambda: agent.streams > before + 1)
    assert seen == []
    assert len(watcher.traffic()) - talk <= 4
    await watcher.close()


@pytest.mark.parametrize("version", ["1.1", "1.8", "2.4"])
async def test_any_version_of_the_namespace_is_read(version: str) -> None:
    async with FakeAgent(version=version) as agent:
        agent.ready(program="A")
        watcher = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S)
        identity = await watcher.connect()
        assert identity.controller.endswith(version)
        assert watcher.status().program == "A"
        await watcher.close()


@pytest.mark.parametrize("tidy", [False, True])
async def test_parts_of_a_stream_are_read_as_agents_send_them_and_as_they_should(
    tidy: bool,
) -> None:
    async with FakeAgent(tidy=tidy) as agent:
        agent.ready()
        watcher = MTConnect(agent.url, heartbeat_s=HEARTBEAT_S)
        await watcher.connect()
        for execution, expected in (("ACTIVE", Doing.RUNNING), ("FEED_HOLD", Doing.HELD)):
            agent.say(exec=execution)
            await doing(watcher, expected)
        await watcher.close()


async def test_a_missing_device_is_reported_in_plain_words(agent: FakeAgent) -> None:
    watcher = MTConnect(agent.url, "LATHE-9")
    with pytest.raises(Unavailable, match="no device called 'LATHE-9'"):
        await watcher.connect()
    assert "LATHE-9" in watcher.status().why


async def test_of_several_devices_one_has_to_be_named() -> None:
    async with FakeAgent(devices=("MILL-1", "MILL-2")) as agent:
        agent.ready()
        with pytest.raises(Unavailable, match="name one in the settings: MILL-1, MILL-2"):
            await MTConnect(agent.url).connect()
        watcher = MTConnect(agent.url, "MILL-2")
        assert ("Device", "MILL-2") in (await watcher.connect()).details
        await watcher.close()


async def test_garbage_in_place_of_xml_is_not_an_agent(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    agent.rubbish = b"<html><body>It works!<br></body></html>"
    with pytest.raises(Unavailable, match="is not an MTConnect agent"):
        await watcher.connect()
    await watcher.connect()
    assert watcher.status().doing is Doing.READY


async def test_garbage_in_the_stream_ends_the_connection(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    agent.rubbish = b"<MTConnectStreams><Header"
    agent.say(exec="ACTIVE")
    await until(lambda: "can't be read" in watcher.status().why)
    await watcher.connect()
    await doing(watcher, Doing.RUNNING)


async def test_half_a_stream_part_is_a_lost_connection_and_nothing_is_missed_after(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await watcher.start()
    agent.cut_next = True
    agent.say(exec="PROGRAM_COMPLETED")
    with pytest.raises(Unavailable):
        await watcher.ended()
    await watcher.connect()
    await watcher.ended()


async def test_waiting_for_the_begin_outlives_the_connection(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    await watcher.connect()
    await watcher.load(order(), 1)
    started = begin(watcher.start())
    await agent.down()
    await doing(watcher, Doing.UNREACHABLE)
    assert await still_waits(started)
    agent.say(pgm=PROGRAM, exec="ACTIVE")
    await agent.up()
    await started
    assert watcher.status().doing is Doing.RUNNING


async def test_a_run_confirmed_by_a_person_continues_after_a_lost_connection(
    agent: FakeAgent, watcher: MTConnect
) -> None:
    agent.say(exec="ACTIVE")
    await watcher.connect()
    await watcher.load(order(), 1)
    ended = begin(watcher.ended())  # its begin was not seen, a person confirmed it
    await agent.restart()
    with pytest.raises(Unavailable):
        await ended
    await watcher.connect()
    assert (await watcher.inspect_run(order())).outcome is RunOutcome.UNDER_WAY
    agent.say(exec="READY")
    await doing(watcher, Doing.READY)
    assert (await watcher.inspect_run(order())).outcome is RunOutcome.STOPPED
