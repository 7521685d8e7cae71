"""Moves of live runs, fenced by their token and guarded by their state."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.domain.refusals import RUN_IS
from cnc_station.engine.domain.states import JobState, MachineState, RunState
from cnc_station.engine.store import schema
from tests.store.shop import START, Shop, frees, mill, move_of, next_due

RUN_MOVES = [
    row
    for row in t.TRANSITIONS.values()
    if row.job is not None and row.run is not None and row.run.sources
]
_PATH: dict[RunState, list[t.Transition]] = {
    RunState.ASSIGNED: [],
    RunState.RUNNING: [t.STARTED],
    RunState.HELD: [t.STARTED, t.HELD],
    RunState.SUCCEEDED: [t.STARTED, t.COMPLETED],
    RunState.FAILED: [t.STARTED, t.FAILED_FINAL],
    RunState.CANCELLED: [t.STARTED, t.ABORTED],
    RunState.INTERRUPTED: [t.STARTED, t.INTERRUPTED],
}


async def _running(shop: Shop, **values: Any) -> Any:
    await shop.machine()
    await shop.job(**values)
    run = await shop.claim_one()
    await shop.move(t.STARTED, run)
    return run


@pytest.mark.parametrize("state", RunState)
@pytest.mark.parametrize("move", RUN_MOVES, ids=lambda move: move.name)
async def test_a_move_takes_job_run_and_machine_together_or_is_refused(
    shop: Shop, state: RunState, move: t.Transition
) -> None:
    machine_id = await shop.machine()
    job_id = await shop.job()
    run = await shop.claim_one()
    for step in _PATH[state]:
        await shop.move(step, run)
    assert shop.run_state(run) is state
    before = shop.told()
    assert move.job is not None
    assert move.run is not None
    if state in move.run.sources:
        await shop.move(move, run, reason="said so")
        event = shop.events()[-1]
        assert (event["type"], event["actor"], event["reason"]) == (move.name, "runner", "said so")
        assert (event["job_id"], event["run_id"], event["machine_id"]) == (job_id, 1, machine_id)
        assert (shop.state(job_id), shop.run_state(run)) == (move.job.target, move.run.target)
    else:
        with pytest.raises(Conflict, match=re.escape(RUN_IS[state].format(id=run.run_id))):
            await shop.move(move, run)
        assert shop.told() == before


@pytest.mark.parametrize("move", RUN_MOVES, ids=lambda move: move.name)
async def test_a_stale_token_changes_nothing_and_says_so(shop: Shop, move: t.Transition) -> None:
    run = await _running(shop)
    before = shop.events()
    with pytest.raises(Fenced, match="belongs to another claim now"):
        await shop.move(move, run._replace(token=run.token - 1))
    with pytest.raises(Fenced):
        await shop.move(move, run._replace(run_id=99))
    assert shop.events() == before


async def test_a_returned_job_gets_a_new_token_so_that_the_old_claim_is_stale(shop: Shop) -> None:
    await shop.machine()
    job_id = await shop.job()
    old = await shop.claim_one()
    await shop.move(t.RETURNED, old)
    row = shop.job_row(job_id)
    assert (row.state, row.machine_id, row.run_id) == (JobState.QUEUED, None, None)
    new = await shop.claim_one()
    assert new.token > old.token + 1
    with pytest.raises(Conflict):
        await shop.move(t.STARTED, old)
    assert shop.state(job_id) is JobState.ASSIGNED


async def test_one_fenced_run_does_not_stop_its_neighbours(shop: Shop) -> None:
    for name in ("Mill 1", "Mill 2", "Mill 3"):
        await shop.machine(mill(name))
    for _ in range(3):
        await shop.job()
    a, b, c = await shop.claim()
    answers = await asyncio.gather(
        *(shop.write(move_of(t.STARTED, run)) for run in (a, b._replace(token=b.token + 1), c)),
        return_exceptions=True,
    )
    assert answers[0] is answers[2] is None
    assert isinstance(answers[1], Fenced)
    assert [shop.run_state(run) for run in (a, b, c)] == ["running", "assigned", "running"]


async def test_a_failure_waits_its_backoff_and_then_queues_again(shop: Shop) -> None:
    run = await _running(shop)
    await shop.move(t.FAILED_RETRY, run, reason="tool broke", backoff_s=12.5)
    row = shop.job_row(run.job_id)
    assert (row.state, row.failures, row.last_error) == (JobState.DELAYED, 1, "tool broke")
    assert row.not_before == START + 12_500
    assert next_due(shop.notices[-1]) == START + 12_500
    shop.later(12.499)
    assert await shop.release_due() == 0
    shop.later(0.001)
    assert await shop.release_due() == 1
    again = await shop.claim_one()
    assert (again.attempt, again.failures) == (2, 1)


async def test_a_run_leaves_its_marks_on_the_machine(shop: Shop) -> None:
    run = await _running(shop, material="Steel")
    row = shop.row(schema.machine, run.machine_id)
    assert (row.job_id, row.run_id, row.runs_done) == (run.job_id, run.run_id, 0)
    shop.later(90)
    await shop.move(t.COMPLETED, run, seconds=90.0)
    row = shop.row(schema.machine, run.machine_id)
    assert (row.job_id, row.run_id, row.runs_done, row.run_seconds) == (None, None, 1, 90.0)
    ended = shop.row(schema.run, run.run_id)
    assert (ended.started_at, ended.ended_at) == (START, START + 90_000)
    assert shop.job_row(run.job_id).finished_at == START + 90_000


@pytest.mark.parametrize(
    "move", [t.COMPLETED, t.FAILED_RETRY, t.FAILED_FINAL, t.ABORTED, t.INTERRUPTED]
)
async def test_a_machine_whose_operator_clears_it_waits_for_that_after_a_run(
    shop: Shop, move: t.Transition
) -> None:
    machine_id = await shop.machine(replace(mill("Mill 1"), operator_clears=True))
    await shop.job()
    await shop.job()
    await shop.run_to(move, await shop.claim_one())
    assert shop.machine_state(machine_id) is MachineState.NEEDS_CLEARING
    assert await shop.claim() == ()
    await shop.move_machine(t.CLEARED, machine_id)
    assert frees(shop.notices[-1])
    assert len(await shop.claim()) == 1


async def test_a_machine_that_nothing_was_started_on_needs_no_clearing(shop: Shop) -> None:
    machine_id = await shop.machine(replace(mill("Mill 1"), operator_clears=True))
    await shop.job()
    await shop.move(t.RETURNED, await shop.claim_one())
    assert shop.machine_state(machine_id) is MachineState.IDLE


@pytest.mark.parametrize("moves", [[t.STARTED, t.COMPLETED], [t.RETURNED], [t.ABORTED]])
async def test_maintenance_asked_for_during_a_run_begins_when_it_ends(
    shop: Shop, moves: list[t.Transition]
) -> None:
    machine_id = await shop.machine(replace(mill("Mill 1"), operator_clears=True))
    await shop.job()
    await shop.job()
    run = await shop.claim_one()
    await shop.move_machine(t.MAINTENANCE_ASKED, machine_id)
    for move in moves:
        await shop.move(move, run)
    assert shop.machine_state(machine_id) is MachineState.MAINTENANCE
    assert await shop.claim() == ()
    await shop.move_machine(t.MAINTENANCE_ENDED, machine_id)
    assert shop.machine_state(machine_id) is MachineState.IDLE
    assert len(await shop.claim()) == 1


async def test_an_alarm_outlives_the_run_and_the_machine_stays_out_until_unlocked(
    shop: Shop,
) -> None:
    run = await _running(shop)
    await shop.move_machine(t.ALARMED, run.machine_id, reason="limit switch")
    assert shop.broken() == []
    await shop.move(t.FAILED_RETRY, run, reason="limit switch")
    assert shop.machine_state(run.machine_id) is MachineState.ALARM
    await shop.release_due()
    assert await shop.claim() == ()
    await shop.move_machine(t.UNLOCKED, run.machine_id)
    assert shop.machine_state(run.machine_id) is MachineState.IDLE
    assert len(await shop.claim()) == 1


@pytest.mark.parametrize(
    "way_out", [t.UNLOCKED, t.MAINTENANCE_STARTED, t.MACHINE_REMOVED, t.MACHINE_MOVED]
)
async def test_a_machine_in_alarm_is_not_given_free_while_its_run_is_live(
    shop: Shop, way_out: t.Transition
) -> None:
    """Else it would be claimed again, and the index refuses a second live run on it."""
    run = await _running(shop)
    await shop.move_machine(t.ALARMED, run.machine_id)
    with pytest.raises(Conflict, match="is not over yet"):
        await shop.move_machine(way_out, run.machine_id, station="B")
    await shop.move(t.FAILED_FINAL, run)
    await shop.move_machine(way_out, run.machine_id, station="B")
