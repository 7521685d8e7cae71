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

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.grbl.settings import Settings

_AT_ONCE = 4096  # bytes; more than a controller says between two polls
_CONNECTING_S = 5.0
_WAKE_S = 0.5
_WRITE_S = 2.0
_EXCLUSIVE = None if sys.platform == "win32" else True  # Windows' ports always are


class Link(Protocol):
    """Bytes both ways."""

    async def read(self) -> bytes:
        """What has come, at least a byte; empty when the connection has ended."""
        ...

    def write(self, data: bytes) -> None:
        """Sends soon, in order, without waiting; a loss is noticed by `read`."""
        ...

    async def close(self) -> None:
        """May be called again."""
        ...


async def opened(settings: Settings) -> Link:
    """A link to a controller; raises Unavailable."""
    try:
        async with asyncio.timeout(_CONNECTING_S):
            if settings.device:
                return await SerialLink.opened(settings.device, settings.baud)
            return TcpLink(*await asyncio.open_connection(settings.host, settings.tcp_port))
    except TimeoutError:
        raise Unavailable(f"{settings.address} does not answer") from None
    except OSError as error:  # a SerialException is one
        raise Unavailable(f"{settings.address}: {error.strerror or error}") from error


class TcpLink:
    """Over the network, as grblHAL boards and serial servers offer it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """A connection that breaks has ended."""
        try:
            return await self._reader.read(_AT_ONCE)
        except OSError:
            return b""

    def write(self, data: bytes) -> None:
        """Never more waits here than the controller's buffer holds, so it need not be drained."""
        if not self._writer.is_closing():
            self._writer.write(data)

    async def close(self) -> None:
        """Waits until the socket is gone."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class SerialLink:
    """A serial port. pyserial's calls block, on Windows writing too, so that one thread reads and
    one writes; no loop can watch a Windows port by itself.

    Opening must not reset the controller: many boards are wired to reset when DTR changes. DTR is
    left asserted (boards with USB of their own send nothing without it) and, where the system
    knows it, stays so when the port is closed. The first opening after plugging in may reset all
    the same.
    """

    def __init__(self, port: serial.Serial, loop: asyncio.AbstractEventLoop) -> None:
        self._port = port
        self._loop = loop
        self._came: asyncio.Queue[bytes] = asyncio.Queue()
        self._going: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=f"{name} {port.name}", daemon=True)
            for name, work in (("read", self._reading), ("write", self._writing))
        ]
        self._closed = False
        for thread in self._threads:
            thread.start()

    @classmethod
    async def opened(cls, device: str, baud: int) -> "SerialLink":
        """Raises OSError."""
        port = await asyncio.to_thread(_open, device, baud)
        return cls(port, asyncio.get_running_loop())

    async def read(self) -> bytes:
        """Empty once the port is gone or closed."""
        return await self._came.get()

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
                    self._tell(came + self._port.read(self._port.in_waiting))
        self._tell(b"")

    def _writing(self) -> None:
        with contextlib.suppress(OSError, TypeError):  # as above
            while data := self._going.get():
                self._port.write(data)
            return
        self._tell(b"")

    def _tell(self, came: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._came.put_nowait, came)


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
