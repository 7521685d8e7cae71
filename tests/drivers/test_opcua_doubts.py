"""The OPC UA driver: modes in which no part is cut, and channels that are still in a program."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cnc_station.engine.drivers.opcua import OpcUa
from cnc_station.engine.views import Doing
from tests.drivers.opcua_machines import OpcUaServer
from tests.drivers.watched import PROGRAM, begin, doing, order, still_waits
from tests.until import until

SETTLE_S = 30.0  # on a busy computer nothing counts as late

pytestmark = pytest.mark.xdist_group("opcua")


@pytest.fixture
def server(opcua_server: OpcUaServer) -> OpcUaServer:
    return opcua_server


@pytest.fixture
async def driver(server: OpcUaServer) -> AsyncIterator[OpcUa]:
    """A connected driver with an order."""
    driver = OpcUa(server.url, settle_s=SETTLE_S)
    await driver.connect()
    await driver.load(order(), 1)
    server.do("program", PROGRAM)
    await until(lambda: driver.status().program == PROGRAM)
    yield driver
    await driver.close()


async def _left_open(driver: OpcUa, ended: asyncio.Task[None], words: str) -> None:
    await until(lambda: driver.status().remedy == "Confirm whether the part is done.")
    assert words in driver.status().why
    assert await still_waits(ended)
    ended.cancel()


@pytest.mark.parametrize(
    ("mode", "words"),
    [("Manual", "manual mode"), ("Setup", "set-up mode"), ("Service", "service mode")],
)
async def test_what_runs_in_a_mode_without_programs_is_not_the_begin(
    server: OpcUaServer, driver: OpcUa, mode: str, words: str
) -> None:
    started = begin(driver.start())
    server.do("mode", mode)
    await until(lambda: driver.status().why.startswith(f"in {words}"))
    server.do("state", "Running")
    await until(lambda: f"is selected, but the machine is in {words}" in driver.status().why)
    server.do("parts", 1)
    server.do("state", "Ended")
    await until(lambda: driver.status().parts == 1 and driver.status().doing is Doing.NOT_READY)
    assert await still_waits(started)

    server.do("mode", "Automatic")
    await doing(driver, Doing.READY)
    server.do("state", "Running")
    await started
    ended = begin(driver.ended())
    server.do("state", "Ended")
    await ended


@pytest.mark.parametrize(
    ("command", "on", "off", "words"),
    [
        ("mode", "Setup", "Automatic", "ran in set-up mode"),
        ("mode", "Service", "Automatic", "ran in service mode"),
        ("mode", "Other", "Automatic", "ran in a mode without a name"),
        ("purpose", "Setup", "Processing", "the machine was being set up"),
        ("purpose", "Maintenance", "Processing", "the machine was in maintenance"),
        ("itemState", "OutOfService", "Executing", "the machine was out of service"),
    ],
)
async def test_a_doubt_in_the_middle_of_a_run_is_not_forgotten_at_its_end(
    server: OpcUaServer, driver: OpcUa, command: str, on: str, off: str, words: str
) -> None:
    server.do("state", "Running")
    await driver.start()
    ended = begin(driver.ended())
    server.do(command, on)
    await until(lambda: "a person has to decide" in driver.status().why)
    server.do(command, off)
    server.do("state", "Ended")
    await _left_open(driver, ended, words)


async def test_a_mode_that_becomes_unavailable_is_a_doubt(
    server: OpcUaServer, driver: OpcUa
) -> None:
    server.do("state", "Running")
    await driver.start()
    ended = begin(driver.ended())
    server.do("silent", "monitoring.machineTool.operationMode", True)
    await until(lambda: "did not report its mode" in driver.status().why)
    server.do("silent", "monitoring.machineTool.operationMode", False)
    server.do("state", "Ended")
    await _left_open(driver, ended, "did not report its mode")


async def test_a_part_is_done_when_the_last_channel_has_ended(
    opcua_folder: Path,
) -> None:
    with OpcUaServer(opcua_folder, channels=["ch1", "ch2"]) as server:
        driver = OpcUa(server.url, settle_s=SETTLE_S)
        await driver.connect()
        await driver.load(order(), 1)
        started = begin(driver.start())
        server.do("program", PROGRAM)
        await until(lambda: driver.status().program == PROGRAM)
        # Moved by hand, it is not in a program. In a program, it is not the ordered one.
        server.do("channelMode", "ch2", "JogManual")
        server.do("channel", "ch2", "Active")
        server.do("parts", 1)
        await until(lambda: driver.status().parts == 1)
        assert driver.status().doing is Doing.READY
        server.do("channelMode", "ch2", "Automatic")
        await doing(driver, Doing.RUNNING)
        assert await still_waits(started)
        server.do("channel", "ch2", "Reset")
        await doing(driver, Doing.READY)

        server.do("channel", "ch1", "Active")
        server.do("channel", "ch2", "Active")
        await doing(driver, Doing.RUNNING)
        server.do("channel", "ch1", "Reset")
        server.do("channel", "ch2", "Reset")
        await doing(driver, Doing.READY)
        server.do("state", "Running")
        await started
        ended = begin(driver.ended())
        server.do("channel", "ch2", "Interrupted")
        server.do("parts", 2)
        await until(lambda: driver.status().parts == 2)
        server.do("state", "Ended")
        await until(lambda: driver.status().why == "channel ch2: held")
        assert await still_waits(ended)
        server.do("channel", "ch2", "Reset")
        await ended

        await driver.close()


@pytest.mark.parametrize(
    ("modifier", "words"),
    [
        ("dryRun", "dry run was on"),
        ("testMode", "test mode was on"),
        ("singleStep", "single block was on"),
    ],
)
async def test_a_channel_that_only_tries_its_program_makes_no_part(
    opcua_folder: Path, modifier: str, words: str
) -> None:
    with OpcUaServer(opcua_folder, channels=["ch1"]) as server:
        driver = OpcUa(server.url, settle_s=SETTLE_S)
        await driver.connect()
        await driver.load(order(), 1)
        server.do("program", PROGRAM)
        server.do("channel", "ch1", "Active")
        server.do("state", "Running")
        await driver.start()
        ended = begin(driver.ended())
        server.do("modifier", "ch1", modifier, True)
        await until(lambda: words in driver.status().why)
        server.do("modifier", "ch1", modifier, False)
        server.do("channel", "ch1", "Reset")
        server.do("state", "Ended")
        await _left_open(driver, ended, words)
        await driver.close()
