"""The clock, and the pauses between attempts, as every room of the engine takes them."""

import random
import time


def now_ms() -> int:
    """This computer's clock."""
    return time.time_ns() // 1_000_000


class GrowingPause:
    """How long to wait before what has failed is tried again: twice as long each time.

    `jitter` is the share by which a pause may be shorter, so that those who failed together do not
    all come back together.
    """

    def __init__(self, first_s: float, longest_s: float, *, jitter: float = 0.0) -> None:
        self._first_s, self._longest_s, self._jitter = first_s, longest_s, jitter
        self._next_s = first_s

    @property
    def is_first(self) -> bool:
        """Whether nothing has failed since the last reset."""
        return self._next_s == self._first_s

    def next_s(self) -> float:
        """The pause after one more failure."""
        pause, self._next_s = self._next_s, min(self._next_s * 2, self._longest_s)
        return pause * random.uniform(1 - self._jitter, 1.0)

    def reset(self) -> None:
        """It has worked: begin with the first pause again."""
        self._next_s = self._first_s
