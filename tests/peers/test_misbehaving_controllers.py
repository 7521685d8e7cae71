"""Every driver against every misbehaviour: it ends in words and within its limits."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.base import Driver
from cnc_station.engine.drivers.grbl import settings as grbl_settings
from cnc_station.engine.drivers.grbl.driver import Grbl
from cnc_station.engine.drivers.linuxcnc import client as linuxcnc_client
from cnc_station.engine.drivers.mtconnect import client as mtconnect_client
from cnc_station.engine.drivers.opcua import server as opcua_server
from cnc_station.engine.views import Doing, Status
from cnc_station.peers import limits
from cnc_station.peers.values import number
from tests.drivers.grbl_bench import HASTY
from tests.peers.misbehaviours import MISBEHAVIOURS, WAYS, misbehaving
from tests.peers.protocols import BY_DRIVER
from tests.peers.watching import going_on, is_sentence
from tests.until import until

SHORT_S = 1.0
ENDED_FLOODS = {
    "grbl": "sends more than",
    "linuxcnc": "sends more than",
    "mtconnect": "too long",
    "opcua": "",  # asyncua does not keep the reason
}
ENDS_S = 25.0


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same limits, for tests that wait for them to pass."""
    hasty = replace(limits.MTCONNECT, first_byte_s=SHORT_S, last_byte_s=SHORT_S)
    monkeypatch.setattr(mtconnect_client, "MTCONNECT", hasty)
    monkeypatch.setattr(linuxcnc_client, "PATIENCE_S", SHORT_S)
    monkeypatch.setattr(opcua_server, "ANSWER_S", SHORT_S)
    return iter([None])


def driver_for(name: str, port: int, folder: Path) -> Driver:
    if name == "grbl":
        where = grbl_settings.from_machine({"port": f"127.0.0.1:{port}"})
        return Grbl(where, replace(HASTY, greeting=SHORT_S))
    given: dict[str, dict[str, object]] = {
        "linuxcnc": {"host": "127.0.0.1", "port": str(port), "program_folder": str(folder)},
        "mtconnect": {"url": f"http://127.0.0.1:{port}", "heartbeat": "0.5"},
        "opcua": {"url": f"opc.tcp://127.0.0.1:{port}"},
    }
    return registry.make(name, given[name])


@pytest.mark.parametrize("what", MISBEHAVIOURS)
@pytest.mark.parametrize("name", BY_DRIVER)
async def test_a_driver_ends_in_words_within_its_limits(
    name: str, what: str, tmp_path: Path
) -> None:
    if name == "opcua":
        import cnc_station.engine.drivers.opcua.transport  # noqa: F401, PLC0415 - over a second
    statuses: list[Status] = []
    async with misbehaving(BY_DRIVER[name], what) as port, going_on(ENDS_S):
        driver = driver_for(name, port, tmp_path)
        driver.subscribe(statuses.append)
        words = await answer_of(driver)
        if words is None:
            assert what not in ("hang", "trickle", "wrong peer", "early close")
            if what == "flood":
                await until(lambda: driver.status().doing is Doing.UNREACHABLE, ENDS_S)
                assert ENDED_FLOODS[name] in driver.status().why
        else:
            assert is_sentence(words), words
            assert what != "flood" or ENDED_FLOODS[name] in words
        await driver.close()
    for status in (*statuses, driver.status()):
        assert_sound(status)
    assert all(message.text.isprintable() for message in driver.traffic())


@pytest.mark.parametrize("name", [name for name in BY_DRIVER if name != "opcua"])
@pytest.mark.parametrize("what", WAYS)
async def test_a_driver_that_was_refused_connects_to_a_peer_that_has_recovered(
    name: str, what: str, tmp_path: Path
) -> None:
    async with misbehaving(BY_DRIVER[name], what) as port:
        driver = driver_for(name, port, tmp_path)
        assert await answer_of(driver) or what == "restart"  # HTTP asks once more
        await driver.close()
    async with misbehaving(BY_DRIVER[name], "nothing") as port:
        driver = driver_for(name, port, tmp_path)
        await driver.connect()
        assert driver.status().doing is not Doing.UNREACHABLE
        await driver.close()


async def answer_of(driver: Driver) -> str | None:
    """Return why it did not connect; None if it did."""
    try:
        identity = await driver.connect()
    except CncStationError as error:
        return str(error)
    texts = (identity.controller, *(value for _, value in identity.details))
    assert all(text.isprintable() for text in texts), texts
    return None


def assert_sound(status: Status) -> None:
    for words in (status.why, status.remedy, status.program, status.details):
        assert words == "" or is_sentence(words) or words == status.details
        assert words.isprintable()
    figures = (status.line, status.x, status.y, status.z, status.feed_mm_min, status.parts)
    assert all(figure is None or number(figure) == figure for figure in figures)
