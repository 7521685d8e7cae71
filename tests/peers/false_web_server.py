"""A web server that answers with more than anybody reads, in a process that prints its port.

The path says with what: `/body`, `/gzip`, `/headers`, `/chunks` or `/pieces`.
"""

import asyncio
import gzip
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress

_HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
_BOMB = gzip.compress(bytes(200_000_000), 9)[:1_000_000]


async def _body() -> AsyncIterator[bytes]:
    yield _HEAD + b"Content-Length: 1000000000000\r\n\r\n"
    while True:
        yield b"x" * 65_536


async def _gzip() -> AsyncIterator[bytes]:
    yield _HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_BOMB)
    yield _BOMB


async def _headers() -> AsyncIterator[bytes]:
    yield _HEAD
    for number in range(10_000_000):
        yield b"X-%d: %s\r\n" % (number, b"y" * 1_000)


async def _chunks() -> AsyncIterator[bytes]:
    yield _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"1\r\nx\r\n" * 10_000


async def _pieces() -> AsyncIterator[bytes]:
    yield _HEAD + b"Content-Length: 2000\r\n\r\n"
    for _ in range(2_000):
        yield b"x"
        await asyncio.sleep(0)


ANSWERS: Mapping[str, Callable[[], AsyncIterator[bytes]]] = {
    "/body": _body,
    "/gzip": _gzip,
    "/headers": _headers,
    "/chunks": _chunks,
    "/pieces": _pieces,
}


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        request = await reader.readuntil(b"\r\n\r\n")
        async for piece in ANSWERS[request.split()[1].decode()]():
            writer.write(piece)
            await writer.drain()
        await reader.read()
    writer.close()


async def _serve() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
