"""Measure how long the running loop delays a callback, and so a click."""

import asyncio
import math
from types import TracebackType
from typing import Self

_PERIOD = 0.005


class LagProbe:
    """Schedules a call every 5 ms and records how late it comes.

    Use it inside the running loop: `with LagProbe() as probe: ...`. A block of 100 ms counts as the
    twenty calls that it delayed, not as one.
    """

    def __init__(self) -> None:
        self.lags: list[float] = []
        """Seconds late, one for each call that was due."""

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
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
        if not self.lags:
            return 0.0
        return sorted(self.lags)[max(0, math.ceil(share * len(self.lags)) - 1)]

    def _ask_at(self, due: float) -> None:
        self._call = self._loop.call_at(due, self._note, due)

    def _note(self, due: float) -> None:
        self.lags.append(self._loop.time() - due)
        self._ask_at(due + _PERIOD)
