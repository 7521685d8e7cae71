"""Which parts of a run are done, as it is written while the run goes on."""

from dataclasses import replace
from functools import partial

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.parts import RecordPartDone
from cnc_station.engine.store.recovery import left_over_runs
from tests.store.shop import Shop, mill


async def _running(shop: Shop) -> Claimed:
    await shop.machine(mill("Mill 1"))
    await shop.job(quantity=5)
    run = await shop.claim_one()
    await shop.move(t.STARTED, run)
    return run


def _done(run: Claimed, part: int) -> RecordPartDone:
    words = f"part {part} of 5"
    return RecordPartDone(
        run.job_id, run.run_id, run.token, run.machine_id, part, words, "controller"
    )


def _left(shop: Shop) -> list[int]:
    found = shop.database.read(partial(left_over_runs, station="A", reaped=""))
    return [one.claimed.parts_done for one in found]


async def test_each_part_is_written_once_however_often_it_is_said(shop: Shop) -> None:
    run = await _running(shop)
    assert _left(shop) == [0]
    for part in (1, 1, 2, 1, 2):
        await shop.write(_done(run, part))
    assert _left(shop) == [2]
    told = [event["reason"] for event in shop.events() if event["type"] == "part_done"]
    assert told == ["part 1 of 5", "part 2 of 5"]


async def test_the_parts_of_another_attempt_do_not_count(shop: Shop) -> None:
    first = await _running(shop)
    await shop.write(_done(first, 1))
    await shop.move(t.REQUEUED, first)
    second = await shop.claim_one()
    await shop.move(t.STARTED, second)
    assert _left(shop) == [0]
    with pytest.raises(Conflict, match="not under way"):
        await shop.write(_done(first, 2))
    await shop.write(_done(second, 1))
    assert _left(shop) == [1]


async def test_a_run_that_was_given_up_counts_no_more_parts(shop: Shop) -> None:
    run = await _running(shop)
    with pytest.raises(Conflict, match="not under way"):
        await shop.write(replace(_done(run, 1), token=run.token + 1))
    await shop.move(t.HELD, run)
    await shop.write(_done(run, 1))
    await shop.move(t.LOST_INTERRUPTED, run, reason="its station is gone")
    with pytest.raises(Conflict, match="not under way"):
        await shop.write(_done(run, 2))
