"""Clients in a process of its own that occupy a server: `python -m tests.peers.flood PORT COUNT S`.

A fifth each connect and send nothing, half a header, a header byte by byte, a body byte by byte,
or proper requests on a connection that stays. Who is disconnected comes back. Prints how many were
connected at once at most, and how many answers there were by status.
"""

import asyncio
import json
import resource
import sys
from collections import Counter
from contextlib import suppress

HEAD = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /api/v1/machines HTTP/1.1\r\nHost: localhost\r\n\r\n"
SLOW_S = 0.5


class Flood:
    """`count` clients of a port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connected = 0
        self.most = 0
        self.answers: Counter[str] = Counter()

    async def client(self, number: int) -> None:
        """Occupy a connection, again and again."""
        kinds = (self._silent, self._half, self._slow_header, self._slow_body, self._proper)
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                self._connected += 1
                self.most = max(self.most, self._connected)
                try:
                    await kinds[number % len(kinds)](reader, writer)
                finally:
                    self._connected -= 1
                    writer.close()
            await asyncio.sleep(SLOW_S)

    async def _silent(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await self._read(reader)

    async def _half(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GET[:-2])
        await self._read(reader)

    async def _slow_header(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._slowly(b"GET / HTTP/1.1\r\nX: " + b"a" * 1000, reader, writer)

    async def _slow_body(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\n")
        await self._slowly(b"{" + b" " * 1000, reader, writer)

    async def _proper(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(GET)
            head = await reader.readuntil(b"\r\n\r\n")
            self.answers[head[9:12].decode()] += 1
            size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(size)
            await asyncio.sleep(SLOW_S)

    async def _slowly(
        self, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        reading = asyncio.create_task(self._read(reader))
        for byte in data:
            if reading.done():
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(SLOW_S)
        await reading

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while piece := await reader.read(4_096):
                if piece.startswith(b"HTTP/1.1 "):
                    self.answers[piece[9:12].decode()] += 1


async def main() -> None:
    """Run all clients for the given time."""
    port, count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count * 2 + 100), hard))
    flood = Flood(port)
    clients = [asyncio.create_task(flood.client(number)) for number in range(count)]
    print("ready", flush=True)
    await asyncio.sleep(seconds)
    for one in clients:
        one.cancel()
    print(json.dumps({"most": flood.most, "answers": flood.answers}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
