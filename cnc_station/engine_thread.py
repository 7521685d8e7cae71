"""The engine on a loop in a thread of its own, so that no stream waits for the window.

Whatever stops the thread of the window (a native dialog, a slow disk, a hung print spooler), the
drivers go on sending and the station keeps its leases. Values cross between the two loops at the
door only; all of them are frozen. Live queries are answered on the thread of the window: their
answers copy what they read in one step of the interpreter.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from operator import or_
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cnc_station.config import Config
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.principal import Principal
from cnc_station.engine.door import Door, Unsubscribe
from cnc_station.engine.queries import LiveQuery
from cnc_station.engine.timing import watch_stalls

if TYPE_CHECKING:
    from cnc_station.engine.engine import StationEngine

log = logging.getLogger(__name__)

T = TypeVar("T")

_LATE = (
    "cnc_station.engine.engine",
    "cnc_station.local_socket.server",
    "cnc_station.secrets",
    "cnc_station.web.serving",
)


class EngineThread:
    """One station's engine with its health and local socket. Called on the loop of the window."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._engine: StationEngine
        self._loop: asyncio.AbstractEventLoop
        self._closing: asyncio.Event
        self._stood_still_at = -math.inf

    async def start(self) -> None:
        """Return when the station is at work. Raises what prevents that, after the thread's end."""
        # The window is on the screen by now. In the thread it would take half as long again.
        for module in _LATE:
            import_module(module)
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        thread = threading.Thread(target=self._run, args=(started,), name="engine", daemon=True)
        thread.start()
        await asyncio.wrap_future(started)

    async def ended(self) -> None:
        """Return when the thread has ended. Raises the bug that ended it."""
        await asyncio.shield(asyncio.wrap_future(self._ended))

    async def stop(self) -> None:
        """End the services in order, and wait for that."""
        with contextlib.suppress(RuntimeError):  # its loop is closed already
            self._loop.call_soon_threadsafe(self._closing.set)
        await self.ended()

    def door(self, principal: Principal) -> Door:
        """Return the door to the station for the loop of the window."""
        engine = self._engine
        return Door(
            principal,
            self._answer,
            partial(self._subscribe, engine.subscribe, or_),
            partial(self._subscribe, engine.subscribe_telemetry, or_),
        )

    def stood_still(self, within_s: float) -> bool:
        """Whether the engine too stood still so lately."""
        return self._stood_still_at >= time.monotonic() - within_s

    # On the thread of the window

    def _answer(self, principal: Principal, asked: Any) -> Any:
        if isinstance(asked, LiveQuery):
            return self._engine.answer(principal, asked)
        return self._answer_there(principal, asked)

    async def _answer_there(self, principal: Principal, asked: Any) -> Any:
        async def answer() -> Any:
            return await self._engine.answer(principal, asked)

        asking = answer()
        try:
            there = asyncio.run_coroutine_threadsafe(asking, self._loop)
        except RuntimeError as error:
            asking.close()
            raise Unavailable("The station is closed.") from error
        try:
            return await asyncio.wrap_future(there)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise Unavailable("The station was closed.") from None

    def _subscribe(
        self,
        subscribe: Callable[[Callable[[T], None]], Unsubscribe],
        merge: Callable[[T, T], T],
        listener: Callable[[T], None],
    ) -> Unsubscribe:
        mailbox = _Mailbox(asyncio.get_running_loop(), listener, merge)
        unsubscribe = subscribe(mailbox.put)

        def leave() -> None:
            unsubscribe()
            mailbox.close()

        return leave

    # On the engine's thread

    def _run(self, started: concurrent.futures.Future[None]) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._work(started))
        except BaseException as error:  # noqa: BLE001 - raised again where the window waits for it
            self._ended.set_exception(error)
            if not started.done():
                started.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _work(self, started: concurrent.futures.Future[None]) -> None:
        from cnc_station.engine.engine import StationEngine  # noqa: PLC0415 - see `start`
        from cnc_station.local_socket.server import listening  # noqa: PLC0415 - likewise
        from cnc_station.secrets import complete  # noqa: PLC0415 - likewise
        from cnc_station.web.serving import serving  # noqa: PLC0415 - likewise

        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        config = await asyncio.to_thread(complete, self._config)
        engine = self._engine = StationEngine(config)
        await engine.start()
        watching = asyncio.create_task(watch_stalls(self._note_stall))
        try:
            async with serving(config, engine.local_door), listening(config, engine.door):
                started.set_result(None)
                log.info("station %s is at work on %s", config.station, config.database_shown)
                await self._closing.wait()
        finally:
            watching.cancel()
            await engine.stop()
            log.info("station %s has stopped", config.station)

    def _note_stall(self, seconds: float) -> None:
        self._stood_still_at = time.monotonic()
        log.warning("the station stood still for %.0f s", seconds)


class _Mailbox(Generic[T]):
    """News for the loop of the window, merged until it takes them: while it stands still they stay
    bounded."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listener: Callable[[T], None],
        merge: Callable[[T, T], T],
    ) -> None:
        self._loop = loop
        self._listener: Callable[[T], None] | None = listener
        self._merge = merge
        self._lock = threading.Lock()
        self._news: T | None = None

    def put(self, news: T) -> None:
        """Called on the engine's loop."""
        with self._lock:
            waits = self._news
            self._news = news if waits is None else self._merge(waits, news)
        if waits is None:
            with contextlib.suppress(RuntimeError):  # the window's loop is closed
                self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        with self._lock:
            news, self._news = self._news, None
        if news is not None and self._listener is not None:
            self._listener(news)

    def close(self) -> None:
        self._listener = None
