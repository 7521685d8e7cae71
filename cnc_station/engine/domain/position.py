"""Whether a controller's coordinates can be trusted: a fact with a history.

A controller without homing knows where its axes are only from counting steps since somebody set its
zero. Whatever may have broken that count makes the position unknown, until homing is seen or a
person confirms the work zero. Nothing starts on an unknown position.
"""

from dataclasses import dataclass
from enum import StrEnum


class PositionBasis(StrEnum):
    """What the knowledge of a position rests on."""

    FOUND = "found"  # as it stood when the machine was first connected; nothing speaks against it
    HOMED = "homed"  # by the controller, and nothing has happened since
    CONFIRMED = "confirmed"  # a person has vouched for the work zero
    LOST = "lost"  # something has happened that may have moved an axis or forgotten a zero


@dataclass(frozen=True, slots=True)
class Position:
    """What a position rests on. `reason` says in words what was seen or done; for a lost one it is
    what a person has to know before confirming."""

    basis: PositionBasis
    reason: str

    @property
    def known(self) -> bool:
        """Whether a program may start from it."""
        return self.basis is not PositionBasis.LOST


@dataclass(frozen=True, slots=True)
class PositionMemory:
    """What a driver has to know again in its next life, at this station or another: the position
    and `mark`, by which it recognises its controller (text of its own, kept as it is)."""

    position: Position
    mark: str = ""
