"""The seam to a machine's controller."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.nc import Program
from cnc_station.engine.views import Telemetry


class OnLoss(StrEnum):
    """What may be done with a run that had started when its station died."""

    RETRY = "retry"  # nothing was cut: run it again
    INTERRUPT = "interrupt"  # a part may be half made: ask the machine or a person


@dataclass(frozen=True, slots=True)
class Order:
    """What a driver is asked to run: a program `parts` times, or `estimated_s` for each part."""

    run_id: int
    job_id: int
    attempt: int
    complexity: int
    parts: int
    estimated_s: float
    program: Program | None = None
    source: bytes | None = None


class RunFailed(CncStationError):
    """The controller ended the run without finishing it. `alarm`: it needs unlocking first."""

    def __init__(self, reason: str, *, alarm: bool = False) -> None:
        super().__init__(reason)
        self.alarm = alarm


class RunAborted(CncStationError):
    """The run was stopped because somebody asked for it, and the controller has confirmed."""


class Driver(Protocol):
    """One machine's controller. All methods are called from one event loop."""

    on_loss: OnLoss

    async def connect(self) -> None:
        """Reach the controller. Raises Unavailable."""
        ...

    async def close(self) -> None:
        """Let go of the controller; what it runs goes on if it is a real one."""
        ...

    async def run(self, order: Order) -> None:
        """Start and stay until all parts are done. Raises RunFailed, RunAborted, Unavailable."""
        ...

    async def hold(self) -> None:
        """Stop the feed; returns when the controller has stopped."""
        ...

    async def resume(self) -> None:
        """Go on after a hold; returns when the controller moves again."""
        ...

    async def abort(self) -> None:
        """End the run for good; `run` then raises RunAborted."""
        ...

    def telemetry(self) -> Telemetry | None:
        """The latest known about the run in hand, without asking the controller."""
        ...


# What a driver is made from: the machine's driver settings (see MachineSpec.settings). Raises
# ValueError with a sentence if it can't work with them.
DriverFactory = Callable[[dict[str, object]], Driver]
