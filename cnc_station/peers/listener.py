"""A listening socket for clients of any kind, with limits for all of them.

The event loop's own servers accept without a limit. At the descriptor limit of the process they log
thousands of lines a second and may serve nobody for good.
"""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable

log = logging.getLogger(__name__)

REST_S = 1.0  # before the next attempt when the system has no descriptor left
BACKLOG = 128
HANDSHAKE_S = 5.0  # of TLS
# For a protocol to write its answer, or to begin with the next request, also on a busy loop.
_SENT_S, _SENT_TURNS = 0.01, 10
_ENDING_S = 5.0  # for a client that sends no more to read its last answer


class Connection(asyncio.Protocol):
    """One client, served by a protocol of another library. It ends when its time is over.

    A client that ends its side after a request still gets the answer.
    """

    def __init__(self, inner: asyncio.Protocol, lost: Callable[["Connection"], None]) -> None:
        self.inner = inner
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.Handle | None = None
        self.served = False  # whether the station works on a request of the client
        self._streams = False  # whether it is no longer requests and answers
        self._ended = False  # whether the client has ended its side
        self._cut: Callable[[], None] | None = None

    def expect_body(self, within_s: float, cut: Callable[[], None]) -> None:
        """End the connection unless the rest of a request comes in time. `cut` is called if the
        client ends its side before."""
        self.served, self._cut = False, cut
        if self._ended:
            cut()
        self._limit(within_s, self.abort)

    def expect_request(self, within_s: float) -> None:
        """End the connection unless a request comes in time."""
        self.served, self._streams, self._cut = False, False, None
        if self._ended:
            self._limit(_SENT_S, self._end)
        else:
            self._limit(within_s, self.abort)

    def serve(self, within_s: float | None, cut: Callable[[], None] | None = None) -> None:
        """End the connection unless the request is answered in time. None: it is a stream from now
        on, without a limit."""
        self.served, self._streams, self._cut = True, within_s is None, cut
        if self._ended and cut is not None:
            cut()
        self._limit(within_s, self.abort)

    def _limit(self, seconds: float | None, end: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if seconds is None else loop.call_later(seconds, end)

    def _end(self, turns: int = _SENT_TURNS) -> None:
        if turns:
            self._timer = asyncio.get_running_loop().call_soon(self._end, turns - 1)
        elif self._transport is not None:
            self._transport.close()  # what has been written is sent first
            self._limit(_ENDING_S, self.abort)

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
        self.inner.eof_received()
        if self._streams or self._is_encrypted():
            return False
        self._ended = True
        if self._cut is not None:
            self._cut()
        elif not self.served:
            self._limit(_SENT_S, self._end)  # unless a whole request is about to be served
        return True

    def _is_encrypted(self) -> bool:  # TLS has no half-closed connections
        return self._transport is not None and bool(self._transport.get_extra_info("sslcontext"))

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit(None, self.abort)
        self._lost(self)
        self.inner.connection_lost(exc)


class Listener:
    """Accepts connections, at most `most` at once. `first_s` is the time of a new client for its
    first request. `tls` is asked for each connection; None: it is not encrypted.

    When all are in use, a new client takes the place of the one that has been connected longest
    among those without a request. If all are being served, it waits.
    """

    def __init__(
        self,
        make: Callable[[], asyncio.Protocol],
        most: int,
        first_s: float,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._make, self._most, self._first_s, self._tls = make, most, first_s, tls
        self._handshakes: dict[asyncio.Task[None], None] = {}  # in order of arrival
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
            for task in (self._accepting, *self._handshakes):
                task.cancel()
            await asyncio.gather(self._accepting, *self._handshakes, return_exceptions=True)
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
            if self._tls is None:
                await self._connect(client, None)
            else:  # a client that is slow at it keeps nobody waiting
                task = loop.create_task(self._connect(client, self._tls()), name="TLS handshake")
                self._handshakes[task] = None
                task.add_done_callback(self._shaken)

    async def _connect(self, client: socket.socket, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        limit = HANDSHAKE_S if tls else None
        try:
            await loop.connect_accepted_socket(
                self._connected, client, ssl=tls, ssl_handshake_timeout=limit
            )
        except OSError:  # it has gone already, or speaks no TLS
            client.close()

    def _shaken(self, task: asyncio.Task[None]) -> None:
        self._handshakes.pop(task, None)
        self._freed.set()

    def _connected(self) -> Connection:
        connection = Connection(self._make(), self._lost)
        self._connections[connection.inner] = connection
        connection.expect_request(self._first_s)
        return connection

    def _lost(self, connection: Connection) -> None:
        self._connections.pop(connection.inner, None)
        self._freed.set()

    async def _wait_for_room(self) -> None:
        while self._is_full() and not self._handshakes and self._oldest_idle() is None:
            self._freed.clear()
            await self._freed.wait()

    def _make_room(self) -> None:
        if not self._is_full():
            return
        if (oldest := self._oldest_idle()) is not None:
            oldest.abort()
        elif self._handshakes:
            next(iter(self._handshakes)).cancel()

    def _is_full(self) -> bool:
        return len(self._connections) + len(self._handshakes) >= self._most

    def _oldest_idle(self) -> Connection | None:
        return next((one for one in self._connections.values() if not one.served), None)
