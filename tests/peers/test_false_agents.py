"""Agents that compress, redirect, or send what only a hostile one sends."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.mtconnect import MTConnect
from cnc_station.engine.drivers.mtconnect.documents import BadDocument, Devices, parse
from cnc_station.peers.limits import MTCONNECT as LIMITS
from tests.peers.protocols import MTCONNECT
from tests.peers.watching import going_on

Respond = Callable[[bytes], bytes]


@asynccontextmanager
async def agent(respond: Respond) -> AsyncIterator[tuple[str, list[bytes]]]:
    """An address, and the requests that it got."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(respond(asked[-1]))
                await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    server.close()


def compressed(encoding: str, pack: Callable[[bytes], bytes]) -> Respond:
    def respond(request: bytes) -> bytes:
        body = pack(MTCONNECT.proper(request).partition(b"\r\n\r\n")[2])
        head = f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n" + head.encode() + body

    return respond


async def refused(url: str) -> str:
    driver = MTConnect(f"http://{url}", heartbeat_s=0.5)
    with pytest.raises(Unavailable) as refusal:
        await driver.connect()
    await driver.close()
    return str(refusal.value)


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
async def test_a_compressed_answer_is_read(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    async with agent(compressed(encoding, pack)) as (url, _):
        driver = MTConnect(f"http://{url}", heartbeat_s=0.5)
        await driver.connect()
        assert driver.status().program == "plate.nc"
        await driver.close()


@pytest.mark.parametrize(
    ("encoding", "pack", "words"),
    [
        ("gzip", lambda _: gzip.compress(b" " * 300_000_000, 9), "too long"),
        ("gzip", lambda _: b"not gzip", "not compressed as it claims"),
        ("br", lambda body: body, "compressed in an unknown way"),
    ],
    ids=["bomb", "false", "unknown"],
)
async def test_what_is_compressed_too_much_or_wrongly_is_refused(
    encoding: str, pack: Callable[[bytes], bytes], words: str
) -> None:
    body = pack(b"")
    async with agent(compressed(encoding, lambda _: body)) as (url, _), going_on(20):
        assert words in await refused(url)


async def test_a_redirect_to_another_host_is_refused_and_not_asked() -> None:
    async with agent(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (other, asked):

        def away(_request: bytes) -> bytes:
            target = f"Location: http://{other.replace('127.0.0.1', 'localhost')}/admin?reboot=1"
            return f"HTTP/1.1 302 Found\r\n{target}\r\nContent-Length: 0\r\n\r\n".encode()

        async with agent(away) as (url, _):
            words = await refused(f"user:GEHEIM@{url}")
    assert "redirects" in words
    assert "GEHEIM" not in words
    assert asked == []


async def test_a_redirect_within_an_agent_is_followed_but_not_for_ever() -> None:
    def within(request: bytes) -> bytes:
        if b"/again" in request or b"/probe?" in request or b"/current?" in request:
            return MTCONNECT.proper(request)
        path = request.split()[1].decode()
        return f"HTTP/1.1 301 x\r\nLocation: {path}?x=1\r\nContent-Length: 0\r\n\r\n".encode()

    async with agent(within) as (url, asked):
        driver = MTConnect(f"http://u:p@{url}", heartbeat_s=0.5)
        await driver.connect()
        await driver.close()
    assert all(b"Authorization" in request for request in asked)
    circle = b"HTTP/1.1 307 x\r\nLocation: /probe\r\nContent-Length: 0\r\n\r\n"
    async with agent(lambda _: circle) as (url, asked):
        assert "again and again" in await refused(url)
    assert len(asked) < 10


def probe(inside: bytes) -> bytes:
    return b"<MTConnectDevices>" + inside + b"</MTConnectDevices>"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (probe(b"<a>" * 50 + b"</a>" * 50), "nested"),
        (probe(b"<a/>" * LIMITS.items), "elements"),
        (probe(b"<r " + b"".join(b'a%d="1" ' % at for at in range(20_000)) + b"/>"), "tag"),
        (probe(b" " * LIMITS.bytes), "bytes"),
        (b'<!DOCTYPE r [<!ENTITY a "aaaa">]>' + probe(b"<r>&a;</r>"), "document type"),
        (b'<!DOCTYPE r SYSTEM "file:///etc/passwd">' + probe(b""), "document type"),
        (probe(b"<!--" + b"x" * 200_000 + b"-->"), "tag"),
    ],
    ids=["deep", "wide", "tag", "bytes", "entity", "external", "comment"],
)
def test_a_document_beyond_the_limits_is_refused(document: bytes, words: str) -> None:
    with pytest.raises(BadDocument, match=words):
        parse(document)


def test_a_document_at_the_limits_is_read() -> None:
    for document in (b"<a>" * 49 + b"</a>" * 49, b"<a/>" * (LIMITS.items - 1)):
        assert isinstance(parse(probe(document)), Devices)
