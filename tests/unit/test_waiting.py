"""Why jobs wait, for any shop."""

import math
from dataclasses import replace
from datetime import UTC
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from cnc_station.engine.domain.forecast import ForecastSlot, MachineNow, MachinePool, Queued
from cnc_station.engine.domain.machine import Capability, Envelope, Need
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.domain.waiting import Predecessor, QueueStatus, ShopSnapshot, next_words

NOW = 1_790_003_400_000
HOUR = 3_600_000

types = st.sampled_from(["mill", "lathe"])
materials = st.sampled_from(["", "steel", "Brass"])
sizes = st.one_of(st.none(), st.builds(Envelope, *[st.sampled_from([10.0, 100.0, 900.0])] * 3))
capabilities = st.builds(
    Capability,
    types,
    st.integers(1, 5),
    st.frozensets(st.sampled_from(["steel", "brass"])),
    st.integers(3, 5),
    sizes,
)
needs = st.builds(Need, types, st.integers(1, 5), materials, st.integers(3, 5), sizes)
machines = st.builds(
    MachineNow,
    id=st.just(0),
    name=st.just(""),
    state=st.sampled_from(MachineState),
    capability=capabilities,
    free_at=st.one_of(st.none(), st.integers(NOW - HOUR, NOW + 30 * HOUR)),
    leaving=st.booleans(),
    not_ready=st.sampled_from(["", "not homed"]),
    set_up=st.booleans(),
)
fleets = st.lists(machines, max_size=6).map(
    lambda found: [replace(m, id=n, name=f"M{n}") for n, m in enumerate(found, 1)]
)
queues = st.lists(
    st.builds(
        Queued,
        id=st.just(0),
        need=needs,
        seconds=st.floats(0, 1e6),
        pinned_machine_id=st.one_of(st.none(), st.integers(1, 7)),
    ),
    max_size=12,
).map(lambda found: [replace(one, id=n) for n, one in enumerate(found, 1)])
standings = st.builds(
    QueueStatus,
    id=st.integers(1, 20),
    state=st.sampled_from(JobState),
    since=st.integers(0, NOW),
    need=needs,
    retry_limit=st.integers(0, 5),
    failures=st.integers(0, 7),
    last_error=st.sampled_from(["", "tool 4 broke"]),
    not_before=st.one_of(st.none(), st.integers(0, 253_402_300_799_000)),
    blocked=st.booleans(),
    pinned_machine_id=st.one_of(st.none(), st.integers(1, 7)),
    automation=st.booleans(),
    machine=st.sampled_from(["", "M1"]),
    finished_at=st.one_of(st.none(), st.integers(0, NOW)),
    paused_by=st.sampled_from(["", "anna"]),
    predecessors=st.lists(
        st.builds(Predecessor, st.sampled_from(["op10", "Hub"]), st.sampled_from(JobState)),
        max_size=3,
    ),
)


def shop_of(fleet: list[MachineNow], queue: list[Queued]) -> ShopSnapshot:
    head: dict[str, list[Queued]] = {}
    for one in queue:
        head.setdefault(one.need.machine_type, []).append(one)
    ready = MachinePool(fleet)
    return ShopSnapshot(NOW, ready, head, ready.forecast(queue, NOW), UTC)


def said(fleet: list[MachineNow], queue: list[Queued], job: Queued) -> str:
    standing = QueueStatus(
        job.id, JobState.QUEUED, NOW, job.need, pinned_machine_id=job.pinned_machine_id
    )
    return next_words(standing, shop_of(fleet, queue))


@given(fleets, queues, standings)
def test_every_job_in_every_shop_has_a_line(
    fleet: list[MachineNow], queue: list[Queued], job: QueueStatus
) -> None:
    words = next_words(job, shop_of(fleet, queue))
    assert words == words.strip()
    assert words
    assert "None" not in words


@given(fleets, queues, st.data())
def test_the_reason_of_a_queued_job_is_true(
    fleet: list[MachineNow], queue: list[Queued], data: st.DataObject
) -> None:
    assume(queue)
    job = data.draw(st.sampled_from(queue))
    words = said(fleet, queue, job)
    fitting = [m for m in fleet if m.capability.fits(job.need)]
    if job.pinned_machine_id is not None:
        assert words.startswith("pinned to ")
        return
    if not any(m.capability.machine_type == job.need.machine_type for m in fleet):
        assert words == f"there is no {job.need.machine_type}"
    elif not fitting:
        assert words.startswith(f"no {job.need.machine_type} ")
    elif not any(m.serves for m in fitting):
        assert sum(m.name in words for m in fitting) == min(len(fitting), 2)
    else:
        assert any(m.name in words for m in fitting if m.serves)


@given(fleets, queues)
def test_a_turn_is_at_a_serving_machine_that_can_make_it(
    fleet: list[MachineNow], queue: list[Queued]
) -> None:
    slots = MachinePool(fleet).forecast(queue, NOW)
    for job in queue:
        able = [
            m
            for m in fleet
            if m.serves and m.capability.fits(job.need) and job.pinned_machine_id in (None, m.id)
        ]
        assert (job.id in slots) == bool(able)
        if able:
            assert slots[job.id].machine in able


@given(fleets, queues)
def test_each_machines_jobs_are_numbered_in_queue_order_and_start_one_after_another(
    fleet: list[MachineNow], queue: list[Queued]
) -> None:
    slots = MachinePool(fleet).forecast(queue, NOW)
    by_machine: dict[int, list[tuple[Queued, ForecastSlot]]] = {}
    for job in queue:
        if job.id in slots:
            by_machine.setdefault(slots[job.id].machine.id, []).append((job, slots[job.id]))
    for found in by_machine.values():
        assert [turn.ahead for _, turn in found] == list(range(len(found)))
        for (job, turn), (_, after) in pairwise(found):
            assert (turn.start_at is None) == (after.start_at is None)
            if turn.start_at is not None and after.start_at is not None:
                assert abs(after.start_at - turn.start_at - job.seconds * 1000) <= 1


@given(fleets, queues)
def test_every_job_gets_the_machine_that_is_free_first(
    fleet: list[MachineNow], queue: list[Queued]
) -> None:
    free = {m.id: free_at(m) for m in fleet if m.serves}
    slots = MachinePool(fleet).forecast(queue, NOW)
    for job in queue:
        able = [
            (free[m.id], m.id)
            for m in fleet
            if m.id in free
            and m.capability.fits(job.need)
            and job.pinned_machine_id in (None, m.id)
        ]
        if able:
            start, first = min(able)
            assert slots[job.id].machine.id == first
            free[first] = start + job.seconds * 1000


def free_at(machine: MachineNow) -> float:
    if machine.state is MachineState.IDLE:
        return NOW
    if machine.state is MachineState.NEEDS_CLEARING:
        return NOW + 1
    return math.inf if machine.free_at is None else max(NOW, machine.free_at)


@given(fleets, queues)
def test_no_machine_is_idle_while_a_job_it_fits_is_said_to_wait_for_another(
    fleet: list[MachineNow], queue: list[Queued]
) -> None:
    slots = MachinePool(fleet).forecast(queue, NOW)
    used = {turn.machine.id for turn in slots.values()}
    idle = [m for m in fleet if m.state is MachineState.IDLE and m.serves and m.id not in used]
    for job in queue:
        if job.pinned_machine_id is None and job.id in slots:
            starts_now = slots[job.id].start_at == NOW
            assert starts_now or not any(m.capability.fits(job.need) for m in idle)


def test_many_unavailable_machines_are_summed_up() -> None:
    away = [
        MachineNow(n, f"Mill {n}", MachineState.OFFLINE, Capability("mill")) for n in range(1, 6)
    ]
    words = said(away, [], Queued(1, Need("mill"), 1.0))
    assert words == "Mill 1 is offline and Mill 2 is offline, and 3 more are unavailable"
    words = said(away[:3], [], Queued(1, Need("mill"), 1.0))
    assert words.endswith(", and 1 more is unavailable")


def test_a_machine_going_into_maintenance_takes_no_more_jobs() -> None:
    leaving = MachineNow(
        1, "Mill 1", MachineState.RUNNING, Capability("mill"), NOW + HOUR, leaving=True
    )
    words = said([leaving], [], Queued(1, Need("mill"), 1.0))
    assert words == "only Mill 1 fits, and it goes into maintenance"


def test_a_run_past_its_estimate_may_end_any_moment() -> None:
    late = MachineNow(1, "Mill 1", MachineState.RUNNING, Capability("mill"), NOW - HOUR)
    job = Queued(1, Need("mill"), 1.0)
    assert said([late], [job], job) == "next on Mill 1, any moment"


def test_behind_a_held_machine_the_time_is_unknown() -> None:
    held = MachineNow(1, "Mill 1", MachineState.HELD, Capability("mill"))
    first, second = (Queued(n, Need("mill"), 60.0) for n in (1, 2))
    assert said([held], [first, second], first) == "next on Mill 1, which is held"
    assert said([held], [first, second], second) == "behind 1 job, Mill 1 is held"
