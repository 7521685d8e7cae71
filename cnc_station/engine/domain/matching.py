"""Which free machine gets which waiting job: pure, so that its promises can be tested.

It keeps: never an unfit machine; never two jobs for a machine or two machines for a job; jobs
are served in rank order; each gets the best of its free machines: least set-up change (same
program, then same material, as the machine's last run), then the least used.
"""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cnc_station.engine.domain.machine import Capability, Need


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claimable job. Lower rank is sooner; the id breaks ties."""

    job_id: int
    rank: float
    need: Need
    program: str = ""
    pinned_machine_id: int | None = None


@dataclass(frozen=True, slots=True)
class FreeMachine:
    """An idle, clear machine and what it did last."""

    machine_id: int
    capability: Capability
    last_program: str = ""
    last_material: str = ""
    run_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Match:
    """A job, the machine it goes to, and in words why that one."""

    job_id: int
    machine_id: int
    why: str


_SETUPS = ("same program as the run before", "same material as the run before", "least used")


def _setups(program: str, material: str) -> list[tuple[int, str]]:
    """Set-up costs, cheapest first, with what has to be the same for each."""
    known = [(cost, name) for cost, name in ((0, program), (1, material.lower())) if name]
    return [*known, (2, "")]


@dataclass(slots=True)
class _Pool:
    """The free machines of one capability, found by set-up in constant time."""

    by_setup: dict[tuple[int, str], list[tuple[float, int]]] = field(default_factory=dict)
    size: int = 0

    def add(self, machine: FreeMachine) -> None:
        self.size += 1
        entry = (machine.run_seconds, machine.machine_id)
        for key in _setups(machine.last_program, machine.last_material):
            heapq.heappush(self.by_setup.setdefault(key, []), entry)

    def best(self, job: Candidate, taken: set[int]) -> tuple[int, float, int] | None:
        """(set-up cost, use, machine id) of its best machine that is not taken."""
        for key in _setups(job.program, job.need.material):
            heap = self.by_setup.get(key)
            while heap and heap[0][1] in taken:
                heapq.heappop(heap)
            if heap:
                return (key[0], *heap[0])
        return None


def _end(offer: Sequence[Candidate], pool: _Pool) -> tuple[float, float]:
    """The rank up to which an offer holds every job; one with fewer than machines holds all."""
    if len(offer) < pool.size:
        return (math.inf, math.inf)
    return (offer[-1].rank, offer[-1].job_id)


def _may_have(
    machine: FreeMachine, pinned: Candidate, ends: Mapping[Capability, tuple[float, float]]
) -> bool:
    sooner = (pinned.rank, pinned.job_id) <= ends[machine.capability]
    return sooner and machine.capability.fits(pinned.need)


def match(
    machines: Iterable[FreeMachine],
    offers: Mapping[Capability, Sequence[Candidate]],
    pinned: Sequence[Candidate] = (),
) -> list[Match]:
    """Matches in rank order.

    `offers` holds for each capability the first of the jobs it fits, in rank order, at least as
    many as it has machines (or all there are). A job is matched only to capabilities that were
    offered it, and a pinned one only where it comes before the end of an offer: beyond it there
    may be an earlier job that was not looked at. So ask again until nothing is matched.
    """
    free = {machine.machine_id: machine for machine in machines}
    pools: dict[Capability, _Pool] = {}
    for machine in free.values():
        pools.setdefault(machine.capability, _Pool()).add(machine)
    jobs = {job.job_id: job for job in pinned}
    offered: dict[int, list[Capability]] = {}
    for capability, candidates in offers.items():
        for job in candidates:
            if capability in pools and capability.fits(job.need):
                jobs[job.job_id] = job
                offered.setdefault(job.job_id, []).append(capability)
    ends = {capability: _end(offers.get(capability, ()), pools[capability]) for capability in pools}
    taken: set[int] = set()
    matches = []
    for job in sorted(jobs.values(), key=lambda job: (job.rank, job.job_id)):
        if job.pinned_machine_id is not None:
            own = free.get(job.pinned_machine_id)
            if own is None or own.machine_id in taken or not _may_have(own, job, ends):
                continue
            found: tuple[int, str] = (own.machine_id, "pinned to it")
        else:
            bests = (pools[c].best(job, taken) for c in offered.get(job.job_id, ()))
            best = min((b for b in bests if b), default=None)
            if best is None:
                continue
            found = (best[2], _SETUPS[best[0]])
        taken.add(found[0])
        matches.append(Match(job.job_id, *found))
        if len(taken) == len(free):
            break
    return matches
