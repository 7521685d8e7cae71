"""The one table of what a peer may do wrong, for every driver, client and server of a station.

A protocol states how it answers properly (`Protocol.proper`), and with odd contents
(`Protocol.odd`). How the bytes are sent is the same for all.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CONTENTS = (
    "flood",
    "deep",
    "wide",
    "wrong type",
    "huge number",
    "negative number",
    "nan",
    "control characters",
    "markup",
)
WAYS = ("hang", "trickle", "early close", "restart", "wrong peer")
MISBEHAVIOURS = (*WAYS, *CONTENTS)
FLOOD_BYTES = 32 * 1024 * 1024
NASTY = "a\x1b[2J\u202eb\x07\u2066c"
MARKUP = "&lt;img src='/tmp/pipe'&gt;"
HUGE = "9" * 300
BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"

# Gets one request of the client, returns the bytes of the answer.
Answer = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Protocol:
    """`proper` answers a request. `odd` is the same with odd contents, by misbehaviour. `greets`
    speaks first."""

    proper: Answer
    odd: Mapping[str, Answer] = field(default_factory=dict)
    greets: bool = False


@asynccontextmanager
async def misbehaving(protocol: Protocol, what: str) -> AsyncIterator[int]:
    """A server that does `what`, at a free port."""
    protocol.odd.get(what, protocol.proper)(b"GET /probe")  # prepared before time is taken
    clients: set[asyncio.Task[None]] = set()
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        task = asyncio.current_task()
        assert task is not None
        clients.add(task)
        with suppress(OSError, asyncio.CancelledError):
            await _serve(protocol, what, connections, reader, writer)
        clients.discard(task)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(clients):
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def _serve(
    protocol: Protocol,
    what: str,
    connection: int,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    if what == "wrong peer":
        writer.write(BANNER)
    request = b"" if protocol.greets else await reader.read(65_536)
    while protocol.greets or request:
        await _answer(protocol, what, connection, request, writer)
        request = await reader.read(65_536)
        if not request:
            return


async def _answer(
    protocol: Protocol, what: str, connection: int, request: bytes, writer: asyncio.StreamWriter
) -> None:
    answer = protocol.odd.get(what, protocol.proper)(request)
    match what:
        case "hang":
            await asyncio.sleep(60)
        case "trickle":
            for byte in answer:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.1)
            await asyncio.sleep(60)
        case "early close":
            writer.write(answer[: max(1, len(answer) // 2)])
            await writer.drain()
            raise ConnectionAbortedError
        case "restart" if connection == 1:
            raise ConnectionAbortedError
        case "wrong peer":
            writer.write(b"Protocol mismatch.\r\n")
        case "flood" if "flood" not in protocol.odd:
            await _flood(answer or b"\n", writer)
        case _:
            for begin in range(0, len(answer), 65_536):
                writer.write(answer[begin : begin + 65_536])
                await writer.drain()


async def _flood(answer: bytes, writer: asyncio.StreamWriter) -> None:
    piece = answer * (65_536 // len(answer) + 1)
    for _ in range(FLOOD_BYTES // len(piece)):
        writer.write(piece)
        await writer.drain()
