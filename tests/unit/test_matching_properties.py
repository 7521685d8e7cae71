"""The guarantees of matching, for any shop and any queue; and that no job waits forever."""

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.domain.machine import Capability, Envelope, Need
from cnc_station.engine.domain.matching import Candidate, FreeMachine, Match, match
from cnc_station.engine.domain.policies import RUN_NOW, RankPolicy

_TYPES = st.sampled_from(["mill", "lathe"])
_MATERIALS = st.sampled_from(["", "steel", "Brass"])
_PROGRAMS = st.sampled_from(["", "p1", "p2"])
_SIZES = st.none() | st.builds(Envelope, *[st.sampled_from([10.0, 50.0])] * 3)
_CAPABILITIES = st.builds(
    Capability,
    machine_type=_TYPES,
    max_complexity=st.integers(1, 3),
    materials=st.sampled_from([frozenset(), frozenset({"steel"}), frozenset({"steel", "brass"})]),
    axes=st.integers(3, 4),
    envelope=_SIZES,
)
_MACHINES = st.builds(
    FreeMachine,
    machine_id=st.integers(1, 12),
    capability=_CAPABILITIES,
    last_program=_PROGRAMS,
    last_material=_MATERIALS,
    run_seconds=st.sampled_from([0.0, 10.0, 20.0]),
)
_NEEDS = st.builds(Need, _TYPES, st.integers(1, 3), _MATERIALS, st.integers(1, 4), _SIZES)
_JOBS = st.builds(
    Candidate,
    job_id=st.integers(1, 99),
    rank=st.integers(0, 9).map(float),
    need=_NEEDS,
    program=_PROGRAMS,
    pinned_machine_id=st.none() | st.integers(1, 12),
)
Fleet = st.lists(_MACHINES, max_size=8, unique_by=lambda machine: machine.machine_id)
Queue = st.lists(_JOBS, max_size=14, unique_by=lambda job: job.job_id)
Batch = st.none() | st.integers(1, 4)
Offers = Mapping[Capability, Sequence[Candidate]]


def _offered(
    machines: Sequence[FreeMachine], queue: Sequence[Candidate], at_most: int | None
) -> tuple[Offers, list[Candidate]]:
    """Return what the store offers: the first fitting jobs for each capability, as many as it has
    machines or are wanted, and the jobs pinned to a free machine."""
    ranked = sorted(queue, key=lambda job: (job.rank, job.job_id))
    counts: dict[Capability, int] = {}
    for machine in machines:
        counts[machine.capability] = counts.get(machine.capability, 0) + 1
    offers = {
        capability: [
            job for job in ranked if job.pinned_machine_id is None and capability.fits(job.need)
        ][: count if at_most is None else min(count, at_most)]
        for capability, count in counts.items()
    }
    free = {machine.machine_id for machine in machines}
    return offers, [job for job in ranked if job.pinned_machine_id in free]


def _matched(
    machines: Sequence[FreeMachine], queue: Sequence[Candidate], at_most: int | None = None
) -> list[Match]:
    offers, pinned = _offered(machines, queue, at_most)
    return match(machines, offers, pinned, at_most)


@given(Fleet, Queue, Batch)
def test_no_machine_is_unfit_and_none_has_two_jobs(
    machines: list[FreeMachine], queue: list[Candidate], at_most: int | None
) -> None:
    fleet = {machine.machine_id: machine for machine in machines}
    jobs = {job.job_id: job for job in queue}
    matches = _matched(machines, queue, at_most)
    assert at_most is None or len(matches) <= at_most
    for one in matches:
        job = jobs[one.job_id]
        assert fleet[one.machine_id].capability.refusal(job.need) is None
        assert job.pinned_machine_id in (None, one.machine_id)
    assert len({one.job_id for one in matches}) == len(matches)
    assert len({one.machine_id for one in matches}) == len(matches)


@given(Fleet, Queue, Batch)
def test_no_job_is_passed_over_for_one_of_lower_rank(
    machines: list[FreeMachine], queue: list[Candidate], at_most: int | None
) -> None:
    fleet = {machine.machine_id: machine for machine in machines}
    jobs = {job.job_id: job for job in queue}
    matches = _matched(machines, queue, at_most)
    for one in matches:
        taken = jobs[one.job_id]
        for job in jobs.values():
            waits = all(other.job_id != job.job_id for other in matches)
            sooner = (job.rank, job.job_id) < (taken.rank, taken.job_id)
            could = fleet[one.machine_id].capability.fits(job.need)
            mine = job.pinned_machine_id in (None, one.machine_id)
            assert not (waits and sooner and could and mine), (job, one)


@given(Fleet, Queue, Batch)
def test_repeated_matching_leaves_no_machine_idle_that_could_work(
    machines: list[FreeMachine], queue: list[Candidate], at_most: int | None
) -> None:
    free, waiting = list(machines), list(queue)
    while matches := _matched(free, waiting, at_most):
        free = [m for m in free if all(one.machine_id != m.machine_id for one in matches)]
        waiting = [j for j in waiting if all(one.job_id != j.job_id for one in matches)]
    for machine in free:
        for job in waiting:
            mine = job.pinned_machine_id in (None, machine.machine_id)
            assert not (mine and machine.capability.fits(job.need))


def _cost(job: Candidate, machine: FreeMachine) -> tuple[int, float, int]:
    same = job.need.material.lower() == machine.last_material.lower()
    setup = 2
    if job.need.material and same:
        setup = 1
    if job.program and job.program == machine.last_program:
        setup = 0
    return setup, machine.run_seconds, machine.machine_id


@given(Fleet, Queue)
def test_the_first_job_gets_the_machine_with_the_least_set_up_then_the_least_used(
    machines: list[FreeMachine], queue: list[Candidate]
) -> None:
    matches = _matched(machines, [job._replace(pinned_machine_id=None) for job in queue])
    if not matches:
        return
    jobs = {job.job_id: job for job in queue}
    first = min((jobs[one.job_id] for one in matches), key=lambda job: (job.rank, job.job_id))
    able = [machine for machine in machines if machine.capability.fits(first.need)]
    best = min(able, key=lambda machine: _cost(first, machine))
    assert (first.job_id, best.machine_id) in {(one.job_id, one.machine_id) for one in matches}


@given(Fleet, Queue)
def test_fits_and_refusal_never_differ(machines: list[FreeMachine], queue: list[Candidate]) -> None:
    for machine in machines:
        for job in queue:
            refusal = machine.capability.refusal(job.need)
            assert machine.capability.fits(job.need) == (refusal is None)


_POLICY = RankPolicy()
_DAY_MS = 86_400_000


@given(
    priority=st.integers(0, 100),
    due_in=st.none() | st.integers(-_DAY_MS, 30 * _DAY_MS),
    newer=st.lists(
        st.tuples(
            st.integers(1, 3 * _DAY_MS),
            st.integers(0, 100),
            st.none() | st.integers(-_DAY_MS, 30 * _DAY_MS),
        ),
        max_size=40,
    ),
)
def test_a_job_is_overtaken_only_by_those_queued_within_a_bounded_time_after_it(
    priority: int, due_in: int | None, newer: list[tuple[int, int, int | None]]
) -> None:
    """100 points and the pull of a due date are worth a bounded time."""
    start = 1_790_003_400_000
    bound_ms = 1000 * ((100 - priority) * _POLICY.point_s + _POLICY.due_pull_s)
    own = _POLICY.rank(start, priority, None if due_in is None else start + due_in)
    for after, points, due in newer:
        other = _POLICY.rank(start + after, points, None if due is None else start + after + due)
        assert other > own or after <= bound_ms


@given(st.integers(0, 100), st.lists(st.integers(0, 100), min_size=1, max_size=30))
def test_a_busy_machine_serves_every_job_within_a_bounded_number_of_newer_ones(
    priority: int, priorities: list[int]
) -> None:
    """One machine, a new job every ten minutes, a job done every ten minutes, forever."""
    capability = Capability("mill")
    machine = FreeMachine(1, capability)
    need = Need("mill")
    every_ms, start = 600_000, 1_790_003_400_000
    policy = RankPolicy(point_s=60.0)
    bound = int((100 - priority) * policy.point_s * 1000 / every_ms) + 1
    queue = [Candidate(0, policy.rank(start, priority, None), need)]
    for number in range(1, bound + 2):
        points = priorities[number % len(priorities)]
        queue.append(Candidate(number, policy.rank(start + number * every_ms, points, None), need))
        first = sorted(queue, key=lambda job: (job.rank, job.job_id))[:1]
        (one,) = match([machine], {capability: first})
        if one.job_id == 0:
            return
        queue = [job for job in queue if job.job_id != one.job_id]
    raise AssertionError(f"not served after {bound} newer jobs")


@given(st.integers(0, 10**13), st.integers(0, 100), st.none() | st.integers(0, 10**13))
def test_run_now_is_before_every_rank_that_time_and_priority_can_make(
    queued_at: int, priority: int, due_at: int | None
) -> None:
    worth = RankPolicy(point_s=86_400.0, due_pull_s=30 * 86_400.0)
    for policy in (_POLICY, worth):
        assert policy.rank(queued_at, priority, due_at) > RUN_NOW + 10**13


@given(st.integers(0, 10**13), st.integers(0, 99), st.none() | st.integers(0, 10**13))
def test_priority_then_due_date_then_age_bring_a_job_forward(
    queued_at: int, priority: int, due_at: int | None
) -> None:
    own = _POLICY.rank(queued_at, priority, due_at)
    assert _POLICY.rank(queued_at, priority + 1, due_at) < own
    assert _POLICY.rank(queued_at + 1, priority, None) > _POLICY.rank(queued_at, priority, None)
    if due_at is not None:
        assert _POLICY.rank(queued_at, priority, due_at + _DAY_MS) >= own
        assert own < _POLICY.rank(queued_at, priority, None)
