"""The seam to a machine's controller: one small asynchronous protocol, a file for each kind.

A driver speaks one controller's language and knows nothing of jobs, databases or screens. For each
part the runner asks it to `load`, to `start` and then waits in `ended`; what the controller does
meanwhile it tells its listeners as `Status`. All is called from one event loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.nc import Program
from cnc_station.engine.domain.position import PositionMemory
from cnc_station.engine.views import Abilities, DriverInfo, Identity, Message, Status


class OnLoss(StrEnum):
    """What may be done with a run that had started when its station died."""

    RETRY = "retry"  # nothing was cut: run it again
    INTERRUPT = "interrupt"  # a part may be half made: ask the machine or a person


@dataclass(frozen=True, slots=True)
class Order:
    """What a driver is asked to make: `parts` times a program, or `estimated_s` each without one.

    `source` are the program's exact bytes, `name` what people call it. The parts before `part` are
    known to be done.
    """

    run_id: int
    job_id: int
    attempt: int
    complexity: int
    parts: int
    estimated_s: float
    name: str = ""
    program: Program | None = None
    source: bytes | None = None
    part: int = 1


class RunOutcome(StrEnum):
    """What has become of a run that nobody watched."""

    UNDER_WAY = "under_way"  # this very run goes on, or is held: `ended` can wait for it
    FINISHED = "finished"  # it came to its end; only said where there is proof
    STOPPED = "stopped"  # it did not, or nobody can tell


@dataclass(frozen=True, slots=True)
class RunInspection:
    """The answer to `look`. `detail` is all that is known, for the person who has to decide; `part`
    is the part that is, or was, in hand, from 1."""

    outcome: RunOutcome
    detail: str
    part: int = 1


class RunFailed(CncStationError):
    """The controller ended the run without finishing it. `alarm`: it needs unlocking first."""

    def __init__(self, reason: str, *, alarm: bool = False) -> None:
        super().__init__(reason)
        self.alarm = alarm


class RunAborted(CncStationError):
    """The run was stopped because somebody asked for it, and the controller has confirmed."""


class EndUnproven(CncStationError):
    """The run has ended, and nothing proves that the part is done: a person has to decide. Says
    all that is known."""


class NotReady(CncStationError):
    """Nothing was started, and why: the job is none the worse for it."""


class Driver(Protocol):
    """One machine's controller."""

    on_loss: OnLoss
    abilities: Abilities

    async def connect(self) -> Identity:
        """Reach the controller; again after a loss. Changes nothing on the machine: what runs
        there goes on. Raises Unavailable."""
        ...

    async def close(self) -> None:
        """Let go of the controller; what it runs goes on if it `outlives` us. May be called
        again, and without `connect`."""
        ...

    def recall(self, memory: PositionMemory | None) -> None:
        """What the driver of this machine knew in its last life; None for a machine that was never
        reached. Called before the first `connect`, or never: then nothing was known."""
        ...

    def memory(self) -> PositionMemory | None:
        """What to keep for the next life, whenever `status().position` has changed; None for a
        machine that moves nothing, or whose position is not a question here."""
        ...

    async def confirm_position(self) -> None:
        """A person at the machine vouches for its work zero: from here on its position is known.
        Raises Conflict if it moves, is in alarm or homes instead; Unavailable."""
        ...

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """Have the program for part `part` (from 1) ready; what had to be set on the controller so
        that it begins in the modes it was read with (`Program.assumes`), in words. Raises NotReady
        where that can't be made true without doubt, or the position is not known; Unavailable;
        RunFailed for a program that the controller refuses."""
        ...

    async def start(self) -> None:
        """Start what is loaded, in the modes that `load` promised and from a known position;
        returns when the controller has begun, or has ended already.

        One that only reports returns when the controller says that it has begun by itself.
        Raises NotReady if nothing moved, RunFailed, Unavailable (then it may have begun).
        """
        ...

    async def ended(self) -> None:
        """Stay until the part is done, and there is proof of it: the machine stands where the
        program ends, in the boot in which it began, and it was really cut. Raises EndUnproven where
        nobody can tell, RunFailed, RunAborted after `abort`, Unavailable when the connection is
        lost: the run may go on without us."""
        ...

    async def hold(self) -> None:
        """Stop the feed; returns when the controller has stopped. Raises Conflict, Unavailable."""
        ...

    async def resume(self) -> None:
        """Go on after a hold; returns when the controller moves again. Raises as `hold`."""
        ...

    async def abort(self) -> None:
        """End the run for good; returns when the controller has confirmed, and `ended` raises
        RunAborted. Without a run it does nothing. Raises Unavailable."""
        ...

    async def unlock(self) -> None:
        """Out of an alarm, without moving an axis. Raises Conflict with what has to be done at
        the machine first, Unavailable."""
        ...

    async def inspect_run(self, order: Order) -> RunInspection:
        """What has become of a run that was started with this order, perhaps by an earlier life
        of this program. Asks the controller, changes nothing. Raises Unavailable."""
        ...

    def status(self) -> Status:
        """The latest, from memory."""
        ...

    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Call `listener` with each new status; returns how to stop that."""
        ...

    def traffic(self) -> Sequence[Message]:
        """What went over the wire lately, oldest first."""
        ...


# What a driver is made from: the machine's driver settings (see MachineSpec.settings). Raises
# ValueError with a sentence if it can't work with them.
DriverFactory = Callable[[dict[str, object]], Driver]


@dataclass(frozen=True, slots=True)
class DriverKind:
    """A row of the registry: what people choose, and how one is made."""

    info: DriverInfo
    make: DriverFactory
