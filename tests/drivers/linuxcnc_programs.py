"""Programs and drivers for the tests of LinuxCNC."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from cnc_station.engine.drivers.base import Order
from cnc_station.engine.drivers.linuxcnc import LinuxCnc
from tests import linuxcnc
from tests.until import until

HEAD = "G21 G90 G17 G94 G54 G49\nG0 X0 Y0 Z5\nF1800\n"
SQUARE = f"{HEAD}G1 X12\nG1 Y12\nG1 X0\nG1 Y0\nG0 Z10\nM2\n"  # some 2 s
STEADY = SQUARE.replace("F1800", "F600")  # some 5 s: long enough to observe it
SLOW = SQUARE.replace("F1800", "F300")  # some 10 s: for programs that are stopped
STOP = f"{HEAD}G1 X5\nM0\nG1 X8\nG0 Z6\nM2\n"
BEYOND = f"{HEAD}G1 X10\nG1 X300\nG0 X0\nM2\n"
BLINK = "G21 G90 G54 G49\nG0 X0.01\nM2\n"

_runs = iter(range(1, 10_000))


def order_of(text: str) -> Order:
    """Return an order with its own run."""
    return Order(
        run_id=next(_runs),
        job_id=1,
        attempt=1,
        complexity=1,
        parts=1,
        estimated_s=1.0,
        source=text.encode(),
    )


def driver_of(mill: linuxcnc.LinuxCnc, **settings: object) -> LinuxCnc:
    """Return a driver as a machine's settings make it."""
    return LinuxCnc.make({"port": mill.port, "program_folder": str(mill.programs), **settings})


@contextmanager
def cable() -> Iterator[Callable[[], None]]:
    """Of the connections that are made meanwhile: how to pull it out."""
    ends: list[asyncio.StreamWriter] = []
    open_connection = asyncio.open_connection

    async def noted(*address: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await open_connection(*address)
        ends.append(writer)
        return reader, writer

    def pull_out() -> None:
        ends[-1].transport.abort()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "open_connection", noted)
        yield pull_out


@asynccontextmanager
async def connected(mill: linuxcnc.LinuxCnc) -> AsyncIterator[LinuxCnc]:
    """Connect a driver. Two, one after the other, are a station that was restarted."""
    driver = driver_of(mill)
    await driver.connect()
    try:
        yield driver
    finally:
        await driver.close()


async def at_line(driver: LinuxCnc, line: int) -> None:
    """Wait until a square is in this line, or in a later side: not where an earlier run has
    ended."""
    await until(lambda: driver.status().line in range(line, 8))


async def begin(driver: LinuxCnc, text: str) -> Order:
    """Load and start a program."""
    order = order_of(text)
    await driver.load(order, 1)
    await driver.start()
    return order
