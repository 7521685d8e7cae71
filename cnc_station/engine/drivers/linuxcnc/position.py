"""Whether the position of a LinuxCNC machine is known. The controller reports homing, but not that
it replaced another controller, and a G92 offset may not be the work zero of the next job. In both
cases a person has to confirm the zero."""

import json
from dataclasses import dataclass, replace
from typing import Self

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.machine import Position, PositionBasis, PositionMemory
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, Place, Snapshot

NOT_HOMED = Position(PositionBasis.LOST, "not homed")
HOMED = Position(PositionBasis.HOMED, "homed at the machine")
CONFIRMED = Position(PositionBasis.CONFIRMED, "homed, and the work zero was confirmed")
SAME_MM = 0.001


@dataclass(frozen=True, slots=True)
class Mark:
    """The controller, and the zero that a person has confirmed while G92 was active."""

    controller: str
    zero: Place | None = None

    def __str__(self) -> str:
        return json.dumps([self.controller, self.zero])

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Parse a mark; None if the text is not one."""
        try:
            controller, zero = json.loads(text)
            if zero is not None:
                x, y, z = map(float, zero)
                zero = (x, y, z)
            return cls(str(controller), zero)
        except (ValueError, TypeError):
            return None


class PositionKnowledge:
    """The position of one machine, over all its connections. `address` is for people."""

    def __init__(self, address: str) -> None:
        self.position: Position | None = None
        self._address = address
        self._trusted: Mark | None = None
        self._confirmed = False
        self._controller = ""  # the present controller

    def recall(self, memory: PositionMemory | None) -> None:
        if memory is None:
            return
        self.position = memory.position
        self._confirmed = memory.position.basis is PositionBasis.CONFIRMED
        self._trusted = Mark.read(memory.mark)

    def memory(self) -> PositionMemory | None:
        """A changed controller stays unconfirmed."""
        if self.position is None or self._trusted is None:
            return None
        return PositionMemory(self.position, str(self._trusted))

    def observe(self, now: Snapshot, controller: str) -> None:
        """Take a snapshot into account. The first controller is accepted as the machine's own."""
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
        """A person confirms the work zero and this controller. Raises Conflict."""
        if now.estop or not now.on:
            raise Conflict("The machine is off or stopped: switch it on and home it first.")
        if now.state != IDLE:
            raise Conflict("A program is running on the machine: wait until it has ended.")
        if not now.homed:
            raise Conflict("The machine is not homed: home it instead.")
        if now.g92 and now.zero is None:
            raise Conflict("A G92 offset is active: cancel it with G92.1 at the machine's panel.")
        self._trusted = Mark(self._controller, now.zero if now.g92 else None)
        self._confirmed = True
        self.observe(now, self._controller)

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
            return ""  # a G92 of the running program counts only after its end
        if not now.g92:
            self._trusted = replace(trusted, zero=None)
            return ""
        if trusted.zero is None or not _same(trusted.zero, now):
            where = "" if now.zero is None else f" (zero at {_words(now.zero)})"
            return f"a G92 offset is active{where}, set by hand or left by another program"
        return ""


def _same(zero: Place, now: Snapshot) -> bool:
    """Return whether the zero is the confirmed one. In another work offset than G54 this is
    unknown; a program does not begin there without stating it."""
    if now.zero is None or "G54" not in now.codes:
        return True
    return all(abs(a - b) <= SAME_MM for a, b in zip(zero, now.zero, strict=True))


def _words(place: Place) -> str:
    return " ".join(f"{axis}{mm:g}" for axis, mm in zip("XYZ", place, strict=True))
