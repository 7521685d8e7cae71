"""A receiver of webhooks that misbehaves in every way, and notes what it did with each request."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

FLOOD_BYTES = 500_000_000
METADATA = "http://169.254.169.254/latest/meta-data"
BEHAVIOURS = {
    "accepts": 60,
    "fails": 10,
    "hangs": 4,
    "redirects": 8,
    "closes": 8,
    "closes half-way": 4,
    "answers too slowly": 4,
    "floods": 2,
}
_STATUS = {"accepts": "200 OK", "fails": "500 Oops", "redirects": "302 Found"}


@dataclass(frozen=True, slots=True)
class Request:
    headers: dict[str, str]
    body: bytes
    behaviour: str

    @property
    def key(self) -> str:
        return self.headers["x-delivery-id"]


class BadReceiver:
    """Listens on 127.0.0.1 on a loop of its own. `die` ends every connection; `live` listens again
    on the same port."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="receiver", daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0
        self.received: list[Request] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.live()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.die()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def live(self) -> None:
        self._call(self._open())

    def die(self) -> None:
        self._call(self._close())

    def counts(self) -> Counter[str]:
        """How often it did what."""
        return Counter(request.behaviour for request in self.received)

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        connections = tuple(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._answer(await _read(reader), writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # the station has left
        except asyncio.CancelledError:
            pass  # it dies
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _answer(
        self, request: tuple[dict[str, str], bytes], writer: asyncio.StreamWriter
    ) -> bool:
        """Return whether the connection stays open."""
        (behaviour,) = self._chance.choices([*BEHAVIOURS], [*BEHAVIOURS.values()])
        self.received.append(Request(*request, behaviour))
        if status := _STATUS.get(behaviour):
            head = f"HTTP/1.1 {status}\r\nContent-Length: 5\r\nLocation: {METADATA}\r\n\r\n"
            writer.write(f"{head}noted".encode())
            await writer.drain()
            return True
        if behaviour == "floods":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % FLOOD_BYTES)
            for _ in range(FLOOD_BYTES // 65_536):
                writer.write(b"x" * 65_536)
                await writer.drain()
        elif behaviour == "closes half-way":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            with suppress(OSError):
                await writer.drain()
            writer.close()
        elif behaviour == "answers too slowly":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.2)
        elif behaviour == "hangs":
            await asyncio.Event().wait()
        return False


async def _read(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    pairs = (line.partition(":") for line in head.split("\r\n")[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return headers, await reader.readexactly(int(headers["content-length"]))
