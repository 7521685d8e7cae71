"""How measured values are distributed: a histogram that grows for ever in constant memory."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Distribution:
    """`counts[i]` values were at most `bounds[i]` and above the bound before; the last count is of
    those above all bounds. `total` is their sum."""

    bounds: Sequence[float]
    counts: list[int]
    total: float = 0.0

    @classmethod
    def of(cls, *bounds: float) -> "Distribution":
        """An empty distribution with these bounds, in ascending order."""
        return cls(bounds, [0] * (len(bounds) + 1))

    def add(self, value: float) -> None:
        """Count a value; a negative one, from a clock that was set back, as 0."""
        value = max(0.0, value)
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def copy(self) -> "Distribution":
        return Distribution(self.bounds, list(self.counts), self.total)

    def buckets(self) -> list[tuple[str, int]]:
        """As Prometheus has them: each upper bound with the number of values up to it."""
        found, below = [], 0
        for bound, count in zip([*map(_number, self.bounds), "+Inf"], self.counts, strict=True):
            below += count
            found.append((bound, below))
        return found


def _number(bound: float) -> str:
    return str(float(bound))
