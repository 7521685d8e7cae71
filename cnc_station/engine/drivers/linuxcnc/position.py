"""What is known of a LinuxCNC machine's position.

The controller knows where its axes are from homing on, and says so. What it can't know: that it is
not the controller which this machine had before, and that a G92 offset, which outlasts programs and
restarts, is not the work zero that the next job means. For both a person has to confirm the zero.
"""

import json
from dataclasses import dataclass, replace
from typing import Self

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.position import Position, PositionBasis, PositionMemory
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, Place, Snapshot

NOT_HOMED = Position(PositionBasis.LOST, "not homed")
HOMED = Position(PositionBasis.HOMED, "homed at the machine")
CONFIRMED = Position(PositionBasis.CONFIRMED, "homed, and the work zero was confirmed")
SAME_MM = 0.001


@dataclass(frozen=True, slots=True)
class Mark:
    """Which controller it is, and the zero that a person has confirmed while G92 was active."""

    controller: str
    zero: Place | None = None

    def __str__(self) -> str:
        return json.dumps([self.controller, self.zero])

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for a text that is not one of ours."""
        try:
            controller, zero = json.loads(text)
            if zero is not None:
                x, y, z = map(float, zero)
                zero = (x, y, z)
            return cls(str(controller), zero)
        except (ValueError, TypeError):
            return None


class Knowledge:
    """Of one machine's position, over all its connections. `address` is for people."""

    def __init__(self, address: str) -> None:
        self.position: Position | None = None
        self._address = address
        self._trusted: Mark | None = None
        self._confirmed = False
        self._controller = ""  # that answers now

    def recall(self, memory: PositionMemory | None) -> None:
        """What was known in an earlier life."""
        if memory is None:
            return
        self.position = memory.position
        self._confirmed = memory.position.basis is PositionBasis.CONFIRMED
        self._trusted = Mark.read(memory.mark)

    def memory(self) -> PositionMemory | None:
        """What to know in the next one: another controller is one still, until it is confirmed."""
        if self.position is None or self._trusted is None:
            return None
        return PositionMemory(self.position, str(self._trusted))

    def see(self, now: Snapshot, controller: str) -> None:
        """Take a snapshot into account; the first controller that ever answers is the machine's."""
        self._controller = controller
        if self._trusted is None:
            self._trusted = Mark(controller)
        if not now.homed:
            self.position, self._confirmed = NOT_HOMED, False
        elif doubt := self._doubt(now):
            self.position = Position(PositionBasis.LOST, doubt)
        else:
            self.position = CONFIRMED if self._confirmed else HOMED

    def confirm(self, now: Snapshot) -> None:
        """A person vouches for the work zero and for this controller. Raises Conflict."""
        if now.estop or not now.on:
            raise Conflict("The machine is off or stopped: switch it on and home it first.")
        if now.state != IDLE:
            raise Conflict("A program is under way on the machine: wait until it has ended.")
        if not now.homed:
            raise Conflict("The machine is not homed: home it instead.")
        if now.g92 and now.zero is None:
            raise Conflict("A G92 offset is active: cancel it with G92.1 at the machine's panel.")
        self._trusted = Mark(self._controller, now.zero if now.g92 else None)
        self._confirmed = True
        self.see(now, self._controller)

    def _doubt(self, now: Snapshot) -> str:
        trusted = self._trusted
        if trusted is None:
            return ""
        if trusted.controller != self._controller:
            return (
                f"another controller answers at {self._address}: {self._controller}, "
                f"not {trusted.controller}"
            )
        if now.state != IDLE:
            return ""  # a program's own G92 is its own affair until it has ended
        if not now.g92:
            self._trusted = replace(trusted, zero=None)
            return ""
        if trusted.zero is None or not _same(trusted.zero, now):
            where = "" if now.zero is None else f" (zero at {_words(now.zero)})"
            return f"a G92 offset is active{where}, set by hand or left by another program"
        return ""


def _same(zero: Place, now: Snapshot) -> bool:
    """Whether it is the zero that was confirmed; in another work offset than G54 nobody can tell,
    and no program begins there without being told to."""
    if now.zero is None or "G54" not in now.codes:
        return True
    return all(abs(a - b) <= SAME_MM for a, b in zip(zero, now.zero, strict=True))


def _words(place: Place) -> str:
    return " ".join(f"{axis}{mm:g}" for axis, mm in zip("XYZ", place, strict=True))
