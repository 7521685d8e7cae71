"""The leader settles the runs and machines that a station which is gone has left."""

import pytest
from sqlalchemy import delete, insert, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Fenced
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.domain.states import JobState, MachineState, RunState
from cnc_station.engine.store import schema
from cnc_station.engine.store.claims import ClaimForHandlers, ServedJobs
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.reaping import MOST_AT_ONCE, Reap
from cnc_station.engine.store.stations import Lead
from tests.store.shop import FOR_EVER_S, START, Shop, mill

LEASE_S = 300.0  # of a claim
SILENCE_S = 15.0
RETRIED = frozenset({"simulator"})
RETRY = RetryPolicy(initial_s=10.0, machining_limit=2, automation_limit=3)


async def _reap(shop: Shop, retried: frozenset[str] = RETRIED) -> int:
    term = await shop.write(Lead("shop", FOR_EVER_S))
    return await shop.write(Reap("shop", term, retried, RETRY, SILENCE_S))


async def _claimed(shop: Shop, *, started: bool = True, retry_limit: int | None = None) -> Claimed:
    await shop.machine()
    await shop.job(retry_limit=retry_limit)
    run = await shop.claim_one()
    if started:
        await shop.move(t.STARTED, run)
    return run


async def _fails_again(shop: Shop, run: Claimed) -> Claimed:
    """The job of a lost run at its next attempt, on another machine."""
    shop.later(1000)
    await shop.release_due()
    await shop.machine(mill(f"Mill {run.run_id + 1}"))
    again = await shop.claim_one()
    assert again.job_id == run.job_id
    await shop.move(t.STARTED, again)
    return again


async def test_a_run_is_lost_only_after_its_lease_has_ended(shop: Shop) -> None:
    run = await _claimed(shop)
    shop.later(LEASE_S)
    assert await _reap(shop) == 0
    assert shop.run_state(run) is RunState.RUNNING
    shop.later(0.001)
    assert await _reap(shop) == 1
    assert shop.run_state(run) is RunState.FAILED
    assert shop.machine_state(run.machine_id) is MachineState.OFFLINE
    assert await _reap(shop) == 0


async def test_a_run_that_was_never_started_goes_back_to_the_queue(shop: Shop) -> None:
    run = await _claimed(shop, started=False, retry_limit=0)
    shop.later(LEASE_S + 1)
    assert await _reap(shop, retried=frozenset()) == 1
    assert (shop.state(run.job_id), shop.run_state(run)) == (JobState.QUEUED, RunState.CANCELLED)
    assert shop.job_row(run.job_id).failures == 0
    assert shop.told(job_id=run.job_id)[-1] == "lost_returned"


async def test_a_run_of_a_driver_that_cuts_is_left_to_a_person(shop: Shop) -> None:
    """Whatever its job's retry limit."""
    run = await _claimed(shop, retry_limit=5)
    shop.later(LEASE_S + 1)
    assert await _reap(shop, retried=frozenset({"another"})) == 1
    assert shop.state(run.job_id) is JobState.INTERRUPTED
    assert shop.run_state(run) is RunState.INTERRUPTED
    assert shop.told(job_id=run.job_id)[-1] == "lost_interrupted"


async def test_a_lost_run_counts_as_a_failure_and_is_retried_after_its_backoff(shop: Shop) -> None:
    run = await _claimed(shop)
    shop.later(LEASE_S + 1)
    await _reap(shop)
    row = shop.job_row(run.job_id)
    assert (row.state, row.failures) == ("delayed", 1)
    assert row.not_before == shop.clock.ms + 10_000
    again = await _fails_again(shop, run)
    shop.later(LEASE_S + 1)
    await _reap(shop)
    assert shop.job_row(again.job_id).not_before == shop.clock.ms + 20_000


@pytest.mark.parametrize(("own", "retries"), [(None, 2), (0, 0), (1, 1)])
async def test_a_job_whose_runs_are_lost_needs_attention_after_its_retry_limit(
    shop: Shop, own: int | None, retries: int
) -> None:
    run = await _claimed(shop, retry_limit=own)
    for _ in range(retries):
        shop.later(LEASE_S + 1)
        await _reap(shop)
        assert shop.state(run.job_id) is JobState.DELAYED
        run = await _fails_again(shop, run)
    shop.later(LEASE_S + 1)
    await _reap(shop)
    assert shop.state(run.job_id) is JobState.NEEDS_ATTENTION
    assert shop.run_state(run) is RunState.FAILED
    assert shop.told(job_id=run.job_id)[-1] == "lost_final"


async def test_a_run_without_a_machine_has_the_retry_limit_of_automation(shop: Shop) -> None:
    (job_id,) = await shop.create(JobSpec("wait", handler="test.delay"))
    states = []
    for _ in range(4):
        await shop.write(ClaimForHandlers(LEASE_S, frozenset({ServedJobs("test.delay")}), 1))
        shop.later(LEASE_S + 1)
        assert await _reap(shop, retried=frozenset()) == 1
        states.append(shop.state(job_id))
        shop.later(1000)
        await shop.release_due()
    assert states == [*[JobState.DELAYED] * 3, JobState.NEEDS_ATTENTION]


async def test_runs_that_are_over_are_never_reaped(shop: Shop) -> None:
    run = await _claimed(shop)
    await shop.move(t.COMPLETED, run)
    shop.later(LEASE_S + 1)
    assert await _reap(shop) == 0
    assert shop.state(run.job_id) is JobState.COMPLETED


async def test_only_the_leader_of_this_term_reaps(shop: Shop) -> None:
    run = await _claimed(shop)
    term = await shop.write(Lead("shop", 10_000.0))
    shop.later(LEASE_S + 1)
    for incarnation, other_term in (("shop", term + 1), ("shop", term - 1), ("other", term)):
        with pytest.raises(Fenced, match="another station leads"):
            await shop.write(Reap(incarnation, other_term, RETRIED, RETRY, SILENCE_S))
    shop.clock.ms = START + 10_000_000  # its term has ended
    with pytest.raises(Fenced, match="another station leads"):
        await shop.write(Reap("shop", term, RETRIED, RETRY, SILENCE_S))
    assert shop.run_state(run) is RunState.RUNNING


async def _at_b(shop: Shop, heard_at: int, left_at: int | None = None) -> int:
    """An idle machine of a station B that was last heard of then."""
    machine_id = await shop.machine()
    values = {"name": "B", "incarnation": "b", "host": "pc-2", "version": "1", "started_at": 0}
    row = {**values, "heard_at": heard_at, "left_at": left_at, "lag_ms": 0.0}
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(insert(schema.station).values(row))
        connection.execute(update(schema.machine).values(station="B"))
    return machine_id


async def test_an_idle_machine_is_offline_once_its_station_has_been_silent_for_so_long(
    shop: Shop,
) -> None:
    machine_id = await _at_b(shop, heard_at=START)
    shop.later(SILENCE_S)
    assert await _reap(shop) == 0
    assert shop.machine_state(machine_id) is MachineState.IDLE
    shop.later(0.001)
    await _reap(shop)
    row = shop.row(schema.machine, machine_id)
    assert (row.state, row.state_reason) == ("offline", "its station is gone")
    assert shop.told(machine_id=machine_id)[-1] == "disconnected"


async def test_an_idle_machine_of_a_station_that_has_left_is_offline_at_once(shop: Shop) -> None:
    machine_id = await _at_b(shop, heard_at=START, left_at=START)
    await _reap(shop)
    assert shop.machine_state(machine_id) is MachineState.OFFLINE


@pytest.mark.parametrize("state", [MachineState.ALARM, MachineState.MAINTENANCE])
async def test_a_machine_that_is_not_idle_keeps_its_state_when_its_station_is_gone(
    shop: Shop, state: MachineState
) -> None:
    machine_id = await _at_b(shop, heard_at=0)
    alarmed = state is MachineState.ALARM
    await shop.move_machine(t.ALARMED if alarmed else t.MAINTENANCE_STARTED, machine_id)
    await _reap(shop)
    assert shop.machine_state(machine_id) is state


async def test_the_leaders_own_machines_and_removed_ones_are_left_as_they_are(shop: Shop) -> None:
    removed = await _at_b(shop, heard_at=0, left_at=0)
    await shop.move_machine(t.MACHINE_REMOVED, removed)
    own = await shop.machine(mill("Mill 2"))
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(
            insert(schema.station).values(
                name="A",
                incarnation="a",
                host="",
                version="1",
                started_at=0,
                heard_at=0,
                lag_ms=0.0,
            )
        )
    events = len(shop.events(machine_id=removed))
    await _reap(shop)
    assert shop.machine_state(own) is MachineState.IDLE
    assert len(shop.events(machine_id=removed)) == events


async def test_removed_machines_do_not_stand_before_others_that_were_left(shop: Shop) -> None:
    """A look takes so many: removed ones would come again in each."""
    removed = await _at_b(shop, heard_at=0, left_at=0)
    await shop.move_machine(t.MACHINE_REMOVED, removed)
    row = shop.row(schema.machine, removed)._asdict()
    del row["id"]
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(insert(schema.machine), [row] * MOST_AT_ONCE)
    left = await shop.machine(mill("Mill 2"))
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(update(schema.machine).values(station="B"))
    await _reap(shop)
    copies = schema.machine.c.id.not_in([removed, left])
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(delete(schema.machine).where(copies))  # they have no events
    assert shop.machine_state(left) is MachineState.OFFLINE
