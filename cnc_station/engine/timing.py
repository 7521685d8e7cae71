"""The clock, the pauses between attempts, and the wake-ups of waiting services."""

import asyncio
import random
import time
from collections.abc import Callable

SWITCH_S = 0.0005
"""How long a thread may keep the interpreter while another waits. While the window computes, the
engine's loop is late by 4.4 ms (p99), with Python's own 5 ms by 7.7. Without a window, a client of
the API waits half as long for a list: each call into the system gives the interpreter away."""


def now_ms() -> int:
    """Return the time by this computer's clock."""
    return time.time_ns() // 1_000_000


class GrowingPause:
    """The pause before the next attempt: twice as long after each failure.

    `jitter` is the share by which a pause may be shorter, so that callers that failed together do
    not all retry together.
    """

    def __init__(self, first_s: float, longest_s: float, *, jitter: float = 0.0) -> None:
        self._first_s, self._longest_s, self._jitter = first_s, longest_s, jitter
        self._next_s = first_s

    @property
    def is_first(self) -> bool:
        """Whether nothing has failed since the last reset."""
        return self._next_s == self._first_s

    def next_s(self) -> float:
        pause, self._next_s = self._next_s, min(self._next_s * 2, self._longest_s)
        return pause * random.uniform(1 - self._jitter, 1.0)

    def reset(self) -> None:
        self._next_s = self._first_s


class Wake:
    """A hint that there may be work. Several hints before the next `wait` count as one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None

    def hint(self) -> None:
        """End the current `wait`, or the next one at once."""
        self._event.set()

    def hint_within(self, seconds: float) -> None:
        """Hint after so long, unless the wait ends before that."""
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(seconds, self.hint)

    def forget(self) -> None:
        """Drop a hint of `hint_within` that is still to come."""
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def wait(self, at_most_s: float) -> None:
        try:
            async with asyncio.timeout(at_most_s):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
        self.forget()


STALL_S = 2.0
_STALL_LOOK_S = 0.5


async def watch_stalls(report: Callable[[float], None]) -> None:
    """Call `report` with the seconds after each standstill of this loop of at least `STALL_S`.

    The sleep of a computer does not count: its monotonic clock stands still too.
    """
    while True:
        before = time.monotonic()
        await asyncio.sleep(_STALL_LOOK_S)
        late = time.monotonic() - before - _STALL_LOOK_S
        if late >= STALL_S:
            report(late)
