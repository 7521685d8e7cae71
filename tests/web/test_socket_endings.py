"""How the connection of a WebSocket's client begins and ends."""

import asyncio
import json
import socket
import time

import aiohttp
import pytest
from aiohttp import AddrInfoType

from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.engine import StationEngine
from cnc_station.web.socket import outbox
from tests.web.api_client import Client
from tests.web.socket_hall import Hall, of_token, served
from tests.web.ws_client import listening


@pytest.mark.parametrize(
    "message",
    [
        *("", "[]", "1", '"PING"', '{"type": 1}', '{"type": "START"}', "{", '{"type": "PING"} x'),
        *('{"type": "PING", "type": "PING"}', '{"type": "PING", "now": NaN}', "[" * 5_000),
        *('{"type": "SUBSCRIBE", "tenantId": 1}', '{"type": "SUBSCRIBE", "topics": ["all"]}'),
        *('{"type": "SUBSCRIBE", "lastEventId": {}}', '{"type": "PING", "id": 1}'),
        json.dumps({"type": "SUBSCRIBE", "tenantId": "x" * 20_000}),
    ],
)
async def test_a_message_that_is_not_understood_ends_the_connection(
    api_socket: aiohttp.ClientSession, message: str
) -> None:
    async with listening(api_socket) as client:
        await client.socket.send_str(message)
        told = await client.told()
        assert (told["type"], told["problem"]["status"]) == ("ERROR", 400)
        assert told["problem"]["errors"]
        assert await client.closed() == 4400


async def test_bytes_and_what_is_not_a_websocket_are_refused(
    api_socket: aiohttp.ClientSession,
) -> None:
    async with listening(api_socket) as client:
        await client.socket.send_bytes(b"{}")
        assert await client.closed() == 4400
    async with api_socket.get("/ws") as answer:
        assert answer.status == 426


async def test_a_station_that_stops_says_so(alone: StationEngine) -> None:
    runner, url = await served(alone)
    async with aiohttp.ClientSession(url) as session, listening(session) as client:
        await client.subscribe()
        stopping = asyncio.create_task(runner.cleanup())
        assert await client.closed() == 1001
        await stopping


async def test_a_client_with_a_token_sees_its_own_tenants(alone: StationEngine) -> None:
    runner, url = await served(alone, of_token)
    hall = Hall(alone, aiohttp.ClientSession(url))
    async with hall.session as session:
        async with listening(session, Authorization="Bearer acme") as client:
            await client.subscribe()
            await hall.job("other")
            own = await hall.job("acme")
            assert [one["jobId"] for one in await client.events(1)] == [own]
            await client.send(type="SUBSCRIBE", tenantId="other")
            assert (await client.told())["problem"]["status"] == 403
            assert await client.closed() == 4403
        async with listening(session) as client:
            await client.send(type="AUTH", token="acme")
            await client.subscribe(tenantId="acme")
        for first in ({"type": "AUTH", "token": "wrong"}, {"type": "SUBSCRIBE"}):
            async with listening(session) as client:
                await client.socket.send_json(first)
                assert (await client.told())["problem"]["status"] == 401
                assert await client.closed() == 4401
        async with listening(session, Authorization="Bearer short") as client:
            await client.subscribe()
            assert await client.closed() == 4401
    await runner.cleanup()


async def test_without_accounts_a_token_is_refused(api_socket: aiohttp.ClientSession) -> None:
    async with listening(api_socket) as client:
        await client.send(type="AUTH", token="any")
        assert await client.closed() == 4401
    async with listening(api_socket, Authorization="Bearer any") as client:
        assert await client.closed() == 4401


def small_socket(info: AddrInfoType) -> socket.socket:
    """Of a client that takes in little before it stands still."""
    family, kind, proto, *_ = info
    made = socket.socket(family, kind, proto)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
    return made


async def test_a_client_that_does_not_read_is_ended_and_delays_nobody(
    alone: StationEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "STALLED_S", 0.2)
    runner, url = await served(alone)
    connector = aiohttp.TCPConnector(socket_factory=small_socket)
    stuck = aiohttp.ClientSession(url, connector=connector)
    waits: list[float] = []
    async with stuck, aiohttp.ClientSession(url) as session:
        hall = Hall(alone, session)
        async with listening(stuck) as slow, listening(session) as other:
            await slow.subscribe(topics=["jobs"])
            await other.subscribe(topics=["jobs"])
            for _ in range(30):
                begun = time.perf_counter()
                await hall.door.execute(SubmitJobs((JobSpec("Bracket", "mill"),) * 100))
                assert len(await other.events(100)) == 100
                waits.append(time.perf_counter() - begun)
            told = [await slow.told()]
            while told[-1]["type"] == "EVENT":
                told.append(await slow.told())
            assert 0 < len(told) < 2_000
            assert told[-1] == {"type": "RESYNC", "reason": "slow"}
            assert await slow.closed() == 4408
            last = await hall.job()
            assert [one["jobId"] for one in await other.events(1)] == [last]
    assert max(waits) < 5.0
    await runner.cleanup()


@pytest.mark.parametrize("path", ["/ws", "/api/v1/ws"])
@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("Host", "evil.example", 421), ("Origin", "http://evil.example", 403)],
)
async def test_pages_of_others_are_refused(
    api: Client, path: str, header: str, value: str, status: int
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await api.session.ws_connect(path, headers={header: value})
    assert refused.value.status == status
