"""The client of an OPC UA server in its own thread: the loop of the drivers never waits for it."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.opcua import apart
from cnc_station.engine.drivers.opcua.apart import ServerApart
from cnc_station.engine.drivers.opcua.picture import Alert, Value
from cnc_station.engine.drivers.publisher import Traffic
from tests.peers.watching import going_on

DECODED_S = 0.3
UPDATES = 5_000


class FalseServer:
    """Decodes for long, then has a flood of updates, then ends."""

    closed = 0

    def __init__(self, _url: str, _traffic: Traffic, broke: Callable[[str], None]) -> None:
        self._broke = broke

    async def open(self) -> None:
        """At once."""

    async def close(self) -> None:
        FalseServer.closed += 1

    async def machines(self) -> dict[str, object]:
        raise Unavailable("the server has no Machines folder")

    async def identity(self, _machine: object) -> tuple[tuple[str, str], ...]:
        await asyncio.Event().wait()  # it never answers
        raise AssertionError

    async def updates(self) -> AsyncGenerator[Value | Alert, None]:
        _compute(DECODED_S)
        for number in range(UPDATES):
            yield Value("x", number)
        self._broke("gone")
        raise Unavailable("the server has ended the subscription")


async def _gather(server: ServerApart, found: list[object]) -> None:
    async for update in server.updates():
        assert isinstance(update, Value)
        found.append(update.value)


def _compute(seconds: float) -> None:
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        sum(range(100))


@pytest.fixture
def reasons(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(apart, "Server", FalseServer)
    FalseServer.closed = 0
    return []


async def test_long_decoding_and_a_flood_of_updates_leave_the_loop_free(reasons: list[str]) -> None:
    server = ServerApart("opc.tcp://x", Traffic(), reasons.append)
    found: list[object] = []
    async with going_on(60):
        await server.open()
        with pytest.raises(Unavailable, match="ended the subscription"):
            await _gather(server, found)
    assert found == list(range(UPDATES))
    assert reasons == ["gone"]
    await server.close()


async def test_its_thread_ends_with_the_connection(reasons: list[str]) -> None:
    server = ServerApart("opc.tcp://x", Traffic(), reasons.append)
    for opened in range(3):
        await server.open()
        assert FalseServer.closed == opened  # the former one was closed
        with pytest.raises(Unavailable, match="no Machines folder"):
            await server.machines()
    await server.close()
    await server.close()
    assert "OPC UA" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(Unavailable, match="not connected"):
        await server.machines()


async def test_a_question_that_is_given_up_does_not_keep_it_from_closing(
    reasons: list[str],
) -> None:
    server = ServerApart("opc.tcp://x", Traffic(), reasons.append)
    await server.open()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await server.identity(None)  # type: ignore[arg-type] # it is not looked at
    async with asyncio.timeout(30):
        await server.close()
