"""A listening socket for clients of any kind, with limits for all of them.

The event loop's own servers accept without a limit. At the descriptor limit of the process they log
thousands of lines a second and may serve nobody for good.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable

log = logging.getLogger(__name__)

REST_S = 1.0  # before the next attempt when the system has no descriptor left
BACKLOG = 128


class Connection(asyncio.Protocol):
    """One client, served by a protocol of another library. It ends when its time is over."""

    def __init__(self, inner: asyncio.Protocol, ended: Callable[["Connection"], None]) -> None:
        self.inner = inner
        self._ended = ended
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.served = False  # whether the station works on a request of the client

    def expect_request(self, within_s: float) -> None:
        """End the connection unless a request comes in time."""
        self.served = False
        self._limit(within_s)

    def serve(self, within_s: float | None) -> None:
        """End the connection unless the request is answered in time. None: without a limit."""
        self.served = True
        self._limit(within_s)

    def _limit(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if seconds is None else loop.call_later(seconds, self.abort)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self.inner.eof_received()

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit(None)
        self._ended(self)
        self.inner.connection_lost(exc)


class Listener:
    """Accepts connections, at most `most` at once. `first_s` is the time of a new client for its
    first request.

    When all are in use, a new client takes the place of the one that has been connected longest
    among those without a request. If all are being served, it waits.
    """

    def __init__(self, make: Callable[[], asyncio.Protocol], most: int, first_s: float) -> None:
        self._make, self._most, self._first_s = make, most, first_s
        self._connections: dict[asyncio.Protocol, Connection] = {}  # in order of arrival
        self._freed = asyncio.Event()
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen. Return the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        ((family, kind, proto, _, address), *_) = await loop.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listening = socket.socket(family, kind, proto)
        try:
            if os.name == "posix":  # on Windows, another program could take the port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
            listening.setblocking(False)
        except OSError:
            listening.close()
            raise
        self._socket = listening
        self._accepting = loop.create_task(self._accept(listening), name=f"accept at {port}")
        bound: int = listening.getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening. Those that are connected stay so."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    def connection(self, inner: asyncio.Protocol) -> Connection | None:
        """The connection that a protocol serves; None if it has ended."""
        return self._connections.get(inner)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wait_for_room()
            try:
                client, _ = await loop.sock_accept(listening)
            except ConnectionAbortedError:
                continue
            except OSError as error:  # no descriptor is left
                log.warning("no client can connect now: %s", error.strerror)
                await asyncio.sleep(REST_S)
                continue
            self._make_room()
            try:
                await loop.connect_accepted_socket(self._connected, client)
            except OSError:  # it has gone already
                client.close()

    def _connected(self) -> Connection:
        connection = Connection(self._make(), self._lost)
        self._connections[connection.inner] = connection
        connection.expect_request(self._first_s)
        return connection

    def _lost(self, connection: Connection) -> None:
        self._connections.pop(connection.inner, None)
        self._freed.set()

    async def _wait_for_room(self) -> None:
        while len(self._connections) >= self._most and self._oldest_idle() is None:
            self._freed.clear()
            await self._freed.wait()

    def _make_room(self) -> None:
        oldest = self._oldest_idle()
        if len(self._connections) >= self._most and oldest is not None:
            oldest.abort()

    def _oldest_idle(self) -> Connection | None:
        return next((one for one in self._connections.values() if not one.served), None)
