"""Claims: the right job on the right machine, in one transaction."""

from dataclasses import replace
from typing import Any

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Envelope, MachineSpec
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.states import JobState, MachineState, RunState
from cnc_station.engine.store import schema
from cnc_station.engine.store.claims import Claim, ClaimForHandlers, ServedJobs
from cnc_station.engine.store.readiness import SetReadiness
from cnc_station.engine.store.reaping import Reap
from cnc_station.engine.store.stations import Lead
from tests.store.shop import FOR_EVER_S, START, Shop, frees, mill


async def test_a_claim_makes_a_run_and_ties_job_and_machine_to_it(shop: Shop) -> None:
    machine_id = await shop.machine()
    job_id = await shop.job(quantity=3, estimated_s=12.0, operation="op10", timeout_s=5.0)
    run = await shop.claim_one()
    assert (run.job_id, run.machine_id, run.token, run.attempt) == (job_id, machine_id, 1, 1)
    assert (run.name, run.quantity, run.estimated_s, run.timeout_s) == ("bracket · op10", 3, 12, 5)
    row = shop.row(schema.run, run.run_id)
    assert (row.state, row.station, row.lease_until) == ("assigned", "A", START + 300_000)
    assert shop.machine_state(machine_id) is MachineState.ASSIGNED
    assert shop.events()[-1]["reason"] == "least used"
    assert await shop.claim() == ()


async def test_where_nothing_is_to_be_loaded_a_run_has_begun_with_its_claim(shop: Shop) -> None:
    machine_id = await shop.machine()
    job_id = await shop.job(material="brass")
    (run,) = await shop.claim(begins_with_claim=[machine_id])
    assert run.begun
    assert shop.told(job_id=job_id) == ["created", "assigned", "started"]
    assert [event["job_state"] for event in shop.events(job_id=job_id)[1:]] == [
        "assigned",
        "running",
    ]
    assert shop.state(job_id) is JobState.RUNNING
    row = shop.row(schema.run, run.run_id)
    assert (row.state, row.started_at) == ("running", START)
    machine = shop.row(schema.machine, machine_id)
    assert (machine.state, machine.last_material) == ("running", "brass")
    await shop.move(t.COMPLETED, run)
    assert shop.state(job_id) is JobState.COMPLETED


async def test_an_operator_who_starts_a_machine_is_waited_for_all_the_same(shop: Shop) -> None:
    machine_id = await shop.machine(replace(mill("M"), operator_starts=True))
    await shop.job(material="brass")
    (run,) = await shop.claim(begins_with_claim=[machine_id])
    assert run.operator_starts
    assert not run.begun
    assert shop.machine_state(machine_id) is MachineState.ASSIGNED
    assert shop.row(schema.machine, machine_id).last_material == ""


@pytest.mark.parametrize(
    ("machine", "job"),
    [
        (mill("M", max_complexity=3), {"complexity": 4}),
        (mill("M", materials=frozenset({"steel"})), {"material": "brass"}),
        (mill("M", materials=frozenset({"steel"})), {}),
        (mill("M", materials=frozenset({"steel"})), {"material": "tool steel"}),
        (mill("M", materials=frozenset({"steel"})), {"operation": "steel"}),
        (mill("M", axes=3), {"axes": 4}),
        (mill("M", envelope=Envelope(100, 100, 100)), {"envelope": Envelope(101, 1, 1)}),
        (mill("M", envelope=Envelope(100, 100, 100)), {"envelope": Envelope(1, 101, 1)}),
        (mill("M", envelope=Envelope(100, 100, 100)), {"envelope": Envelope(1, 1, 101)}),
        (mill("M"), {"machine_type": "lathe"}),
    ],
)
async def test_an_unfit_machine_gets_nothing_even_pinned(
    shop: Shop, machine: MachineSpec, job: dict[str, object]
) -> None:
    machine_id = await shop.machine(machine)
    await shop.job(**job)
    await shop.job(**job, pinned_machine_id=machine_id)
    assert await shop.claim() == ()


@pytest.mark.parametrize(
    ("machine", "job"),
    [
        (mill("M", materials=frozenset({"steel"})), {"material": "STEEL"}),
        (mill("M", materials=frozenset({"édelstahl"})), {"material": "Édelstahl"}),
        (mill("M", materials=frozenset({"ÖLBRONZE"})), {"material": "Ölbronze"}),
        (mill("M", materials=frozenset({"ALÜMİNYUM"})), {"material": "ALÜMİNYUM"}),
        (mill("M", materials=frozenset({"ΧΑΛΥΒΑΣ"})), {"material": "Χαλυβας"}),
        (mill("M", envelope=Envelope(100, 100, 100)), {"envelope": Envelope(100, 100, 100)}),
        (mill("M", envelope=Envelope(100, 100, 100)), {}),
        (mill("M"), {"envelope": Envelope(1e5, 1e5, 1e5), "material": "unobtainium"}),
    ],
)
async def test_a_fit_machine_gets_it(
    shop: Shop, machine: MachineSpec, job: dict[str, object]
) -> None:
    await shop.machine(machine)
    job_id = await shop.job(**job)
    assert (await shop.claim_one()).job_id == job_id


@pytest.mark.parametrize("state", sorted(frozenset(MachineState) - {MachineState.IDLE}))
async def test_only_an_idle_machine_is_given_work(shop: Shop, state: MachineState) -> None:
    machine_id = await shop.machine(replace(mill("M"), operator_clears=True), connected=False)
    await shop.job()
    moves = {
        MachineState.OFFLINE: [],
        MachineState.MAINTENANCE: [t.MAINTENANCE_STARTED],
        MachineState.ALARM: [t.CONNECTED, t.ALARMED],
    }
    if state in moves:
        for move in moves[state]:
            await shop.move_machine(move, machine_id)
    else:
        await shop.move_machine(t.CONNECTED, machine_id)
        run = await shop.claim_one()
        for step in {
            MachineState.ASSIGNED: [],
            MachineState.RUNNING: [t.STARTED],
            MachineState.HELD: [t.STARTED, t.HELD],
            MachineState.NEEDS_CLEARING: [t.STARTED, t.COMPLETED],
        }[state]:
            await shop.move(step, run)
        await shop.job()
    assert shop.machine_state(machine_id) is state
    assert await shop.claim() == ()


async def test_a_removed_machine_is_given_nothing(shop: Shop) -> None:
    machine_id = await shop.machine()
    await shop.job()
    await shop.move_machine(t.MACHINE_REMOVED, machine_id)
    assert await shop.claim() == ()


async def test_a_machine_whose_controller_would_start_nothing_is_given_nothing(
    shop: Shop,
) -> None:
    machine_id = await shop.machine()
    job_id = await shop.job()
    await shop.write(SetReadiness(machine_id, "not homed", "station"))
    assert await shop.claim() == ()
    await shop.write(SetReadiness(machine_id, "", "station"))
    assert frees(shop.notices[-1])
    assert (await shop.claim_one()).job_id == job_id


@pytest.mark.parametrize("starts", [False, True])
@pytest.mark.parametrize("clears", [False, True])
async def test_a_claim_says_what_its_machine_waits_for_a_person_for(
    shop: Shop, starts: bool, clears: bool
) -> None:
    await shop.machine(replace(mill("M"), operator_starts=starts, operator_clears=clears))
    await shop.job()
    claimed = await shop.claim_one()
    assert (claimed.operator_starts, claimed.operator_clears) == (starts, clears)


async def test_jobs_go_out_in_the_order_of_their_rank(shop: Shop) -> None:
    for number in range(3):
        await shop.machine(mill(f"Mill {number}"))
    old = await shop.job()
    shop.later(60)
    high = await shop.job(priority=90)
    due = await shop.job(due_at=shop.clock.ms + 60_000)
    low = await shop.job(priority=10)
    now = await shop.job()
    await shop.act(JobAction.RUN_NOW, now)
    assert [run.job_id for run in await shop.claim()] == [now, high, due]
    await shop.machine(mill("Mill 3"))
    await shop.machine(mill("Mill 4"))
    assert [run.job_id for run in await shop.claim()] == [low, old]


async def test_a_pinned_job_waits_for_its_machine_and_gets_no_other(shop: Shop) -> None:
    first, second = await shop.machine(mill("Mill 1")), await shop.machine(mill("Mill 2"))
    await shop.move_machine(t.MAINTENANCE_STARTED, second)
    pinned = await shop.job(pinned_machine_id=second)
    assert await shop.claim() == ()
    await shop.move_machine(t.MAINTENANCE_ENDED, second)
    run = await shop.claim_one()
    assert (run.job_id, run.machine_id) == (pinned, second)
    assert shop.events()[-1]["reason"] == "pinned to it"
    assert shop.machine_state(first) is MachineState.IDLE


async def test_a_pinned_job_goes_before_those_of_lower_rank_on_its_machine(shop: Shop) -> None:
    machine_id = await shop.machine()
    await shop.job()
    pinned = await shop.job(pinned_machine_id=machine_id, priority=10)
    assert (await shop.claim_one()).job_id == pinned


async def test_the_same_set_up_is_chosen_before_the_least_used(shop: Shop) -> None:
    steel, brass = await shop.machine(mill("Mill 1")), await shop.machine(mill("Mill 2"))
    for machine_id, material in ((steel, "steel"), (brass, "brass")):
        await shop.job(material=material, pinned_machine_id=machine_id)
        run = await shop.claim_one()
        await shop.move(t.STARTED, run, material=material)
        await shop.move(t.COMPLETED, run, seconds=60.0)
    job_id = await shop.job(material="Brass")
    assert [(run.job_id, run.machine_id) for run in await shop.claim()] == [(job_id, brass)]
    assert shop.events()[-1]["reason"] == "same material as the run before"


async def test_machines_of_different_ability_share_what_both_can_make(shop: Shop) -> None:
    small = await shop.machine(mill("Small", max_complexity=2))
    large = await shop.machine(mill("Large"))
    hard = await shop.job(complexity=5)
    easy, easier = await shop.create(JobSpec("a", "mill"), JobSpec("b", "mill"))
    claimed = [(run.job_id, run.machine_id) for run in await shop.claim()]
    assert claimed == [(hard, large), (easy, small)]
    assert shop.state(easier) is JobState.QUEUED


async def test_one_claim_gives_every_machine_that_can_its_work(shop: Shop) -> None:
    """Although machines of different ability are offered the same jobs first."""
    kinds = [mill(f"Mill {n}", max_complexity=1 + n % 5, axes=3 + n % 3) for n in range(20)]
    for spec in kinds:
        await shop.machine(spec)
    await shop.create(*(JobSpec(f"{n}", "mill", complexity=1 + n % 3) for n in range(30)))
    assert len(await shop.claim()) == len(kinds)
    assert await shop.claim() == ()


async def test_a_claim_of_few_takes_the_first_and_leaves_the_rest_to_the_next(shop: Shop) -> None:
    for number in range(4):
        await shop.machine(mill(f"Mill {number}"))
    late, first, second = [await shop.job(priority=priority) for priority in (0, 90, 50)]
    batches = [await shop.write(Claim(300.0, at_most=2)) for _ in range(3)]
    assert [[run.job_id for run in batch] for batch in batches] == [[first, second], [late], []]


async def test_a_machine_that_its_station_still_drives_is_given_nothing(shop: Shop) -> None:
    first, second = await shop.machine(mill("Mill 1")), await shop.machine(mill("Mill 2"))
    await shop.create(*(JobSpec(f"{n}", "mill") for n in range(2)))
    claimed = await shop.write(Claim(300.0, except_machines=frozenset({first})))
    assert [run.machine_id for run in claimed] == [second]
    assert shop.machine_state(first) is MachineState.IDLE
    assert (await shop.claim_one()).machine_id == first


async def test_another_stations_machines_are_left_alone(shop: Shop) -> None:
    await shop.machine()
    await shop.job()
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(schema.machine.update().values(station="B"))
    assert await shop.claim() == ()


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"max_complexity": 3},
        {"materials": frozenset({"steel"})},
        {"axes": 3},
        {"envelope": Envelope(10, 20, 30)},
        {"max_complexity": 3, "materials": frozenset({"steel"}), "axes": 3},
    ],
)
async def test_a_capability_of_the_shop_fits_the_same_jobs_in_sql_and_in_python(
    shop: Shop, limits: dict[str, Any]
) -> None:
    """`fits` decides, `refusal` words it, and the claim reads as many jobs as it has machines: one
    that its SQL lets pass against `fits` would stand before the next."""
    machine = mill("M", **limits)
    await shop.machine(machine)
    plain: dict[str, Any] = {"material": "steel", "envelope": Envelope(1, 1, 1)}
    for more in (
        {},
        {"material": "Steel"},
        {"material": ""},
        {"material": "brass"},
        {"complexity": 3},
        {"complexity": 4},
        {"axes": 3},
        {"axes": 4},
        {"envelope": None},
        {"envelope": Envelope(10, 20, 30)},
        {"envelope": Envelope(11, 20, 30)},
        {"envelope": Envelope(10, 21, 30)},
        {"envelope": Envelope(10, 20, 31)},
        {"machine_type": "lathe"},
    ):
        spec = JobSpec(**{"name": "first", "machine_type": "mill", "priority": 90, **plain, **more})
        fits = machine.capability.fits(spec.need)
        assert fits is (machine.capability.refusal(spec.need) is None)
        first, second = await shop.create(spec, JobSpec("second", "mill", **plain))
        run = await shop.claim_one()
        assert run.job_id == (first if fits else second), more
        await shop.run_to(t.COMPLETED, run)
        await shop.act(JobAction.CANCEL, second if fits else first)


async def test_a_run_without_a_machine_whose_station_is_gone_is_tried_again(shop: Shop) -> None:
    await shop.machine()
    (job_id,) = await shop.create(JobSpec("wait", handler="test.delay", payload={"durationMs": 1}))
    claim = ClaimForHandlers(300.0, frozenset({ServedJobs("test.delay")}), 5)
    assert await shop.claim() == ()
    (run,) = await shop.write(claim)
    assert (run.job_id, run.machine_id, run.begun) == (job_id, None, True)
    assert (run.handler, run.payload) == ("test.delay", '{"durationMs": 1}')
    shop.later(301)
    term = await shop.write(Lead("shop", FOR_EVER_S))
    reap = Reap("shop", term, frozenset(), RetryPolicy(), 300.0)
    assert await shop.write(reap) == 1
    assert (shop.state(job_id), shop.run_state(run)) == (JobState.DELAYED, RunState.FAILED)
    assert shop.told(job_id=job_id)[-1] == "lost_retry"
    assert shop.broken() == []


async def test_jobs_for_handlers_are_claimed_in_queue_order_by_those_who_know_them(
    shop: Shop,
) -> None:
    first, urgent, other = await shop.create(
        JobSpec("first", handler="test.delay"),
        JobSpec("urgent", handler="test.delay", priority=100),
        JobSpec("other", handler="acme.report", priority=100),
    )
    known = frozenset({ServedJobs("test.delay")})
    taken = [run.job_id for run in await shop.write(ClaimForHandlers(300.0, known, 1))]
    taken += [run.job_id for run in await shop.write(ClaimForHandlers(300.0, known, 5))]
    assert taken == [urgent, first]
    assert shop.state(other) is JobState.QUEUED
