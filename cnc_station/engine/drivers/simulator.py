"""A simulated machine, in real time or faster. Time, line, position and percentage are those of the
program, computed only on request: a hundred of them cost no more than a hundred timers."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from cnc_station.engine.domain.machine import PositionMemory
from cnc_station.engine.domain.nc import at
from cnc_station.engine.drivers.base import (
    DriverKind,
    OnLoss,
    Order,
    RunAborted,
    RunFailed,
    RunInspection,
    RunOutcome,
)
from cnc_station.engine.drivers.dialects import DIALECT
from cnc_station.engine.views import (
    Abilities,
    Doing,
    DriverInfo,
    Identity,
    Message,
    Setting,
    Status,
)

SLOWEST, FASTEST = 0.001, 1e6  # program seconds per second
FAILING_COMPLEXITY = 5
FAILURE_SHARE = 0.25
_FAULTS = (
    "tool broke",
    "spindle load too high",
    "coolant pressure lost",
    "part moved in the vice",
)


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """`speed`: program seconds per real second. `seed` makes the failures repeatable."""

    speed: float = 1.0
    seed: int | None = None
    failure_share: float = FAILURE_SHARE


@dataclass(slots=True)
class _Run:
    """The current part. Times in program seconds; `since` on the clock of the loop."""

    order: Order
    part_s: float
    fails_at: float | None
    done: float = 0.0
    since: float | None = None
    begun: bool = False


def _number(settings: dict[str, object], name: str, default: float) -> float:
    try:
        return float(str(settings.get(name, default)))
    except ValueError:
        raise ValueError(f"{name.replace('_', ' ')} must be a number") from None


class Simulator:
    """Implements `Driver`."""

    on_loss = OnLoss.RETRY
    abilities = Abilities(outlives=False, begins_with_claim=True)

    def __init__(self, settings: SimulatorSettings) -> None:
        self.settings = settings
        self._run: _Run | None = None
        self._turned = asyncio.Event()
        self._aborted = False
        self._luck = random.random()

    @classmethod
    def make(cls, settings: dict[str, object]) -> Self:
        speed = _number(settings, "speed", 1.0)
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"the speed must be from {SLOWEST:g} to {FASTEST:,g}")
        share = _number(settings, "failure_share", FAILURE_SHARE)
        if not 0 <= share <= 1:
            raise ValueError("the share of failures must be from 0 to 1")
        seed = settings.get("seed")
        if seed is not None and not str(seed).isdecimal():
            raise ValueError("seed must be a whole number")
        return cls(SimulatorSettings(speed, None if seed is None else int(str(seed)), share))

    async def connect(self) -> Identity:
        return Identity("Simulator", (("Speed", f"{self.settings.speed:g} ×"),))

    async def close(self) -> None:
        """Nothing to disconnect."""

    def recall(self, memory: PositionMemory | None) -> None:
        """It has no real axes."""

    def memory(self) -> PositionMemory | None:
        return None

    async def confirm_position(self) -> None:
        """It has no real axes."""

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """Whether and where it fails is decided once for all parts of the run."""
        part_s = order.program.duration_s if order.program else order.estimated_s
        fails_at = None
        if order.complexity >= FAILING_COMPLEXITY:
            chance = self._chance(order)
            if chance.random() < self.settings.failure_share:
                fails_at = part_s * order.parts * chance.uniform(0.1, 0.9) - (part - 1) * part_s
        fails_here = fails_at is not None and fails_at < part_s
        self._run = _Run(order, part_s, fails_at if fails_here else None)
        self._aborted = False
        return ()

    async def start(self) -> None:
        assert self._run is not None
        self._run.begun = True
        self._run.since = asyncio.get_running_loop().time()

    async def ended(self) -> None:
        """Takes the time of the program, divided by the speed."""
        run = self._run
        assert run is not None
        try:
            end = run.part_s if run.fails_at is None else run.fails_at
            while (left := (end - self._elapsed(run)) / self.settings.speed) > 0:
                if self._aborted:
                    break
                self._turned.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if run.since is None else left):
                        await self._turned.wait()
        finally:
            self._run = None
        if self._aborted:
            raise RunAborted("aborted")
        if run.fails_at is not None:
            raise RunFailed(self._fault(run))

    def _chance(self, order: Order) -> random.Random:
        if self.settings.seed is None:
            return random.Random(f"{self._luck}/{order.run_id}")
        return random.Random(f"{self.settings.seed}/{order.job_id}/{order.attempt}")

    def _fault(self, run: _Run) -> str:
        fault = self._chance(run.order).choice(_FAULTS)
        assert run.fails_at is not None
        if run.order.program is None or run.part_s <= 0:
            return fault
        line = at(run.order.program, run.fails_at).line
        return f"{fault}, line {line}"

    async def hold(self) -> None:
        run = self._run
        if run is not None and run.since is not None:
            run.done = self._elapsed(run)
            run.since = None
            self._turned.set()

    async def resume(self) -> None:
        run = self._run
        if run is not None and run.since is None:
            run.since = asyncio.get_running_loop().time()
            self._turned.set()

    async def abort(self) -> None:
        self._aborted = True
        self._turned.set()

    async def unlock(self) -> None:
        """It is never locked."""

    async def inspect_run(self, order: Order) -> RunInspection:  # noqa: ARG002 - the seam's signature
        """A simulated run ends with its station and cuts nothing."""
        return RunInspection(RunOutcome.STOPPED, "the simulation ended with its station")

    def _elapsed(self, run: _Run) -> float:
        if run.since is None:
            return run.done
        passed = asyncio.get_running_loop().time() - run.since
        return run.done + passed * self.settings.speed

    def status(self) -> Status:
        run = self._run
        if run is None or not run.begun:  # a loaded program may never be started
            return Status(Doing.READY)
        doing = Doing.HELD if run.since is None else Doing.RUNNING
        elapsed = min(self._elapsed(run), run.part_s)
        status = Status(doing, fraction=elapsed / run.part_s if run.part_s > 0 else 1.0)
        if run.order.program is None:
            return status
        place = at(run.order.program, elapsed)
        return replace(
            status,
            program=run.order.name,
            line=place.line,
            x=place.x,
            y=place.y,
            z=place.z,
            feed_mm_min=place.feed if run.since is not None else 0.0,
            spindle_rpm=place.spindle,
            tool=place.tool,
        )

    def subscribe(
        self,
        listener: Callable[[Status], None],  # noqa: ARG002 - the seam's signature
    ) -> Callable[[], None]:
        """It changes only on request, so it never calls the listener."""
        return lambda: None

    def traffic(self) -> Sequence[Message]:
        return ()


KIND = DriverKind(
    DriverInfo(
        "simulator",
        "Simulator",
        (
            Setting("speed", "Speed", hint="Program seconds per second; empty: the station's"),
            Setting("failure_share", "Failure rate (0-1)", hint="Of runs of complexity 5"),
            Setting("seed", "Random seed", hint="A whole number makes the failures repeatable"),
            DIALECT,
        ),
        Simulator.abilities,
        real=False,
    ),
    Simulator.make,
)
