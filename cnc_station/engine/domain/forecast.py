"""Forecast which machine a queued job will get, and when.

The jobs take in queue order the suitable machine that is free first. The forecast is only as
accurate as the estimates of the jobs.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.machine import Capability, Need
from cnc_station.engine.domain.states import BUSY_MACHINES, MachineState

_SERVING = BUSY_MACHINES | {MachineState.IDLE, MachineState.NEEDS_CLEARING}


@dataclass(frozen=True, slots=True)
class MachineNow:
    """A machine in the forecast.

    `free_at` (ms) is the expected end of its run; None if unknown. `leaving`: it goes into
    maintenance after that run. `pace`: program seconds per real second. `not_ready`: why its
    controller cannot start a program. `set_up`: its job waits until a person has set it up.
    """

    id: int
    name: str
    state: MachineState
    capability: Capability
    free_at: int | None = None
    leaving: bool = False
    pace: float = 1.0
    not_ready: str = ""
    set_up: bool = False

    @property
    def serves(self) -> bool:
        """Whether it can take a job without repair, connection or return to service first."""
        return self.state in _SERVING and not self.leaving and not self.refuses

    @property
    def refuses(self) -> bool:
        """Whether it has no run and its controller cannot start one."""
        return bool(self.not_ready) and self.state not in BUSY_MACHINES


@dataclass(frozen=True, slots=True)
class Queued:
    """A claimable job: what it needs and how long it takes (all parts)."""

    id: int
    need: Need
    seconds: float
    pinned_machine_id: int | None = None


@dataclass(frozen=True, slots=True)
class ForecastSlot:
    """The forecast for a queued job: after `ahead` others, at `start_at` (ms; None if unknown)."""

    machine: MachineNow
    ahead: int
    start_at: int | None


class MachinePool:
    """The machines at one moment, grouped so that thousands of jobs are forecast quickly."""

    def __init__(self, machines: Iterable[MachineNow]) -> None:
        self.by_id = {machine.id: machine for machine in machines}
        alike: dict[Capability, list[MachineNow]] = defaultdict(list)
        for machine in self.by_id.values():
            alike[machine.capability].append(machine)
        self._alike = dict(alike)
        self._fitting: dict[Need, tuple[MachineNow, ...]] = {}

    def capabilities(self, machine_type: str) -> tuple[Capability, ...]:
        return tuple(one for one in self._alike if one.machine_type == machine_type)

    def fitting(self, need: Need) -> tuple[MachineNow, ...]:
        """Return every machine that can make this job, in any state."""
        if need not in self._fitting:
            self._fitting[need] = tuple(
                machine
                for capability, machines in self._alike.items()
                if capability.fits(need)
                for machine in machines
            )
        return self._fitting[need]

    def forecast(self, queue: Sequence[Queued], now: int) -> dict[int, ForecastSlot]:
        """Return the slot of each job of `queue` that a serving machine can make."""
        table = _Table(self._alike, now)
        slots = {}
        for job in queue:
            if (slot := table.assign(job)) is not None:
                slots[job.id] = slot
        return slots


class _Table:
    """The time when each machine gets free as jobs are assigned; one heap per capability."""

    def __init__(self, alike: dict[Capability, list[MachineNow]], now: int) -> None:
        self._free: dict[int, float] = {}
        self._ahead: dict[int, int] = defaultdict(int)
        self._machines: dict[int, MachineNow] = {}
        self._heaps: dict[Capability, list[tuple[float, int]]] = {}
        self._choices: dict[Need, list[list[tuple[float, int]]]] = {}
        for capability, machines in alike.items():
            heap = []
            for machine in machines:
                if machine.serves:
                    self._machines[machine.id] = machine
                    self._free[machine.id] = _free_at(machine, now)
                    heap.append((self._free[machine.id], machine.id))
            heapq.heapify(heap)
            self._heaps[capability] = heap

    def assign(self, job: Queued) -> ForecastSlot | None:
        machine = self._pinned(job) if job.pinned_machine_id is not None else self._first(job.need)
        if machine is None:
            return None
        start, ahead = self._free[machine.id], self._ahead[machine.id]
        self._ahead[machine.id] += 1
        self._free[machine.id] = start + job.seconds / machine.pace * 1000
        heap = self._heaps[machine.capability]
        heapq.heappush(heap, (self._free[machine.id], machine.id))
        return ForecastSlot(machine, ahead, None if math.isinf(start) else round(start))

    def _pinned(self, job: Queued) -> MachineNow | None:
        machine = self._machines.get(job.pinned_machine_id or 0)
        return machine if machine is not None and machine.capability.fits(job.need) else None

    def _first(self, need: Need) -> MachineNow | None:
        if need not in self._choices:
            self._choices[need] = [
                heap for capability, heap in self._heaps.items() if heap and capability.fits(need)
            ]
        heaps = self._choices[need]
        for heap in heaps:
            while heap[0][0] != self._free[heap[0][1]]:  # outdated by a later assignment
                heapq.heappop(heap)
        return self._machines[min(heap[0] for heap in heaps)[1]] if heaps else None


def _free_at(machine: MachineNow, now: int) -> float:
    if machine.state is MachineState.IDLE:
        return now
    if machine.state is MachineState.NEEDS_CLEARING:
        return now + 1  # a person has to clear it first: after every idle machine
    return math.inf if machine.free_at is None else max(now, machine.free_at)
