"""A station comes into the fleet under its name, or is refused it."""

import pytest
from sqlalchemy import insert, select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.store import schema
from cnc_station.engine.store.stations import Heartbeat, Join, Lead, Leave
from tests.store.shop import START, Shop, mill


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


async def test_a_station_that_comes_and_goes_changes_no_other(shop: Shop) -> None:
    """Not even one that was heard of just now, and leads."""
    others = {"name": "B", "incarnation": "b", "host": "pc-2", "version": "2.0", "started_at": 1}
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(insert(schema.station).values(**others, heard_at=START, lag_ms=7.0))
    await shop.write(Lead("b", 300.0))
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(update(schema.leader).values(holder="B"))

    def of_b() -> object:
        of = schema.station.c.name == "B"
        row = shop.database.read(lambda c: c.execute(select(schema.station).where(of)).one())
        leads = shop.database.read(lambda c: c.execute(select(schema.leader)).one())
        return tuple(row), tuple(leads)

    before = of_b()
    for incarnation in ("first", "second"):  # new, then known
        await shop.write(_join(incarnation, 15.0))
        assert of_b() == before
        await shop.write(Heartbeat(incarnation, 300.0, 1.0, ()))
        await shop.write(Leave(incarnation))
        assert of_b() == before
        shop.later(1)
    assert shop.told()[-2:] == ["station_joined", "station_left"]


async def test_a_name_is_free_at_once_when_its_station_has_left(shop: Shop) -> None:
    await shop.write(_join("first", 15.0))
    with pytest.raises(Conflict):
        await shop.write(_join("second", 15.0))
    await shop.write(Leave("first"))
    await shop.write(_join("second", 15.0))
    await shop.write(Leave("first"))  # too late: the name is another's
    with pytest.raises(Conflict):
        await shop.write(_join("third", 15.0))


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
