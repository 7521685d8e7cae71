"""Measures how long the running loop keeps a callback, and so a click, waiting."""

import asyncio
import math
from types import TracebackType
from typing import Self

_PERIOD = 0.005


class LagProbe:
    """Asks to be called every 5 ms and notes how late it was.

    Used inside the running loop: `with LagProbe() as probe: ...`. A block of 100 ms counts as the
    twenty calls it has kept waiting, not as one.
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
        """Seconds that this share (0 to 1) of the calls were not later than; 0.0 without any."""
        if not self.lags:
            return 0.0
        return sorted(self.lags)[max(0, math.ceil(share * len(self.lags)) - 1)]

    def _ask_at(self, due: float) -> None:
        self._call = self._loop.call_at(due, self._note, due)

    def _note(self, due: float) -> None:
        self.lags.append(self._loop.time() - due)
        self._ask_at(due + _PERIOD)
