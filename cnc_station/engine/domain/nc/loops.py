"""Give up loops that never end, long before the largest number of blocks is read.

A loop never ends when nothing that changes has decided anything since the program was at the same
place, when nothing at all has changed since then, or when its condition has been tested many times
without getting nearer to its end.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cnc_station.engine.domain.nc.findings import ReadingStopped

NEVER_NEARER = 5_000  # tests of a condition
MOST_WITHOUT_A_MOVE = 8_000  # jumps back
State = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the two sides of a condition's only comparison are apart. `equality`: of EQ and NE,
    whose gap may be that of a flag, which stays the same until the loop ends."""

    size: float
    equality: bool


@dataclass(slots=True)
class _Visit:
    """The last time that a program jumped back at a line."""

    decisions: int
    state: State | None = None


@dataclass(slots=True)
class _Condition:
    """How near a condition was to its end since it last changed, and for how many tests."""

    holds: bool
    nearest: float
    last: float
    tests: int = 0


class LoopGuard:
    """Watches jumps back and what decides them. `moves` returns how many moves there are so far,
    `state` all that a condition can depend on."""

    __slots__ = (
        "_conditions",
        "_decisions",
        "_idle",
        "_moves",
        "_moves_before",
        "_state",
        "_visits",
    )

    def __init__(self, moves: Callable[[], int], state: Callable[[], State]) -> None:
        self._moves = moves
        self._state = state
        self._decisions = self._idle = self._moves_before = 0
        self._visits: dict[int, _Visit] = {}
        self._conditions: dict[int, _Condition] = {}

    def count(self) -> None:
        """Record that a counter, a call or a computed number decided where to go on."""
        self._decisions += 1

    def decide(self, index: int, condition: str, *, holds: bool, gap: Gap | None = None) -> None:
        """Record that a condition decided where to go on; with its gap if it decides a loop.
        Raises ReadingStopped."""
        if "#" not in condition:
            return
        self._decisions += 1
        if gap is None:
            return
        known = self._conditions.get(index)
        if known is None or known.holds is not holds or gap.size < known.nearest:
            self._conditions[index] = _Condition(holds, gap.size, gap.size)
            return
        known.tests += not gap.equality or gap.size > known.last
        known.last = gap.size
        if known.tests > NEVER_NEARER:
            raise never_ends()

    def back(self, index: int) -> None:
        """Record a jump back from a line. Raises ReadingStopped if the loop never ends."""
        moves = self._moves()
        self._idle = self._idle + 1 if moves == self._moves_before else 0
        self._moves_before = moves
        if self._idle > MOST_WITHOUT_A_MOVE:
            raise never_ends()
        last = self._visits.get(index)
        if last is None:
            self._visits[index] = _Visit(self._decisions)
            return
        state = self._state()
        if last.decisions == self._decisions or last.state == state:
            raise never_ends()
        last.decisions, last.state = self._decisions, state


def never_ends() -> ReadingStopped:
    """Return the error that ends reading."""
    return ReadingStopped("this loop never ends: reading stops here")
