"""How fast a peer may send, and how long its data may occupy the event loop."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TypeVar

from cnc_station.peers.limits import Limits

T = TypeVar("T")

SLICE_S = 0.004  # of the event loop, for the data of one peer


class Budget:
    """What a peer may still send: `limits.burst` bytes, refilled by `limits.bytes_per_s`."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._left: float = limits.burst
        self._at = clock()

    def spend(self, count: int) -> bool:
        """Spend so many bytes. Return False if that is more than the peer may send."""
        now = self._clock()
        refilled = self._left + (now - self._at) * self._limits.bytes_per_s
        self._left = min(refilled, self._limits.burst) - count
        self._at = now
        return self._left >= 0

    async def spend_slowly(self, count: int) -> None:
        """Spend so many bytes, and rest until they are refilled. The peer's own sending then slows
        down too."""
        if not self.spend(count):
            await asyncio.sleep(-self._left / self._limits.bytes_per_s)


class LoopShare:
    """The share of the loop that one peer's data gets: `SLICE_S`, then other work runs."""

    def __init__(self) -> None:
        self._end = time.monotonic() + SLICE_S

    async def offer(self) -> None:
        """Let other work run if the slice is over."""
        if time.monotonic() > self._end:
            await asyncio.sleep(0)
            self._end = time.monotonic() + SLICE_S


async def in_slices(items: Iterable[T]) -> AsyncGenerator[T, None]:
    """Yield the items, and let the loop run other work after each `SLICE_S`."""
    share = LoopShare()
    for item in items:
        yield item
        await share.offer()
