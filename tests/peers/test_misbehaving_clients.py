"""The station's HTTP server with clients that ask wrongly, slowly, or all at once."""

import asyncio
import logging
import os
import resource
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from cnc_station.peers import limits, listener
from cnc_station.web import clients
from cnc_station.web.clients import Clients
from tests.peers.misbehaviours import NASTY
from tests.peers.watching import going_on
from tests.until import until

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
SHORT_S = 0.5
REQUESTS = {
    "hang": b"",
    "half a header": GET[:-2],
    "flood": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1_000_000,
    "long line": b"GET /" + b"a" * 2_000_000,
    "deep": b"GET /" + b"../" * 2_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "wrong type": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "huge number": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 300 + b"\r\n\r\n",
    "negative number": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -7\r\n\r\n",
    "nan": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: NaN\r\n\r\n",
    "control characters": f"GET /{NASTY} HTTP/1.1\r\nX: {NASTY}\r\n\r\n".encode(),
    "markup": b"GET /<img> HTTP/1.1\r\nHost: <b>\r\n\r\n",
    "wrong peer": b"*1\r\n$4\r\nPING\r\n",
    "endless body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 100,
}


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server whose limits pass soon."""
    monkeypatch.setattr(clients, "IDLE_S", SHORT_S)
    hasty = replace(limits.HTTP, first_byte_s=SHORT_S, last_byte_s=SHORT_S)
    monkeypatch.setattr(clients, "HTTP", hasty)
    monkeypatch.setattr(clients, "MOST", 20)
    app = web.Application()
    app.router.add_get("/health", _healthy)
    app.router.add_post("/", _reads_all)
    server = Clients(app)
    yield await server.start("127.0.0.1", 0)
    await server.stop()


async def _healthy(_request: web.Request) -> web.Response:
    return web.Response(text="ready")


async def _reads_all(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def healthy(port: int) -> bool:
    timeout = aiohttp.ClientTimeout(10)
    async with (
        aiohttp.ClientSession(timeout=timeout) as client,
        client.get(f"http://127.0.0.1:{port}/health") as answer,
    ):
        return await answer.text() == "ready"


@pytest.mark.parametrize("what", REQUESTS)
async def test_a_client_that_asks_wrongly_is_disconnected_and_others_are_served(
    what: str, port: int
) -> None:
    async with going_on(15):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(OSError):
            writer.write(REQUESTS[what])
            await writer.drain()
        assert await healthy(port)
        with suppress(OSError):
            while await reader.read(65_536):
                pass
        writer.close()


async def test_a_byte_at_a_time_does_not_keep_a_connection(port: int) -> None:
    async with going_on(15):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ended = asyncio.create_task(reader.read())
        for byte in GET * 100:
            if ended.done():
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)
        with suppress(OSError):
            await ended
        writer.close()


async def test_half_sent_requests_do_not_keep_a_supervisor_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients, "HTTP", replace(limits.HTTP, first_byte_s=60.0))
    monkeypatch.setattr(clients, "MOST", 20)
    app = web.Application()
    app.router.add_get("/health", _healthy)
    server = Clients(app)
    port = await server.start("127.0.0.1", 0)
    ended = 0

    async def hold() -> None:
        nonlocal ended
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET[:10])
        with suppress(OSError):
            await reader.read()
        ended += 1
        writer.close()

    async with going_on(30):
        held = [asyncio.create_task(hold()) for _ in range(200)]
        for _ in range(20):
            assert await healthy(port)
        await until(lambda: ended >= 180, clients.IDLE_S / 3)  # long before they are idle
        await server.stop()
        await asyncio.gather(*held)


async def test_at_the_descriptor_limit_it_recovers_and_logs_a_line_a_second(
    port: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "REST_S", 0.1)
    caplog.set_level(logging.WARNING)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)  # waits to be accepted
    taken: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors() + 20, hard))
        with suppress(OSError):
            while True:
                taken.append(os.dup(writer.get_extra_info("socket").fileno()))
        os.close(taken.pop())
        another = asyncio.create_task(asyncio.open_connection("127.0.0.1", port))
        await until(lambda: "no client can connect now" in caplog.text)
        await asyncio.sleep(0.5)
        assert caplog.text.count("no client can connect now") < 10
    finally:
        for number in taken:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    _, second = await another
    assert await healthy(port)
    for one in (writer, second):
        one.close()
    del reader
