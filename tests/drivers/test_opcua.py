"""The OPC UA driver against node-opcua with the OPC Foundation's own model of machine tools."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers.base import RunAborted, RunFailed, RunOutcome
from cnc_station.engine.drivers.opcua import KIND, OpcUa
from cnc_station.engine.drivers.opcua.picture import WATCHED, Alert, Picture, Value
from cnc_station.engine.views import Doing, Status
from cnc_station.peers.limits import LONGEST_SENTENCE, OPCUA
from tests.drivers.opcua_machines import OpcUaServer
from tests.drivers.watched import PROGRAM, begin, doing, order, still_waits
from tests.peers.watching import going_on, is_sentence
from tests.until import until

SETTLE_S = 0.5

pytestmark = pytest.mark.xdist_group("opcua")


@pytest.fixture
def server(opcua_server: OpcUaServer) -> OpcUaServer:
    return opcua_server


@pytest.fixture
async def driver(server: OpcUaServer) -> AsyncIterator[OpcUa]:
    driver = OpcUa(server.url, settle_s=SETTLE_S)
    yield driver
    await driver.close()


async def _running(server: OpcUaServer, driver: OpcUa) -> asyncio.Task[None]:
    """Begin the ordered program at the machine. Return the task that waits for its end."""
    await driver.connect()
    await driver.load(order(), 1)
    started = begin(driver.start())
    server.do("program", PROGRAM)
    server.do("state", "Running")
    await started
    return begin(driver.ended())


async def test_a_part_from_the_panel(server: OpcUaServer, driver: OpcUa) -> None:
    server.do("program", "OTHER.NC")
    server.do("parts", 12)
    server.do("override", 80)
    identity = await driver.connect()
    assert identity.controller == "OPC UA for Machine Tools"
    assert identity.details == (
        ("Machine", "MILL-1"),
        ("Maker", "Acme"),
        ("Serial number", "4711"),
    )
    assert driver.status() == Status(Doing.READY, program="OTHER.NC", feed_override=0.8, parts=12)

    await driver.load(order(), 1)
    started = begin(driver.start())
    assert await still_waits(started)
    server.do("program", "PLATE")
    server.do("state", "Running")
    await started
    assert driver.status().doing is Doing.RUNNING

    ended = begin(driver.ended())
    server.do("state", "Interrupted")
    await doing(driver, Doing.HELD)
    assert driver.status().why == "interrupted"
    assert await still_waits(ended)
    server.do("state", "Running")
    await doing(driver, Doing.RUNNING)
    server.do("parts", 13)
    server.do("state", "Ended")
    await ended
    await until(lambda: driver.status().parts == 13)
    assert (await driver.inspect_run(order())).outcome is RunOutcome.FINISHED
    assert any("Running" in message.text or "state" in message.text for message in driver.traffic())


async def test_an_aborted_program_fails_with_the_text_of_the_alarm(
    server: OpcUaServer, driver: OpcUa
) -> None:
    ended = await _running(server, driver)
    server.do("alarm", "Spindle too hot", "S700")
    await until(lambda: driver.status().why == "Spindle too hot (S700)")
    assert driver.status().doing is Doing.RUNNING
    server.do("state", "Aborted")
    await doing(driver, Doing.ALARM)
    with pytest.raises(RunFailed, match="Spindle too hot") as failed:
        await ended
    assert failed.value.alarm
    with pytest.raises(Conflict, match="Spindle too hot"):
        await driver.unlock()

    server.do("clear", "S700")
    await doing(driver, Doing.READY)
    await driver.unlock()


async def test_an_alarm_from_before_the_connection_is_reported(
    server: OpcUaServer, driver: OpcUa
) -> None:
    server.do("alarm", "No air", "A1")
    server.do("alarm", "Door open", "D1")
    await driver.connect()
    await until(lambda: driver.status().why == "No air (A1); Door open (D1)")
    server.do("clear", "A1")
    await until(lambda: driver.status().why == "Door open (D1)")


async def test_modes_without_programs_are_not_ready(server: OpcUaServer, driver: OpcUa) -> None:
    await driver.connect()
    server.do("mode", "Manual")
    await until(lambda: driver.status().why == "in manual mode")
    assert driver.status().doing is Doing.NOT_READY
    server.do("mode", "Automatic")
    await doing(driver, Doing.READY)
    server.do("itemState", "OutOfService")
    await until(lambda: driver.status().why == "out of service")
    server.do("itemState", "NotAvailable")
    await doing(driver, Doing.UNREACHABLE)


async def test_every_command_is_refused_and_releasing_ends_only_this_run(
    server: OpcUaServer, driver: OpcUa
) -> None:
    ended = await _running(server, driver)
    for call in (driver.hold, driver.resume):
        with pytest.raises(Conflict, match="use its own panel"):
            await call()
    await driver.abort()
    with pytest.raises(RunAborted):
        await ended
    assert driver.status().doing is Doing.RUNNING


async def test_values_of_bad_quality_are_ignored(server: OpcUaServer, driver: OpcUa) -> None:
    ended = await _running(server, driver)
    server.do("silent", "production.activeProgram.name", True)
    await until(lambda: driver.status().program == "")
    assert await still_waits(ended)
    server.do("silent", "production.activeProgram.state.currentState.number", True)
    with pytest.raises(Unavailable, match="no data from the machine"):
        await ended
    server.do("silent", "production.activeProgram.state.currentState.number", False)
    server.do("silent", "production.activeProgram.name", False)
    await until(lambda: driver.status().program == PROGRAM)
    assert (await driver.inspect_run(order())).outcome is RunOutcome.UNDER_WAY


async def test_a_server_that_restarts_with_other_namespaces_is_found_again(
    opcua_folder: Path,
) -> None:
    # Another version of the model, and other indexes for the namespaces.
    with OpcUaServer(opcua_folder, version="1.01", order="other") as server:
        driver = OpcUa(server.url, settle_s=SETTLE_S)
        ended = await _running(server, driver)
        server.shut_down()
        with pytest.raises(Unavailable):
            await ended
        assert driver.status().doing is Doing.UNREACHABLE
        with pytest.raises(Unavailable, match="does not answer"):
            await driver.connect()

        server.up(version="1.02", order="usual")
        server.do("program", PROGRAM)
        server.do("state", "Running")
        await driver.connect()
        assert (await driver.inspect_run(order())).outcome is RunOutcome.UNDER_WAY
        ended = begin(driver.ended())
        server.do("alarm", "Spindle too hot", "S700")
        await until(lambda: driver.status().why == "Spindle too hot (S700)")
        server.do("clear", "S700")
        server.do("state", "Ended")
        await ended
        await driver.close()


async def test_an_end_without_a_connection_proves_nothing(
    server: OpcUaServer, driver: OpcUa
) -> None:
    ended = await _running(server, driver)
    await driver.close()
    with pytest.raises(Unavailable):
        await ended
    server.do("parts", 1)
    server.do("state", "Ended")
    await driver.connect()
    found = await driver.inspect_run(order())
    assert found.outcome is RunOutcome.STOPPED
    assert (
        found.detail
        == "The machine reports: ended, program plate.nc, part counter at 1 (0 at the begin)."
    )


async def test_a_server_that_falls_silent_is_lost(server: OpcUaServer, driver: OpcUa) -> None:
    await driver.connect()
    await driver.load(order(), 1)
    ended = begin(driver.ended())
    server.freeze()
    try:
        with pytest.raises(Unavailable, match="no longer answers"):
            await asyncio.wait_for(ended, 40)
        assert driver.status().doing is Doing.UNREACHABLE
        await driver.close()
    finally:
        server.thaw()
    await driver.connect()
    assert driver.status().doing is Doing.READY


async def test_the_heaviest_alarms_are_shown_and_heavier_ones_end_the_connection(
    server: OpcUaServer, driver: OpcUa
) -> None:
    async with going_on(30):
        await driver.connect()
        server.do("alarm", "x" * (OPCUA.bytes // 2 - 8_000), "A")
        await until(lambda: driver.status().doing is Doing.ALARM)
        assert len(driver.status().why) <= LONGEST_SENTENCE
        ended = begin(driver.ended())
        server.do("alarm", "x" * (OPCUA.bytes + 8_000), "B")
        await until(lambda: driver.status().doing is Doing.UNREACHABLE)
        ended.cancel()
    assert is_sentence(driver.status().why)


async def test_of_several_machines_one_has_to_be_named(opcua_folder: Path) -> None:
    with OpcUaServer(opcua_folder, machines=["MILL-1", "LATHE-2"]) as server:
        with pytest.raises(Unavailable, match="name one in the settings: MILL-1, LATHE-2"):
            await OpcUa(server.url).connect()
        with pytest.raises(Unavailable, match="no machine called 'DRILL'; it has MILL-1, LATHE-2"):
            await OpcUa(server.url, "DRILL").connect()
        driver = OpcUa(server.url, "LATHE-2")
        await driver.connect()
        server.do("alarm", "Not mine", "X1", machine="MILL-1")
        server.do("state", "Running", machine="LATHE-2")
        await doing(driver, Doing.RUNNING)
        assert driver.status() == Status(Doing.RUNNING, feed_override=1.0, parts=0)
        await driver.close()


async def test_a_machine_with_only_the_mandatory_nodes_can_be_used(
    opcua_folder: Path,
) -> None:
    """Its alarms too, which it reports by the node of the server."""
    with OpcUaServer(opcua_folder, bare=True) as server:
        server.do("alarm", "Door open", "D1")
        driver = OpcUa(server.url, settle_s=SETTLE_S)
        await driver.connect()
        await until(lambda: driver.status().why == "Door open (D1)")
        server.do("clear", "D1")
        await doing(driver, Doing.READY)
        assert driver.status() == Status(Doing.READY)
        await driver.load(order(), 1)
        server.do("program", PROGRAM)
        server.do("state", "Running")
        await driver.start()
        server.do("state", "Ended")
        await driver.ended()
        await driver.close()


async def test_no_server_and_another_kind_of_server_are_reported() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    web = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = web.sockets[0].getsockname()[1]
    with pytest.raises(Unavailable):
        await OpcUa(f"opc.tcp://127.0.0.1:{port}").connect()
    web.close()
    await web.wait_closed()
    with pytest.raises(Unavailable, match="does not answer"):
        await OpcUa(f"opc.tcp://127.0.0.1:{port}").connect()


@given(
    st.lists(
        st.builds(
            Value,
            st.sampled_from([*WATCHED]),
            st.none()
            | st.booleans()
            | st.integers(-1, 6000)
            | st.floats()
            | st.text(max_size=5)
            | st.sampled_from([0, 1, 2, 3, 4, 5004, 5005]),
        )
        | st.builds(
            Alert,
            st.sampled_from("ab"),
            st.text(max_size=5),
            st.text(max_size=3),
            st.booleans(),
        ),
        max_size=25,
    )
)
@example([Value("parts", False), Value("parts", 0)])
def test_any_values_of_a_server_give_a_state(news: list[Value | Alert]) -> None:
    picture = Picture()
    for one in news:
        before = picture.report()
        changed = picture.take(one)
        assert changed or picture.report() == before
    assert picture.report().status().doing in Doing


def test_invalid_settings_are_refused_with_a_sentence() -> None:
    for url in ("", "http://mill:4840", "opc.tcp://"):
        with pytest.raises(ValueError, match=r"like opc\.tcp"):
            KIND.make({"url": url})
    KIND.make({"url": "mill:4840"})
