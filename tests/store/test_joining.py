"""A station comes into the fleet under its name, or is refused it."""

import pytest
from sqlalchemy import select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.store import schema
from cnc_station.engine.store.stations import Heartbeat, Join
from tests.store.shop import Shop, mill


def _join(incarnation: str, silence_s: float) -> Join:
    return Join(incarnation, "pc-1", "1.0", silence_s)


async def test_a_name_is_taken_while_its_station_is_heard_of(shop: Shop) -> None:
    await shop.write(_join("first", 15.0))
    shop.later(14.9)
    with pytest.raises(Conflict, match="named A is at work already"):
        await shop.write(_join("second", 15.0))
    shop.later(0.1)
    await shop.write(_join("second", 15.0))
    with pytest.raises(Fenced):
        await shop.write(Heartbeat("first", 300.0, 0.0, ()))


@pytest.mark.parametrize("silence_s", [0.0, 15.0])
async def test_a_station_that_died_comes_back_although_the_clock_was_set_back(
    shop: Shop, silence_s: float
) -> None:
    """As by a computer whose clock has no battery, after a power cut."""
    await shop.write(_join("first", silence_s))
    shop.later(-3600.0)
    await shop.write(_join("second", silence_s))
    assert shop.told() == ["station_joined", "station_joined"]


async def test_a_heartbeat_extends_the_live_runs_that_it_names_and_are_its_stations(
    shop: Shop,
) -> None:
    await shop.write(_join("first", 15.0))
    runs = []
    for number in range(4):
        await shop.machine(mill(f"Mill {number}"))
        await shop.job()
        runs.append(await shop.claim_one())
    own, others, over, unnamed = runs
    await shop.run_to(t.COMPLETED, over)
    with shop.database.connect_writer() as connection, connection.begin():
        of = schema.run.c.id == others.run_id
        connection.execute(schema.run.update().where(of).values(station="B"))
    before = shop.clock.ms + 300_000
    shop.later(100)
    named = (own.run_id, others.run_id, over.run_id)
    await shop.write(Heartbeat("first", 300.0, 2.5, named))
    leases = [shop.row(schema.run, one.run_id).lease_until for one in runs]
    assert leases == [before + 100_000, before, before, before]
    row = shop.database.read(lambda c: c.execute(select(schema.station)).one())
    assert (row.heard_at, row.lag_ms) == (shop.clock.ms, 2.5)
    assert unnamed.run_id not in named


async def test_a_replaced_station_extends_nothing_and_is_told_so(shop: Shop) -> None:
    await shop.write(_join("first", 0.0))
    await shop.machine()
    await shop.job()
    run = await shop.claim_one()
    await shop.write(_join("second", 0.0))
    shop.later(100)
    with pytest.raises(Fenced, match="Another station is called A now"):
        await shop.write(Heartbeat("first", 300.0, 9.0, (run.run_id,)))
    assert shop.row(schema.run, run.run_id).lease_until == shop.clock.ms + 200_000
    row = shop.database.read(lambda c: c.execute(select(schema.station)).one())
    assert (row.heard_at, row.lag_ms) == (shop.clock.ms - 100_000, 0.0)


async def test_more_runs_than_one_statement_takes_are_all_extended(shop: Shop) -> None:
    await shop.write(_join("first", 15.0))
    await shop.machine()
    await shop.job()
    run = await shop.claim_one()
    for named in (
        (*range(10**6, 10**6 + 500), run.run_id),
        (run.run_id, *range(10**6, 10**6 + 500)),
    ):
        shop.later(1)
        await shop.write(Heartbeat("first", 300.0, 0.0, named))
        assert shop.row(schema.run, run.run_id).lease_until == shop.clock.ms + 300_000


async def test_one_that_was_heard_of_a_moment_after_now_is_there(shop: Shop) -> None:
    """Its heartbeat began after this look, and was written before it."""
    await shop.write(_join("first", 15.0))
    shop.later(-0.1)
    with pytest.raises(Conflict, match="named A is at work already"):
        await shop.write(_join("second", 15.0))
