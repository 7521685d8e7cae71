"""Shared by the tests of read-only drivers: an order, and reading a driver."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from cnc_station.engine.drivers.base import Order
from cnc_station.engine.drivers.read_only import ReadOnlyDriver
from cnc_station.engine.views import Doing
from tests.until import until

PROGRAM = "plate.nc"
HEARTBEAT_S = 5.0  # on a busy computer the agent does not count as dead
SETTLE_S = 0.3


def order(run_id: int = 7, name: str = PROGRAM, parts: int = 1) -> Order:
    """Return an order for `plate.nc`."""
    return Order(run_id, 1, 1, 1, parts, 60.0, name)


async def doing(driver: ReadOnlyDriver, wanted: Doing) -> None:
    """Wait until the driver reports this."""
    await until(lambda: driver.status().doing is wanted)


def begin(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a call that waits for the machine."""
    return asyncio.ensure_future(coroutine)


async def still_waits(task: asyncio.Task[None]) -> bool:
    """Return whether a call still waits after all received data was processed."""
    for _ in range(20):
        await asyncio.sleep(0)
    return not task.done()
