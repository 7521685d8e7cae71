"""The connection to a real LinuxCNC: made, refused, lost, made again, and its messages."""

import asyncio
import time

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.base import NotReady, RunOutcome
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from cnc_station.engine.views import Doing
from tests import linuxcnc
from tests.drivers.linuxcnc_programs import (
    BLINK,
    SLOW,
    SQUARE,
    STEADY,
    at_line,
    begin,
    cable,
    connected,
    driver_of,
    order_of,
)
from tests.until import at_best

pytestmark = pytest.mark.xdist_group("linuxcnc")


async def test_a_killed_controller_is_unreachable_until_it_is_back(
    mill: linuxcnc.LinuxCnc,
) -> None:
    with mill.panel as panel:
        panel.make_ready()
    async with connected(mill) as driver:
        order = await begin(driver, SLOW)
        await at_line(driver, 5)
        await asyncio.to_thread(mill.kill)
        with pytest.raises(Unavailable):
            await driver.ended()
        assert driver.status().doing is Doing.UNREACHABLE
        for ask in (driver.hold, driver.abort, driver.connect):
            with pytest.raises(Unavailable):
                await ask()
        mill.start()  # in this thread, because the server would end with it
        await driver.connect()
        assert driver.status().doing is Doing.ALARM  # its state after it was switched on
        found = await driver.inspect_run(order)
        assert (found.outcome, found.detail) == (
            RunOutcome.STOPPED,
            "the controller has no program open: it is not of this run",
        )


async def test_a_run_continues_while_the_connection_is_lost_and_is_found_again(
    milling: LinuxCnc,
) -> None:
    await milling.close()
    with cable() as pull_out:
        await milling.connect()
    order = await begin(milling, STEADY)
    pull_out()
    with pytest.raises(Unavailable):
        await milling.ended()
    for ask in (milling.hold, milling.resume, milling.abort):
        with pytest.raises(Unavailable):
            await ask()
    await milling.connect()
    assert (await milling.inspect_run(order)).outcome is RunOutcome.UNDER_WAY
    await milling.ended()


def test_invalid_settings_are_refused_with_a_sentence() -> None:
    good = {"program_folder": "/programs"}
    for wrong, word in (
        ({}, "folder"),
        ({"program_folder": "programs"}, "absolute path"),
        ({"controller_folder": "/my programs"}, "spaces"),
        ({"port": "70000"}, "the port"),
        ({"joints": "0"}, "joints"),
        ({"poll_s": "often"}, "seconds"),
        ({"enable_password": "a b"}, "spaces"),
    ):
        with pytest.raises(ValueError, match=word):
            LinuxCnc.make({**good, **wrong} if wrong else {})


async def test_a_wrong_password_is_named(mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel) -> None:
    stranger = driver_of(mill, connect_password="no")
    with pytest.raises(Unavailable, match="connect password"):
        await stranger.connect()
    powerless = driver_of(mill, enable_password="no")
    await powerless.connect()
    with pytest.raises(NotReady, match="enable password"):
        await powerless.load(order_of(SQUARE), 1)
    await powerless.close()
    assert panel.get("enable") == "ON"


async def test_connecting_changes_nothing_and_returns_the_identity(
    mill: linuxcnc.LinuxCnc, panel: linuxcnc.Panel
) -> None:
    driver = driver_of(mill)
    details = dict((await driver.connect()).details)
    assert (details["Name"], details["Units"]) == ("MILL1", "mm")
    assert driver.status().doing is Doing.READY
    assert panel.get("enable") == "ON"
    await driver.close()
    await driver.close()
    assert driver.status().doing is Doing.UNREACHABLE


async def test_a_snapshot_is_answered_at_once(milling: LinuxCnc) -> None:
    """Twenty questions at once: without a quick acknowledgement each snapshot takes 40 ms
    longer."""

    async def look_s() -> float:
        before = time.monotonic()
        await milling.link.read_snapshot()
        return time.monotonic() - before

    assert await at_best(look_s, 0.02, tries=100) <= 0.02


async def test_the_traffic_contains_the_messages_but_no_password(milling: LinuxCnc) -> None:
    await begin(milling, BLINK)
    await milling.ended()
    said = [message.text for message in milling.traffic()]
    assert said[0] == "hello *** cnc-station 1.0"
    assert said[1].startswith("HELLO ACK")
    assert "set enable ***" in said
    assert "set run" in said
    assert "SET RUN ACK" in said
    assert not any(word in text.split() for word in linuxcnc.PASSWORDS for text in said)
    assert len(said) < 100
