"""A run that was lost sight of is taken up again where it goes on, and nowhere else."""

from dataclasses import replace

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.domain.refusals import JOB_IS
from cnc_station.engine.domain.states import JobState, MachineState, RunState
from cnc_station.engine.store import schema
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.parts import RecordInspection
from tests.store.shop import Shop, frees, mill


async def _running(shop: Shop, *, clears: bool = False) -> Claimed:
    await shop.machine(replace(mill("Mill 1"), operator_clears=clears))
    await shop.job()
    run = await shop.claim_one()
    await shop.move(t.STARTED, run)
    return run


async def _lost(shop: Shop, *, clears: bool = False) -> Claimed:
    run = await _running(shop, clears=clears)
    await shop.move(t.LOST_INTERRUPTED, run, reason="its station is gone")
    return run


def _states(shop: Shop, run: Claimed) -> tuple[JobState, RunState, MachineState]:
    return shop.state(run.job_id), shop.run_state(run), shop.machine_state(run.machine_id)


_RUNS = (JobState.RUNNING, RunState.RUNNING, MachineState.RUNNING)


async def _refused(shop: Shop, run: Claimed, words: str) -> None:
    before, events = _states(shop, run), len(shop.events())
    with pytest.raises(Conflict, match=words):
        await shop.move(t.REATTACHED, run)
    assert (_states(shop, run), len(shop.events())) == (before, events)


@pytest.mark.parametrize("held", [False, True])
async def test_a_live_run_is_taken_up_and_leased_anew(shop: Shop, held: bool) -> None:
    run = await _running(shop)
    if held:
        await shop.move(t.HELD, run)
    shop.later(1000)
    await shop.move(t.REATTACHED, run, lease_s=20.0)
    assert _states(shop, run) == _RUNS
    assert shop.row(schema.run, run.run_id).lease_until == shop.clock.ms + 20_000
    await shop.move(t.COMPLETED, run)
    assert shop.told(job_id=run.job_id)[-2:] == ["reattached", "completed"]


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("clears", [False, True])
async def test_a_run_given_up_by_the_leader_goes_on_as_if_it_had_not_been(
    shop: Shop, back: bool, clears: bool
) -> None:
    run = await _lost(shop, clears=clears)
    if back:
        await shop.move_machine(t.CONNECTED, run.machine_id)
    await shop.move(t.REATTACHED, run)
    assert _states(shop, run) == _RUNS
    row, job, machine = (
        shop.row(schema.run, run.run_id),
        shop.job_row(run.job_id),
        shop.row(schema.machine, run.machine_id),
    )
    assert (row.ended_at, row.error, job.failures) == (None, "", 0)
    assert (machine.job_id, machine.run_id) == (run.job_id, run.run_id)
    assert await shop.claim() == ()
    await shop.move(t.COMPLETED, run)
    rests = MachineState.NEEDS_CLEARING if clears else MachineState.IDLE
    assert _states(shop, run) == (JobState.COMPLETED, RunState.SUCCEEDED, rests)


async def test_a_run_that_ended_interrupted_at_its_station_can_be_taken_up(shop: Shop) -> None:
    run = await _running(shop, clears=True)
    await shop.move(t.INTERRUPTED, run)
    await shop.move(t.REATTACHED, run)
    assert _states(shop, run) == _RUNS


async def test_a_stale_token_takes_nothing_up(shop: Shop) -> None:
    run = await _lost(shop)
    with pytest.raises(Fenced):
        await shop.move(t.REATTACHED, run._replace(token=run.token - 1))
    assert shop.state(run.job_id) is JobState.INTERRUPTED


@pytest.mark.parametrize(
    "decision", [JobAction.RETRY, JobAction.SCRAP, JobAction.ACCEPT, JobAction.CANCEL]
)
async def test_what_a_person_has_decided_about_is_not_taken_up(
    shop: Shop, decision: JobAction
) -> None:
    run = await _lost(shop)
    await shop.act(decision, run.job_id)
    state = shop.state(run.job_id)
    await _refused(shop, run, f"can't take it up again. {JOB_IS[state].format(name='bracket')}")


async def test_a_job_that_runs_again_elsewhere_is_not_taken_up(shop: Shop) -> None:
    run = await _lost(shop)
    await shop.machine(mill("Mill 2"))
    await shop.act(JobAction.RETRY, run.job_id)
    second = await shop.claim_one()
    assert second.machine_id != run.machine_id
    await _refused(shop, run, "bracket is assigned to a machine.")
    await shop.move(t.STARTED, second)
    await shop.move(t.LOST_INTERRUPTED, second)
    await _refused(shop, run, "bracket was interrupted.")  # by another run than this


@pytest.mark.parametrize("ended", [False, True])
async def test_a_machine_that_another_job_is_at_is_not_taken_over(shop: Shop, ended: bool) -> None:
    run = await _lost(shop)
    await shop.move_machine(t.CONNECTED, run.machine_id)
    await shop.job()
    other = await shop.claim_one()
    await shop.move(t.STARTED, other)
    await _refused(shop, run, "Mill 1 is running.")
    if ended:
        await shop.move_machine(t.ALARMED, run.machine_id)
        await shop.move(t.FAILED_FINAL, other)
        await _refused(shop, run, "Mill 1 is in alarm.")


@pytest.mark.parametrize("away", [t.ALARMED, t.MAINTENANCE_STARTED, t.MACHINE_REMOVED])
async def test_a_machine_out_of_service_takes_nothing_up(shop: Shop, away: t.Transition) -> None:
    run = await _lost(shop)
    await shop.move_machine(away, run.machine_id)
    await _refused(shop, run, "can't take it up again")


async def test_a_machine_of_another_station_is_not_taken_up_from_here(shop: Shop) -> None:
    run = await _lost(shop)
    await shop.move_machine(t.MACHINE_MOVED, run.machine_id, station="B")
    await _refused(shop, run, "can't take it up again")


async def test_a_live_run_whose_machine_is_in_alarm_is_refused_for_good(shop: Shop) -> None:
    """Never taken for done already, although the run's state is the one that was asked for."""
    run = await _running(shop)
    await shop.move_machine(t.ALARMED, run.machine_id)
    await _refused(shop, run, "Mill 1 is in alarm.")


async def test_one_that_is_refused_does_not_stop_its_neighbours(shop: Shop) -> None:
    first = await _lost(shop)
    await shop.machine(mill("Mill 2"))
    await shop.job()
    second = await shop.claim_one()
    await shop.move(t.STARTED, second)
    await shop.act(JobAction.CANCEL, first.job_id)
    await _refused(shop, first, r"bracket is cancelled\.")
    await shop.move(t.REATTACHED, second)
    assert _states(shop, second) == _RUNS


async def test_a_job_put_aside_waits_paused_and_its_machine_is_free(shop: Shop) -> None:
    machine_id = await shop.machine(replace(mill("Mill 1"), operator_clears=True))
    job_id = await shop.job()
    run = await shop.claim_one()
    other = await shop.job()
    await shop.move(t.DEFERRED, run, reason="no material")
    assert _states(shop, run) == (JobState.PAUSED, RunState.CANCELLED, MachineState.IDLE)
    assert frees(shop.notices[-1])
    row = shop.job_row(job_id)
    assert (row.machine_id, row.run_id, row.failures) == (None, None, 0)
    second = await shop.claim_one()
    assert (second.job_id, second.machine_id) == (other, machine_id)
    await shop.act(JobAction.RESUME, job_id)
    await shop.move(t.RETURNED, second)
    with pytest.raises(Conflict):
        await shop.move(t.STARTED, run)


async def test_what_the_controller_tells_afterwards_is_there_for_who_decides(shop: Shop) -> None:
    run = await _lost(shop)
    words = "reset at line 120 of 400"
    assert run.machine_id is not None
    found = RecordInspection(run.job_id, run.run_id, run.token, run.machine_id, words, "recovery")
    for _ in range(2):
        await shop.write(found)
    assert shop.job_row(run.job_id).last_error == words
    assert shop.row(schema.run, run.run_id).error == "its station is gone"
    assert shop.told(job_id=run.job_id)[-2:] == ["lost_interrupted", "inspected"]
    with pytest.raises(Conflict, match="decided about meanwhile"):
        await shop.write(replace(found, token=run.token - 1, words="nothing"))
    await shop.act(JobAction.ACCEPT, run.job_id)
    with pytest.raises(Conflict, match="decided about meanwhile"):
        await shop.write(replace(found, words="idle"))
