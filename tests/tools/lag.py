"""Measure how long the running loop delays a callback, and so a click."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self
from unittest.mock import patch

from cnc_station import engine_thread
from cnc_station.engine.timing import watch_stalls

_PERIOD = 0.005


class LagProbe:
    """Schedules a call every 5 ms and records how late it comes.

    Use it inside the running loop: `with LagProbe() as probe: ...`. A block of 100 ms counts as the
    twenty calls that it delayed, not as one.
    """

    def __init__(self) -> None:
        self.lags: list[float] = []
        """Seconds late, one for each call that was due."""
        self.computed: list[float] = []
        """How much of that this process computed at most: the rest other processes did."""

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._used = time.process_time()
        self._ask_at(self._loop.time() + _PERIOD)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._call.cancel()

    def percentile(self, share: float) -> float:
        """Return the delay in seconds that this share (0 to 1) of the calls did not exceed; 0.0
        without calls."""
        return _percentile(self.lags, share)

    def percentile_computed(self, share: float) -> float:
        """Return the same of `computed`."""
        return _percentile(self.computed, share)

    def clear(self) -> None:
        self.lags.clear()
        self.computed.clear()

    def _ask_at(self, due: float) -> None:
        self._call = self._loop.call_at(due, self._note, due)

    def _note(self, due: float) -> None:
        lag, used = self._loop.time() - due, time.process_time()
        before = max(0.0, self.computed[-1] - _PERIOD) if self.computed else 0.0
        self.lags.append(lag)
        self.computed.append(min(lag, before + used - self._used))
        self._used = used
        self._ask_at(due + _PERIOD)


@contextmanager
def probe_of_drivers() -> Iterator[LagProbe]:
    """Probe the loop of an `EngineThread` that is started meanwhile."""
    probe = LagProbe()

    async def watched(report: Callable[[float], None]) -> None:
        with probe:
            await watch_stalls(report)

    with patch.object(engine_thread, "watch_stalls", watched):
        yield probe


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0.0
