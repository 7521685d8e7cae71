"""The link to a controller: TCP, or a serial port."""

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
from cnc_station.peers.limits import GRBL

_PIECE = 2_048  # bytes given to the listener in one turn of the loop
_WAKE_S = 0.5
_WRITE_S = 2.0
_EXCLUSIVE = None if sys.platform == "win32" else True  # ports on Windows are always exclusive


class LinkListener(Protocol):
    """Receives what a link delivers. Called from within the loop."""

    def data_received(self, data: bytes) -> None: ...

    def link_ended(self) -> None:
        """The link has ended. May be called more than once, and after `close` too."""


class TcpLink(asyncio.Protocol):
    """A TCP link, as grblHAL boards and serial servers offer it. An asyncio protocol, not a stream:
    a stream needs one more turn of the loop for all data."""

    def __init__(self, listener: LinkListener) -> None:
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._closed_future = asyncio.get_running_loop().create_future()
        self._pending = b""  # received, and not yet passed on

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Pass on at most `_PIECE` bytes in one turn of the loop. What sends more has to wait."""
        if self._pending:
            self._pending += data
        elif len(data) <= _PIECE:
            self._listener.data_received(data)
        else:
            self._pending = data
            if self._transport is not None:
                self._transport.pause_reading()
            self._pass_on()

    def _pass_on(self) -> None:
        piece, self._pending = self._pending[:_PIECE], self._pending[_PIECE:]
        if piece:
            self._listener.data_received(piece)
        if self._pending:
            asyncio.get_running_loop().call_soon(self._pass_on)
        elif self._closed_future.done():
            self._listener.link_ended()
        elif self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        if not self._closed_future.done():
            self._closed_future.set_result(None)
        if not self._pending:
            self._listener.link_ended()

    def write(self, data: bytes) -> None:
        """Write without draining: never more than the controller's buffer holds. Does nothing after
        the link has ended."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def close(self) -> None:
        """Close and wait for the socket. Unsent data is dropped."""
        self._pending = b""
        if self._transport is not None:
            self._transport.abort()
            await self._closed_future


class SerialLink:
    """A serial port, with one thread that reads and one that writes.

    The calls of pyserial block, on Windows also for writing, and no event loop can watch a Windows
    port.

    Opening must not reset the controller: many boards reset when DTR changes. DTR is left asserted,
    because boards with native USB send nothing without it. If the system supports it, DTR stays
    asserted after closing. The first opening after plugging in may still reset the board.
    """

    def __init__(self, port: serial.Serial, listener: LinkListener) -> None:
        self._port = port
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._outgoing: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=f"{name} {port.name}", daemon=True)
            for name, work in (("read", self._read_loop), ("write", self._write_loop))
        ]
        self._closed = False
        for thread in self._threads:
            thread.start()

    @classmethod
    async def open(cls, device: str, baud: int, listener: LinkListener) -> "SerialLink":
        return cls(await asyncio.to_thread(_open, device, baud), listener)

    def write(self, data: bytes) -> None:
        self._outgoing.put(data)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._outgoing.put(b"")
            self._ignore_os_errors(self._port.cancel_read)
            self._ignore_os_errors(self._port.cancel_write)
            await asyncio.to_thread(self._join)

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()
        self._ignore_os_errors(self._port.close)

    @staticmethod
    def _ignore_os_errors(call: Callable[[], object]) -> None:
        with contextlib.suppress(OSError):  # closing a port that was pulled out fails
            call()

    def _read_loop(self) -> None:
        with contextlib.suppress(OSError, TypeError):  # TypeError: pyserial, closed during the call
            while not self._closed:
                data = self._port.read(1)
                if data:
                    self._call_in_loop(
                        self._listener.data_received, data + self._port.read(self._port.in_waiting)
                    )
        self._call_in_loop(self._listener.link_ended)

    def _write_loop(self) -> None:
        with contextlib.suppress(OSError, TypeError):  # as above
            while data := self._outgoing.get():
                self._port.write(data)
        self._call_in_loop(self._listener.link_ended)

    def _call_in_loop(self, call: Callable[..., None], *args: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(call, *args)


Link = TcpLink | SerialLink


async def open_link(settings: Settings, listener: LinkListener) -> Link:
    """Open a link to a controller. Raises Unavailable."""
    try:
        async with asyncio.timeout(GRBL.first_byte_s):
            if settings.device:
                return await SerialLink.open(settings.device, settings.baud, listener)
            _, link = await asyncio.get_running_loop().create_connection(
                lambda: TcpLink(listener), settings.host, settings.tcp_port
            )
            return link
    except OSError as error:  # includes SerialException and a timeout
        where = settings.device or f"{settings.host} port {settings.tcp_port}"
        raise unreachable(where, error, serial=bool(settings.device)) from error


def _open(device: str, baud: int) -> serial.Serial:
    """Open a port whose reads time out: on Windows a cancellation may come just before a read."""
    port = serial.Serial(
        device, baud, timeout=_WAKE_S, write_timeout=_WRITE_S, exclusive=_EXCLUSIVE
    )
    if sys.platform != "win32":
        with contextlib.suppress(termios.error):  # some ports do not support it
            modes = termios.tcgetattr(port.fileno())
            modes[2] &= ~termios.HUPCL  # keep DTR asserted when the port is closed
            termios.tcsetattr(port.fileno(), termios.TCSANOW, modes)
    return port
