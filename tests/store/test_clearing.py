"""Machines that a person clears: none is given work while a part lies on it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import CncStationError, Conflict, InvalidInput
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.store import schema
from cnc_station.engine.store.new_runs import Claimed
from tests.store.shop import Shop, mill

_LOST = (t.LOST_RETRY, t.LOST_FINAL, t.LOST_INTERRUPTED)


async def _started(shop: Shop, *, clears: bool = True, quantity: int = 1) -> Claimed:
    await shop.machine(replace(mill("Mill 1"), operator_clears=clears))
    await shop.job(quantity=quantity)
    run = await shop.claim_one()
    await shop.move(t.STARTED, run)
    return run


@pytest.mark.parametrize("lost", _LOST)
@pytest.mark.parametrize("held", [False, True])
async def test_a_machine_whose_station_was_lost_half_way_comes_back_to_be_cleared(
    shop: Shop, lost: t.Transition, held: bool
) -> None:
    run = await _started(shop)
    if held:
        await shop.move(t.HELD, run)
    await shop.move(lost, run)
    assert shop.machine_state(run.machine_id) is MachineState.OFFLINE
    await shop.move_machine(t.CONNECTED, run.machine_id)
    assert shop.machine_state(run.machine_id) is MachineState.NEEDS_CLEARING
    await shop.move_machine(t.CLEARED, run.machine_id)
    await shop.move_machine(t.DISCONNECTED, run.machine_id)
    await shop.move_machine(t.CONNECTED, run.machine_id)
    assert shop.machine_state(run.machine_id) is MachineState.IDLE


@pytest.mark.parametrize("lost", _LOST)
async def test_a_machine_that_clears_itself_comes_back_idle(shop: Shop, lost: t.Transition) -> None:
    run = await _started(shop, clears=False)
    await shop.move(lost, run)
    await shop.move_machine(t.CONNECTED, run.machine_id)
    assert shop.machine_state(run.machine_id) is MachineState.IDLE


async def test_a_machine_lost_before_anything_was_started_comes_back_idle(shop: Shop) -> None:
    await shop.machine(replace(mill("Mill 1"), operator_clears=True))
    await shop.job()
    run = await shop.claim_one()
    await shop.move(t.LOST_RETURNED, run)
    await shop.move_machine(t.CONNECTED, run.machine_id)
    assert shop.machine_state(run.machine_id) is MachineState.IDLE


@pytest.mark.parametrize("way", [[t.COMPLETED], [t.ALARMED, t.FAILED_FINAL]])
async def test_a_machine_with_a_part_on_it_is_still_to_be_cleared_at_another_station(
    shop: Shop, way: Sequence[t.Transition]
) -> None:
    run = await _started(shop)
    for step in way:
        if step.run is None:
            await shop.move_machine(step, run.machine_id)
        else:
            await shop.move(step, run)
    await shop.move_machine(t.MACHINE_MOVED, run.machine_id, station="A")
    if shop.machine_state(run.machine_id) is MachineState.ALARM:
        await shop.move_machine(t.UNLOCKED, run.machine_id)
    assert shop.machine_state(run.machine_id) is MachineState.NEEDS_CLEARING


@pytest.mark.parametrize("first", [t.ALARMED, t.LOST_INTERRUPTED])
async def test_an_alarm_does_not_make_a_half_made_part_forgotten(
    shop: Shop, first: t.Transition
) -> None:
    """Even where the machine clears itself: of what is whole."""
    run = await _started(shop, clears=False)
    if first is t.ALARMED:
        await shop.move_machine(t.ALARMED, run.machine_id)
        await shop.move(t.INTERRUPTED, run, part_on_it=True)
    else:
        await shop.move(t.LOST_INTERRUPTED, run, part_on_it=True)
        await shop.move_machine(t.CONNECTED, run.machine_id)
        await shop.move_machine(t.ALARMED, run.machine_id)
    await shop.move_machine(t.UNLOCKED, run.machine_id)
    assert shop.machine_state(run.machine_id) is MachineState.NEEDS_CLEARING


@pytest.mark.parametrize("lost", [t.INTERRUPTED, t.LOST_INTERRUPTED])
async def test_a_half_made_part_is_cleared_even_from_a_machine_that_clears_itself(
    shop: Shop, lost: t.Transition
) -> None:
    run = await _started(shop, clears=False)
    await shop.move(lost, run, part_on_it=True)
    if lost is t.LOST_INTERRUPTED:
        await shop.move_machine(t.CONNECTED, run.machine_id)
    assert shop.machine_state(run.machine_id) is MachineState.NEEDS_CLEARING
    await shop.move_machine(t.CLEARED, run.machine_id, good=0, scrap=1)
    assert shop.machine_state(run.machine_id) is MachineState.IDLE


async def test_a_machine_taken_into_maintenance_has_been_cleared_there(shop: Shop) -> None:
    run = await _started(shop)
    await shop.move(t.LOST_INTERRUPTED, run)
    for step in (t.MAINTENANCE_STARTED, t.MAINTENANCE_ENDED, t.DISCONNECTED, t.CONNECTED):
        await shop.move_machine(step, run.machine_id)
    assert shop.machine_state(run.machine_id) is MachineState.IDLE


async def test_the_parts_counted_at_a_clearing_are_those_of_the_last_run(shop: Shop) -> None:
    for good, scrap in ((4, 1), (5, None)):
        run = await _started(shop, quantity=5) if good == 4 else await shop.claim_one()
        if good == 5:
            await shop.move(t.STARTED, run)
        await shop.move(t.COMPLETED, run)
        await shop.job(quantity=5)
        await shop.move_machine(t.CLEARED, run.machine_id, good=good, scrap=scrap, reason="chatter")
    counts = [(row.good, row.scrap) for row in (shop.row(schema.run, n) for n in (1, 2))]
    assert counts == [(4, 1), (5, None)]
    told = [event for event in shop.events(machine_id=1) if event["type"] == "cleared"]
    assert told[0]["details"] == '{"good": 4, "scrap": 1, "run_id": 1, "job_id": 1}'
    assert told[1]["details"] == '{"good": 5, "run_id": 2, "job_id": 2}'
    assert shop.notices[-1].jobs == {2}


async def test_a_clearing_without_counts_leaves_them_unknown(shop: Shop) -> None:
    run = await _started(shop)
    await shop.move(t.COMPLETED, run)
    await shop.move_machine(t.CLEARED, run.machine_id)
    row = shop.row(schema.run, run.run_id)
    assert (row.good, row.scrap) == (None, None)


@pytest.mark.parametrize(
    ("good", "scrap", "field"), [(-1, 0, "good"), (1, 2_000_000, "scrap"), (True, 0, "good")]
)
async def test_absurd_counts_are_refused_and_the_machine_stays_to_be_cleared(
    shop: Shop, good: int, scrap: int, field: str
) -> None:
    run = await _started(shop)
    await shop.move(t.COMPLETED, run)
    with pytest.raises(InvalidInput, match=field):
        await shop.move_machine(t.CLEARED, run.machine_id, good=good, scrap=scrap)
    assert shop.machine_state(run.machine_id) is MachineState.NEEDS_CLEARING
    assert shop.row(schema.run, run.run_id).good is None


async def test_parts_are_counted_when_a_machine_is_cleared_and_at_no_other_time(
    shop: Shop,
) -> None:
    machine_id = await shop.machine()
    with pytest.raises(InvalidInput, match="counted when a machine is cleared"):
        await shop.move_machine(t.MAINTENANCE_STARTED, machine_id, good=1)
    assert shop.machine_state(machine_id) is MachineState.IDLE


async def test_nothing_is_counted_for_a_run_that_never_began(shop: Shop) -> None:
    """Not for the run before it either, whose parts were counted."""
    run = await _started(shop)
    await shop.move(t.COMPLETED, run)
    await shop.move_machine(t.CLEARED, run.machine_id, good=1)
    await shop.job()
    second = await shop.claim_one()
    await shop.move_machine(t.ALARMED, run.machine_id)
    await shop.move(t.ABORTED, second)
    await shop.move_machine(t.UNLOCKED, run.machine_id)
    with pytest.raises(Conflict, match="has made nothing since it was cleared"):
        await shop.move_machine(t.CLEARED, run.machine_id, good=7)
    assert shop.row(schema.run, run.run_id).good == 1
    await shop.move_machine(t.CLEARED, run.machine_id)


async def test_a_refused_count_spoils_nothing_for_those_asked_for_at_the_same_time(
    shop: Shop,
) -> None:
    first = await _started(shop)
    await shop.move(t.COMPLETED, first)
    with pytest.raises(CncStationError):
        await shop.move_machine(t.CLEARED, first.machine_id, good=-1)
    await shop.move_machine(t.CLEARED, first.machine_id, good=0, scrap=1)
    assert shop.machine_state(first.machine_id) is MachineState.IDLE


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({"good": 4, "scrap": 2}, "good: 4 good + 2 scrap are 6 parts, but the run made 5."),
        ({"good": 5, "scrap": 1}, "good: 5 good + 1 scrap are 6 parts, but the run made 5."),
        ({"good": 3, "scrap": 1}, "good: 3 good + 1 scrap are 4 parts, but the run made 5."),
        ({"good": 5, "rework": 1}, "good: 5 good + 1 rework are 6 parts, but the run made 5."),
        ({"scrap": 6}, "scrap: 6 scrap are 6 parts, but the run made 5."),
        ({"good": 1, "scrap": 0, "rework": 0}, "good: 1 good is 1 part, but the run made 5."),
    ],
)
async def test_the_parts_of_a_completed_run_are_all_that_it_made(
    shop: Shop, counts: dict[str, int], why: str
) -> None:
    run = await _started(shop, quantity=5)
    await shop.move(t.COMPLETED, run)
    with pytest.raises(InvalidInput) as refused:
        await shop.move_machine(t.CLEARED, run.machine_id, **counts)
    assert str(refused.value) == why
    assert shop.machine_state(run.machine_id) is MachineState.NEEDS_CLEARING
    await shop.move_machine(t.CLEARED, run.machine_id, good=2, scrap=1, rework=2)
    row = shop.row(schema.run, run.run_id)
    assert (row.good, row.scrap, row.rework) == (2, 1, 2)
    cleared = shop.events(machine_id=run.machine_id)[-1]
    assert cleared["details"] == '{"good": 2, "scrap": 1, "rework": 2, "run_id": 1, "job_id": 1}'


@pytest.mark.parametrize("end", [t.INTERRUPTED, t.ABORTED, t.FAILED_FINAL])
async def test_how_many_parts_another_run_made_nobody_knows_but_not_more(
    shop: Shop, end: t.Transition
) -> None:
    run = await _started(shop, quantity=5)
    await shop.move(end, run)
    with pytest.raises(InvalidInput, match=r"4 good \+ 2 scrap are 6 parts, but .* to make 5"):
        await shop.move_machine(t.CLEARED, run.machine_id, good=4, scrap=2)
    await shop.move_machine(t.CLEARED, run.machine_id, good=1, scrap=1, rework=0)
    row = shop.row(schema.run, run.run_id)
    assert (row.good, row.scrap, row.rework) == (1, 1, 0)


async def test_what_is_counted_in_two_steps_is_not_counted_twice(shop: Shop) -> None:
    run = await _started(shop)
    await shop.move(t.INTERRUPTED, run)
    await shop.act(JobAction.SCRAP, run.job_id)
    with pytest.raises(InvalidInput, match=r"1 good \+ 1 scrap are 2 parts"):
        await shop.move_machine(t.CLEARED, run.machine_id, good=1)
    await shop.move_machine(t.CLEARED, run.machine_id, good=0)


@pytest.mark.parametrize("kind", ["good", "rework"])
async def test_a_part_that_is_scrapped_later_was_not_good(shop: Shop, kind: str) -> None:
    run = await _started(shop)
    await shop.move(t.INTERRUPTED, run)
    await shop.move_machine(t.CLEARED, run.machine_id, **{kind: 1})
    await shop.act(JobAction.SCRAP, run.job_id)
    row = shop.row(schema.run, run.run_id)
    assert (row.scrap, getattr(row, kind)) == (1, 0)
