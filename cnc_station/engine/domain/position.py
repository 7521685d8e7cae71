"""Whether the coordinates of a controller can be trusted.

A controller without homing knows its axis positions only by counting steps since the zero was set.
Anything that may have lost steps makes the position unknown, until the machine homes or a person
confirms the work zero. No program starts from an unknown position.
"""

from dataclasses import dataclass
from enum import StrEnum


class PositionBasis(StrEnum):
    """The basis on which a position is known."""

    FOUND = "found"  # as found at the first connection; nothing contradicts it
    HOMED = "homed"  # homed by the controller, and nothing has happened since
    CONFIRMED = "confirmed"  # a person has confirmed the work zero
    LOST = "lost"  # something may have moved an axis or cleared a zero


@dataclass(frozen=True, slots=True)
class Position:
    """The basis of a position.

    `reason` states what was seen or done. For a lost position it states what a person has to know
    before confirming.
    """

    basis: PositionBasis
    reason: str

    @property
    def known(self) -> bool:
        """Whether a program may start from it."""
        return self.basis is not PositionBasis.LOST


@dataclass(frozen=True, slots=True)
class PositionMemory:
    """What a driver stores for its next start, at this station or another.

    `mark` identifies the controller. It is text of the driver, stored unchanged.
    """

    position: Position
    mark: str = ""
