"""Match free machines with waiting jobs. Pure, so that its guarantees can be tested.

It guarantees: no unsuitable machine; one job per machine and one machine per job; jobs in rank
order; each job gets the best of its free machines: the least set-up change (same program, then same
material, as in the machine's last run), then the least used.

Its values are tuples: a round makes thousands, and a frozen dataclass takes three times as long.
"""

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from cnc_station.engine.domain.machine import Capability, Need


class Candidate(NamedTuple):
    """A claimable job. A lower rank is sooner; the id breaks ties."""

    job_id: int
    rank: float
    need: Need
    program: str = ""
    pinned_machine_id: int | None = None


class FreeMachine(NamedTuple):
    """An idle, clear machine and its last run."""

    machine_id: int
    capability: Capability
    last_program: str = ""
    last_material: str = ""
    run_seconds: float = 0.0


class Match(NamedTuple):
    """A job, its machine, and the reason for this machine in words."""

    job_id: int
    machine_id: int
    why: str


_SETUPS = ("same program as the run before", "same material as the run before", "least used")
_Setup = tuple[int, str]
_Place = tuple[float, float]


@lru_cache(maxsize=4096)
def _setups(program: str, material: str) -> tuple[_Setup, ...]:
    """Return set-up costs, cheapest first, each with what must be the same. Cached: jobs are
    alike."""
    least = (2, "")
    if not (program or material):
        return (least,)
    known = [(cost, name) for cost, name in ((0, program), (1, material.lower())) if name]
    return (*known, least)


def by_capability(machines: Iterable[FreeMachine]) -> dict[Capability, list[FreeMachine]]:
    """Group interchangeable machines, first by object: most share one capability, and hashing each
    machine's own costs more than the matching."""
    of_object: dict[int, list[FreeMachine]] = {}
    for machine in machines:
        of_object.setdefault(id(machine.capability), []).append(machine)
    groups: dict[Capability, list[FreeMachine]] = {}
    for group in of_object.values():
        groups.setdefault(group[0].capability, []).extend(group)
    return groups


class _Pool:
    """The free machines of one capability, found by set-up in constant time."""

    def __init__(self, capability: Capability, machines: Sequence[FreeMachine]) -> None:
        self.capability = capability
        self.size = len(machines)
        self._by_setup: dict[_Setup, list[tuple[float, int]]] = {}
        for machine in machines:
            entry = (machine.run_seconds, machine.machine_id)
            for setup in _setups(machine.last_program, machine.last_material):
                self._by_setup.setdefault(setup, []).append(entry)
        for entries in self._by_setup.values():
            entries.sort(reverse=True)  # the best at the end, from where it can be popped

    def best(
        self, setups: Iterable[_Setup], taken: Container[int]
    ) -> tuple[int, float, int] | None:
        """Return (set-up cost, use, machine id) of its best machine that is not taken."""
        for setup in setups:
            entries = self._by_setup.get(setup)
            while entries and entries[-1][1] in taken:
                entries.pop()
            if entries:
                return (setup[0], *entries[-1])
        return None


def _place(job: Candidate) -> _Place:
    return (job.rank, job.job_id)


def _offer_end(offer: Sequence[Candidate], pool: _Pool) -> _Place:
    """Return the rank up to which an offer contains every job: an offer with fewer jobs than
    machines contains all jobs, or all that are wanted."""
    return (math.inf, math.inf) if len(offer) < pool.size else _place(offer[-1])


def _may_have(machine: FreeMachine, pinned: Candidate, ends: Mapping[Capability, _Place]) -> bool:
    sooner = _place(pinned) <= ends[machine.capability]
    return sooner and machine.capability.fits(pinned.need)


def match(
    machines: Iterable[FreeMachine],
    offers: Mapping[Capability, Sequence[Candidate]],
    pinned: Sequence[Candidate] = (),
    at_most: int | None = None,
) -> list[Match]:
    """Return at most `at_most` matches in rank order.

    `offers` holds for each capability the first jobs that fit it, in rank order: at least as many
    as it has machines or as are wanted, or all there are. A job is matched only to capabilities it
    was offered to. A pinned job is matched only before the end of an offer: an earlier job may
    follow that end. Call again until nothing is matched.
    """
    free = {machine.machine_id: machine for machine in machines}
    wanted = len(free) if at_most is None else min(len(free), at_most)
    pools = [_Pool(*group) for group in by_capability(free.values()).items()]
    jobs = {job.job_id: job for job in pinned}
    offered: dict[int, list[_Pool]] = {}
    ends: dict[Capability, _Place] = {}
    for pool in pools:
        candidates = offers.get(pool.capability, ())
        ends[pool.capability] = _offer_end(candidates, pool)
        for job in candidates:
            if pool.capability.fits(job.need):
                jobs[job.job_id] = job
                offered.setdefault(job.job_id, []).append(pool)
    taken: set[int] = set()
    matches = []
    for job in sorted(jobs.values(), key=_place):
        if job.pinned_machine_id is not None:
            own = free.get(job.pinned_machine_id)
            if own is None or own.machine_id in taken or not _may_have(own, job, ends):
                continue
            found: tuple[int, str] = (own.machine_id, "pinned to it")
        else:
            best = _best(job, offered.get(job.job_id, ()), taken)
            if best is None:
                continue
            found = (best[2], _SETUPS[best[0]])
        taken.add(found[0])
        matches.append(Match(job.job_id, *found))
        if len(taken) == wanted:
            break
    return matches


def _best(
    job: Candidate, pools: Sequence[_Pool], taken: Container[int]
) -> tuple[int, float, int] | None:
    setups = _setups(job.program, job.need.material)
    if len(pools) == 1:
        return pools[0].best(setups, taken)
    bests = (pool.best(setups, taken) for pool in pools)
    return min((best for best in bests if best), default=None)
