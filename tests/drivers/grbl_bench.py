"""A driver, the fake controller it talks to, and programs."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cnc_station.engine.domain.nc import read
from cnc_station.engine.drivers.base import NotReady, Order
from cnc_station.engine.drivers.grbl import settings
from cnc_station.engine.drivers.grbl.driver import Grbl
from cnc_station.engine.drivers.grbl.settings import Patience
from cnc_station.engine.views import Doing, Status
from tests.drivers.grbl_fake import FakeGrbl
from tests.drivers.grbl_wire import PtyWire, TcpWire, Wire
from tests.until import until

QUICK = Patience(
    poll=0.02,
    poll_running=0.02,
    answer=5.0,
    greeting=5.0,
    silence=3.0,
    idle=1.6,
    still=4.0,
    stop=5.0,
    offset=2.0,
)
"""Short waits where a test waits for their end, long ones where a busy computer must not matter."""

ASKED_BEFORE = len("$#\n$G\nF100\n$G\n$G\n$#\n")
"""Bytes that a fresh controller is sent between `load` and the first byte of a program."""

FAST = 40.0  # for programs that end
LONG = 400  # sides, some 10 s at that speed: for programs that do not end
HASTY = replace(QUICK, answer=1.0, greeting=1.0, silence=0.6, idle=0.4, still=1.5, stop=1.0)


def square(sides: int, feed: float = 1200.0) -> bytes:
    """Return a square program: one second for each side at that feed."""
    corners = ("X20Y0", "X20Y20", "X0Y20", "X0Y0")
    lines = [f"G1{corners[i % 4]}F{feed:g}" for i in range(sides)]
    return "\n".join(["G21G90", "G0X0Y0Z0", *lines, "M30", ""]).encode()


def order(source: bytes | None, *, run_id: int = 1, parts: int = 1) -> Order:
    program = read(source) if source is not None else None
    return Order(run_id, 1, 1, 1, parts, 60.0, "square.nc", program, source)


@dataclass(slots=True)
class Bench:
    fake: FakeGrbl
    wire: Wire
    driver: Grbl
    heard: list[Status] = field(default_factory=list)
    _others: list["asyncio.Task[None]"] = field(default_factory=list)

    async def begin(self, source: bytes) -> "asyncio.Task[None]":
        """Load and start a program. The task waits for its end."""
        await self.driver.load(order(source), 1)
        await self.driver.start()
        return asyncio.create_task(self.driver.ended())

    async def restart_station(self) -> None:
        """Replace the driver by a new one with the memory of this one."""
        memory = self.driver.memory()
        await self.driver.close()
        self.driver = Grbl(settings.from_machine({"port": self.wire.port}), QUICK)
        self.driver.recall(memory)
        self.driver.subscribe(self.heard.append)
        await self.driver.connect()

    async def refuses(self, why: str, source: bytes = b"G21G90\nG0X5\nM30\n") -> None:
        """Check that a program is not started and no line of it is sent."""
        lines = self.fake.lines
        with pytest.raises(NotReady, match=why):
            await self.driver.load(order(source), 1)
        assert self.fake.lines == lines

    async def make(self, source: bytes) -> None:
        """Make a whole part. Raises what the driver raises."""
        await (await self.begin(source))

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something else at the same time."""
        self._others.append(asyncio.create_task(work))

    async def settle(self) -> None:
        """Wait for all of these."""
        await asyncio.gather(*self._others)

    async def shows(self, doing: Doing) -> Status:
        await until(lambda: self.driver.status().doing is doing, 20.0)
        return self.driver.status()

    async def takes(self, lines: int) -> None:
        """Wait until the controller has taken so many lines."""
        await until(lambda: len(self.fake.taken) >= lines, 20.0)


@asynccontextmanager
async def bench(
    fake: FakeGrbl, *, pty: bool = False, patience: Patience = QUICK
) -> AsyncIterator[Bench]:
    """Connect; afterwards nothing may be left."""
    with TemporaryDirectory() as folder:
        wire = PtyWire(fake, Path(folder)) if pty else TcpWire(fake)
        await wire.put_back()
        driver = Grbl(settings.from_machine({"port": wire.port}), patience)
        it = Bench(fake, wire, driver)
        driver.subscribe(it.heard.append)
        try:
            await driver.connect()
            yield it
        finally:
            await it.driver.close()
            await wire.pull_out()


def sent(source: bytes) -> Sequence[str]:
    """Return what a controller has received after a whole program."""
    return source.decode().split()
