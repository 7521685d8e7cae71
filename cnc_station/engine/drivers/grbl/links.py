"""The wire itself: TCP, or a serial port."""

import asyncio
import contextlib
import queue
import sys
import threading
from collections.abc import Callable
from typing import Protocol

import serial

if sys.platform != "win32":
    import termios

from cnc_station.engine.drivers.grbl.settings import Settings
from cnc_station.engine.drivers.unreachable import unreachable

_CONNECTING_S = 5.0
_WAKE_S = 0.5
_WRITE_S = 2.0
_EXCLUSIVE = None if sys.platform == "win32" else True  # Windows' ports always are


class Ear(Protocol):
    """Who is told what a link does. Called from within the loop."""

    def take(self, data: bytes) -> None:
        """What has come."""
        ...

    def end(self) -> None:
        """Nothing more will. Perhaps told more than once, and after `close` too."""
        ...


class Link(Protocol):
    """Bytes both ways."""

    def write(self, data: bytes) -> None:
        """Sends soon, in order, without waiting; does nothing once the link has ended."""
        ...

    async def close(self) -> None:
        """May be called again."""
        ...


async def opened(settings: Settings, ear: Ear) -> Link:
    """A link to a controller; raises Unavailable."""
    try:
        async with asyncio.timeout(_CONNECTING_S):
            if settings.device:
                return await SerialLink.opened(settings.device, settings.baud, ear)
            _, link = await asyncio.get_running_loop().create_connection(
                lambda: TcpLink(ear), settings.host, settings.tcp_port
            )
            return link
    except OSError as error:  # a SerialException is one, and a timeout
        where = settings.device or f"{settings.host} port {settings.tcp_port}"
        raise unreachable(where, error, serial=bool(settings.device)) from error


class TcpLink(asyncio.Protocol):
    """Over the network, as grblHAL boards and serial servers offer it. A protocol, not a stream: a
    stream costs another turn of the loop for all that comes."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self._transport: asyncio.Transport | None = None
        self._gone = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's word for open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """asyncio's word for what has come."""
        self._ear.take(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """asyncio's word for the end."""
        if not self._gone.done():
            self._gone.set_result(None)
        self._ear.end()

    def write(self, data: bytes) -> None:
        """Never more waits here than the controller's buffer holds, so it need not be drained."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def close(self) -> None:
        """Waits until the socket is gone; what could not be sent is dropped."""
        if self._transport is not None:
            self._transport.abort()
            await self._gone


class SerialLink:
    """A serial port. pyserial's calls block, on Windows writing too, so that one thread reads and
    one writes; no loop can watch a Windows port by itself.

    Opening must not reset the controller: many boards are wired to reset when DTR changes. DTR is
    left asserted (boards with USB of their own send nothing without it) and, where the system
    knows it, stays so when the port is closed. The first opening after plugging in may reset all
    the same.
    """

    def __init__(self, port: serial.Serial, ear: Ear) -> None:
        self._port = port
        self._ear = ear
        self._loop = asyncio.get_running_loop()
        self._going: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=f"{name} {port.name}", daemon=True)
            for name, work in (("read", self._reading), ("write", self._writing))
        ]
        self._closed = False
        for thread in self._threads:
            thread.start()

    @classmethod
    async def opened(cls, device: str, baud: int, ear: Ear) -> "SerialLink":
        """Raises OSError."""
        return cls(await asyncio.to_thread(_open, device, baud), ear)

    def write(self, data: bytes) -> None:
        """Into the writing thread's queue."""
        self._going.put(data)

    async def close(self) -> None:
        """Waits until both threads have ended."""
        if not self._closed:
            self._closed = True
            self._going.put(b"")
            self._quietly(self._port.cancel_read)
            self._quietly(self._port.cancel_write)
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        for thread in self._threads:
            thread.join()
        self._quietly(self._port.close)

    @staticmethod
    def _quietly(call: Callable[[], object]) -> None:
        with contextlib.suppress(OSError):  # a port that was pulled out can't be closed nicely
            call()

    def _reading(self) -> None:
        with contextlib.suppress(OSError, TypeError):  # TypeError: pyserial, closed under it
            while not self._closed:
                came = self._port.read(1)
                if came:
                    self._tell(self._ear.take, came + self._port.read(self._port.in_waiting))
        self._tell(self._ear.end)

    def _writing(self) -> None:
        with contextlib.suppress(OSError, TypeError):  # as above
            while data := self._going.get():
                self._port.write(data)
        self._tell(self._ear.end)

    def _tell(self, what: Callable[..., None], *told: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(what, *told)


def _open(device: str, baud: int) -> serial.Serial:
    """A read wakes up now and then: on Windows a cancellation may come just before it."""
    port = serial.Serial(
        device, baud, timeout=_WAKE_S, write_timeout=_WRITE_S, exclusive=_EXCLUSIVE
    )
    _keep_dtr(port)
    return port


def _keep_dtr(port: serial.Serial) -> None:
    """Closing the port shall not hang up the line."""
    if sys.platform != "win32":
        with contextlib.suppress(termios.error):  # not every port can
            modes = termios.tcgetattr(port.fileno())
            modes[2] &= ~termios.HUPCL
            termios.tcsetattr(port.fileno(), termios.TCSANOW, modes)
