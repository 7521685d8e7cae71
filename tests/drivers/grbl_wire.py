"""Connects a fake GRBL to a TCP port or a pseudo-terminal, with a cable that can be pulled."""

import asyncio
import contextlib
import os
import sys
import tty
from math import inf
from pathlib import Path
from typing import Protocol

from tests.drivers.grbl_fake import FakeGrbl


class Wire(Protocol):
    @property
    def port(self) -> str:
        """The address for the driver's settings."""
        ...

    async def put_back(self) -> None: ...
    async def pull_out(self) -> None: ...


class TcpWire:
    """Like a network module: the newest connection is the active one."""

    def __init__(self, fake: FakeGrbl) -> None:
        self.fake = fake  # may be replaced while nothing is plugged in
        self._server: asyncio.Server | None = None
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None
        self._changing = asyncio.Lock()
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> str:
        return f"127.0.0.1:{self._number}"

    async def put_back(self) -> None:
        async with self._changing:
            if self._server is None:
                self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._number)
                self._number = self._server.sockets[0].getsockname()[1]

    async def pull_out(self) -> None:
        self.fake.detach()
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
        await asyncio.gather(*self._serving)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.fake.attach(writer.write)
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                self.fake.take(data)
        if self._writer is writer:
            self.fake.detach()
        writer.close()


class PtyWire:
    """Like a serial adapter: its name stays, the device behind it changes."""

    def __init__(self, fake: FakeGrbl, folder: Path) -> None:
        self._fake = fake
        self._name = folder / "ttyGRBL"
        self._ends: tuple[int, int] | None = None

    @property
    def port(self) -> str:
        return str(self._name)

    async def put_back(self) -> None:
        master, slave = self._ends = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._name.unlink(missing_ok=True)
        self._name.symlink_to(os.ttyname(slave))
        asyncio.get_running_loop().add_reader(master, self._read, master)
        self._fake.attach(lambda data: self._write(master, data))

    async def pull_out(self) -> None:
        self._fake.detach()
        if self._ends is not None:
            asyncio.get_running_loop().remove_reader(self._ends[0])
            for end in self._ends:
                os.close(end)
            self._ends = None

    def _read(self, master: int) -> None:
        with contextlib.suppress(OSError):
            self._fake.take(os.read(master, 4096))

    @staticmethod
    def _write(master: int, data: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(master, data)


async def _serve(*, hal: bool) -> None:
    wire = TcpWire(FakeGrbl(hal=hal, speed=inf))
    await wire.put_back()
    print(wire.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await wire.pull_out()


if __name__ == "__main__":  # a controller of infinite speed, until its input is closed
    asyncio.run(_serve(hal="hal" in sys.argv))
