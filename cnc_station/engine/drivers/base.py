"""The driver interface, implemented for each kind of controller. For each part the caller awaits
`load`, `start` and `ended`. Changes at the controller go to the subscribers as `Status`. All calls
come from one event loop."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.machine import PositionMemory
from cnc_station.engine.domain.nc import Program
from cnc_station.engine.views import Abilities, DriverInfo, Identity, Message, Status


class OnLoss(StrEnum):
    """What to do with a started run whose station died."""

    RETRY = "retry"  # nothing was cut: run it again
    INTERRUPT = "interrupt"  # a part may be half made: ask the machine or a person


@dataclass(frozen=True, slots=True)
class Order:
    """The order for a driver: `parts` times a program, or `estimated_s` each without one. `source`
    is the exact bytes of the program, `name` its name for people. The parts before `part` are known
    to be done. For handlers: `payload` of the job, its `trace_id`, and the `key` of this run."""

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
    payload: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    trace_id: str = ""


class RunOutcome(StrEnum):
    """The outcome of a run that no station was watching."""

    UNDER_WAY = "under_way"  # this run is active or held: `ended` can wait for it
    FINISHED = "finished"  # it reached its end; only if that is proven
    STOPPED = "stopped"  # it did not reach its end, or this is unknown


@dataclass(frozen=True, slots=True)
class RunInspection:
    """The result of `inspect_run`. `detail` is all that is known, for the person who has to decide.
    `part` is the present or last part, from 1."""

    outcome: RunOutcome
    detail: str
    part: int = 1


class RunFailed(CncStationError):
    """The run ended before its end. `alarm`: the controller needs unlocking first. `final`: it is
    not tried again."""

    def __init__(self, reason: str, *, alarm: bool = False, final: bool = False) -> None:
        super().__init__(reason)
        self.alarm = alarm
        self.final = final


class RunAborted(CncStationError):
    """The run was aborted on request, and the controller has confirmed it."""


class EndUnproven(CncStationError):
    """The run has ended without proof that the part is done: a person has to decide. The message
    states all that is known."""


class NotReady(CncStationError):
    """Nothing was started. The message states why. The job is not affected."""


class Driver(Protocol):
    """The driver of one machine."""

    on_loss: OnLoss
    abilities: Abilities

    async def connect(self) -> Identity:
        """Connect to the controller, or reconnect after a loss. Changes nothing on the machine: a
        running program continues. Raises Unavailable."""

    async def close(self) -> None:
        """Disconnect; may be repeated. A running program continues if `abilities.outlives`."""

    def recall(self, memory: PositionMemory | None) -> None:
        """Restore what the driver of this machine stored last; None if it was never connected.
        Called before the first `connect`, or never: then nothing is known."""

    def memory(self) -> PositionMemory | None:
        """Return what to store for the next start, whenever `status().position` has changed. None
        for a machine without motion, or whose position is not tracked here."""

    async def confirm_position(self) -> None:
        """Accept a person's confirmation of the work zero: the position is known from now on.
        Raises Conflict if the machine moves, is in alarm or has to home instead; Unavailable."""

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """Prepare the program for part `part` (from 1). Returns the modes that had to be changed,
        in words, so that it begins in those it was read with (`Program.assumes`). Raises NotReady
        if they cannot be set with certainty or the position is unknown; Unavailable; RunFailed for
        a program that the controller refuses."""

    async def start(self) -> None:
        """Start the loaded program, in the modes set by `load` and from a known position. Returns
        when it has begun, or has already ended. Raises NotReady if nothing moved; RunFailed;
        Unavailable (then it may have begun)."""

    async def ended(self) -> None:
        """Wait until the part is proven to be done: the machine stands at the end of the program,
        has not restarted since the begin, and the program was really cut. Raises EndUnproven if the
        end is uncertain; RunFailed; RunAborted after `abort`; Unavailable (the run may
        continue)."""

    async def hold(self) -> None:
        """Feed hold. Returns when the axes have stopped. Raises Conflict, Unavailable."""

    async def resume(self) -> None:
        """Resume after a hold. Returns when the controller moves again. Raises as `hold`."""

    async def abort(self) -> None:
        """Abort the run. Without a run it does nothing. Returns when the controller has confirmed;
        `ended` then raises RunAborted. Raises Unavailable."""

    async def unlock(self) -> None:
        """Clear an alarm without moving an axis. Raises Conflict with what to do at the machine
        first; Unavailable."""

    async def inspect_run(self, order: Order) -> RunInspection:
        """Return what became of a run started with this order, possibly before a restart. Asks the
        controller and changes nothing. Raises Unavailable."""

    def status(self) -> Status:
        """Return the latest status, from memory."""

    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Call `listener` with each new status. Returns the function that ends this."""

    def traffic(self) -> Sequence[Message]:
        """Return the latest messages on the wire, oldest first."""


# Makes a driver from a machine's driver settings (see MachineSpec.settings). Raises ValueError with
# a sentence if they are not valid.
DriverFactory = Callable[[dict[str, object]], Driver]


def number_between(text: str, what: str, low: float, high: float, unit: str) -> float:
    """Return a number that was entered as a setting. Raises ValueError with a sentence."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise ValueError(f"{what} must be from {low:g} to {high:g} {unit}")
    return number


@dataclass(frozen=True, slots=True)
class DriverKind:
    """An entry of the registry: the description for people, and the factory."""

    info: DriverInfo
    make: DriverFactory
