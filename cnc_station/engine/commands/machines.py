"""Changes of machines."""

from dataclasses import dataclass
from typing import ClassVar

from cnc_station.engine.commands.base import Command
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.admission import REASON
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.views import ConnectionReport


@dataclass(frozen=True, slots=True)
class AddMachine(Command[int]):
    """Add a machine to this station; the answer is its id. Raises InvalidInput."""

    spec: MachineSpec


@dataclass(frozen=True, slots=True)
class EditMachine(Command[None]):
    """Raises Conflict for another driver, or other settings of it, while the machine is at work;
    it gets no work from then on until that driver reports that it is ready."""

    machine_id: int
    spec: MachineSpec


@dataclass(frozen=True, slots=True)
class ActOnMachine(Command[None]):
    """With CLEAR, `good`, `scrap` and `rework` count the parts of the machine's last run: all that
    a completed run made, at most the quantity of another; None: unknown. InvalidInput says what
    they add up to. UNLOCK asks the controller, whichever station it is connected to; Conflict says
    what has to be done first."""

    TEXTS: ClassVar = {"reason": REASON}

    action: MachineAction
    machine_id: int
    reason: str = ""
    good: int | None = None
    scrap: int | None = None
    rework: int | None = None


@dataclass(frozen=True, slots=True)
class MoveMachine(Command[None]):
    """Move a machine that is not at work to another station, which connects to it. Maintenance or
    an alarm goes on there, and a part on it still has to be cleared."""

    machine_id: int
    station: str


@dataclass(frozen=True, slots=True)
class TryMachine(Command[ConnectionReport]):
    """Connect as `spec` says, report what was found, and disconnect; nothing is stored or moved.
    Where it says `KEPT`, the stored passwords of the machine `machine_id` count. Raises
    InvalidInput."""

    spec: MachineSpec
    machine_id: int | None = None
