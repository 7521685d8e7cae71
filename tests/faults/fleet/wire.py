"""A network cable that can be pulled: a proxy which then lets nothing through, and says nothing."""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

PIECE = 65_536


class Wires:
    """The loop that all wires of a fleet run on, in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._wires: list[Wire] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for wire in self._wires:
            self.call(wire.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something on the wires' loop, from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    def to(self, port: int) -> "Wire":
        """A new wire to a server of this computer."""
        wire = Wire(port)
        self.call(wire.open())
        self._wires.append(wire)
        return wire


class Wire:
    """Listens on `port`. Cut, it accepts and keeps connections, and no byte passes; mended, what
    waited goes on, or with `reset` every connection through it breaks, as after a router's nap."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._whole = asyncio.Event()
        self._whole.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        self._whole.set()
        self._break_all()

    async def cut(self) -> None:
        self._whole.clear()

    async def mend(self, *, reset: bool) -> None:
        if reset:
            self._break_all()
        self._whole.set()

    def _break_all(self) -> None:
        for end in tuple(self._ends):
            end.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        far_writer = None
        try:
            await self._whole.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._ends.add(far_writer)
            pumps = (self._pump(reader, far_writer), self._pump(far_reader, writer))
            tasks = [asyncio.ensure_future(pump) for pump in pumps]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        except OSError:
            pass  # the server is away: the caller finds its connection broken
        finally:
            for end in (writer, far_writer):
                if end is not None:
                    self._ends.discard(end)
                    end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(PIECE):
            await self._whole.wait()
            writer.write(data)
            await writer.drain()
