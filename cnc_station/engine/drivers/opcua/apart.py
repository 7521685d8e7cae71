"""A `Server` on a loop in a thread of its own.

asyncua decodes each message in one piece: 128 KB of small values take 130 ms. In a thread, they
keep nobody waiting: neither other machines nor the window.
"""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.opcua.picture import Alert, Value
from cnc_station.engine.drivers.opcua.server import Server
from cnc_station.engine.drivers.publisher import Traffic
from cnc_station.peers.pace import LoopShare

if TYPE_CHECKING:
    from asyncua.common.node import Node

T = TypeVar("T")

_AT_ONCE = 50  # updates handed over together
_MOST_WAITING = 1_000  # updates; the server is then read no further


class ServerApart:
    """As `Server`, for the loop of the driver. Its thread lives from `open` to `close`."""

    def __init__(self, url: str, traffic: Traffic, broke: Callable[[str], None]) -> None:
        self._server = Server(url, traffic, self._tell_broke)
        self._broke = broke
        self._driver_loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._closing: asyncio.Event
        self._updates: asyncio.Queue[Value | Alert | Exception]

    async def open(self) -> None:
        """See `Server.open`."""
        await self.close()
        self._driver_loop = asyncio.get_running_loop()
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="OPC UA", daemon=True
        )
        self._thread.start()
        await asyncio.wrap_future(started)
        await self._there(self._server.open())

    async def close(self) -> None:
        """See `Server.close`."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with contextlib.suppress(RuntimeError):  # its loop has ended
            closing = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
            await asyncio.wrap_future(closing)
        await asyncio.to_thread(thread.join)

    async def machines(self) -> "dict[str, Node]":
        """See `Server.machines`."""
        return await self._there(self._server.machines())

    async def identity(self, machine: "Node") -> tuple[tuple[str, str], ...]:
        """See `Server.identity`."""
        return await self._there(self._server.identity(machine))

    async def watch(self, machine: "Node") -> list[Value]:
        """See `Server.watch`."""
        return await self._there(self._server.watch(machine))

    async def watch_alarms(self, *, alone: bool) -> bool:
        """See `Server.watch_alarms`."""
        return await self._there(self._server.watch_alarms(alone=alone))

    async def updates(self) -> AsyncGenerator[Value | Alert, None]:
        """Yield what comes, in order and in slices of the loop, until the server ends it."""
        filling = asyncio.run_coroutine_threadsafe(self._fill(), self._loop)
        share = LoopShare()
        try:
            while True:
                for update in await self._there(self._next()):
                    if isinstance(update, Exception):
                        raise update
                    yield update
                    await share.offer()
        finally:
            filling.cancel()

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            work.close()
            raise Unavailable("not connected")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    # In the thread of the server

    def _run(self, started: concurrent.futures.Future[None]) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._work(started))

    async def _work(self, started: concurrent.futures.Future[None]) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        self._updates = asyncio.Queue(_MOST_WAITING)
        started.set_result(None)
        await self._closing.wait()

    async def _end(self) -> None:
        try:
            await self._server.close()
        finally:
            self._closing.set()

    async def _fill(self) -> None:
        try:
            async for update in self._server.updates():
                await self._updates.put(update)
        except Exception as error:  # noqa: BLE001 - raised again in the driver's loop
            await self._updates.put(error)

    async def _next(self) -> list[Value | Alert | Exception]:
        found = [await self._updates.get()]
        while len(found) < _AT_ONCE and not self._updates.empty():
            found.append(self._updates.get_nowait())
        return found

    def _tell_broke(self, reason: str) -> None:
        with contextlib.suppress(RuntimeError):  # the driver's loop has ended
            self._driver_loop.call_soon_threadsafe(self._broke, reason)
