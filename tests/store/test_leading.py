"""One station leads until its lease ends; another leads only after that, in a higher term."""

import pytest
from sqlalchemy import select

from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.store import schema
from cnc_station.engine.store.jobs import ReleaseDue
from cnc_station.engine.store.stations import Join, Lead, Leave
from tests.store.shop import Shop

LEASE_S = 15.0


def _leader(shop: Shop) -> tuple[str, str, int, int]:
    row = shop.database.read(lambda connection: connection.execute(select(schema.leader)).one())
    return row.holder, row.incarnation, row.term, row.expires_at


async def test_the_leadership_is_taken_over_only_once_it_has_expired(shop: Shop) -> None:
    assert await shop.write(Lead("first", LEASE_S)) == 1
    shop.later(LEASE_S - 0.001)
    with pytest.raises(Conflict, match="A leads"):
        await shop.write(Lead("second", LEASE_S))
    assert _leader(shop)[1:3] == ("first", 1)
    shop.later(0.001)
    assert await shop.write(Lead("second", LEASE_S)) == 2
    assert _leader(shop) == ("A", "second", 2, shop.clock.ms + 15_000)
    with pytest.raises(Conflict, match="A leads"):
        await shop.write(Lead("first", LEASE_S))
    reasons = [event["reason"] for event in shop.events() if event["type"] == "leader_changed"]
    assert reasons == ["A, term 1", "A, term 2"]


async def test_a_leader_that_asks_in_time_keeps_its_term_and_leads_longer(shop: Shop) -> None:
    await shop.write(Lead("first", LEASE_S))
    shop.later(LEASE_S - 0.001)
    assert await shop.write(Lead("first", LEASE_S)) == 1
    assert _leader(shop)[3] == shop.clock.ms + 15_000
    assert shop.told() == ["leader_changed"]


async def test_a_leader_that_asks_too_late_begins_a_new_term(shop: Shop) -> None:
    """Another may have led meanwhile, and its own services must begin anew."""
    await shop.write(Lead("first", LEASE_S))
    shop.later(LEASE_S)
    assert await shop.write(Lead("first", LEASE_S)) == 2


async def test_what_a_leader_writes_is_refused_when_its_term_has_expired(shop: Shop) -> None:
    term = await shop.write(Lead("first", LEASE_S))
    shop.later(LEASE_S - 0.001)
    assert await shop.write(ReleaseDue("first", term)) == 0
    shop.later(0.001)
    with pytest.raises(Fenced, match="another station leads"):
        await shop.write(ReleaseDue("first", term))


async def test_what_a_leader_of_another_term_or_name_writes_is_refused(shop: Shop) -> None:
    term = await shop.write(Lead("first", LEASE_S))
    for incarnation, of in (("first", term - 1), ("first", term + 1), ("second", term)):
        with pytest.raises(Fenced, match="another station leads"):
            await shop.write(ReleaseDue(incarnation, of))


async def test_a_station_that_leaves_gives_up_its_own_leadership_and_no_other(shop: Shop) -> None:
    await shop.write(Join("second", "pc", "1", 15.0))
    await shop.write(Lead("first", LEASE_S))
    await shop.write(Leave("second"))
    with pytest.raises(Conflict, match="A leads"):
        await shop.write(Lead("third", LEASE_S))
    await shop.write(Join("first", "pc", "1", 15.0))
    assert await shop.write(Lead("first", LEASE_S)) == 2
    await shop.write(Leave("second"))  # the name is another's now
    assert shop.told()[-1] == "leader_changed"
    await shop.write(Leave("first"))
    assert await shop.write(Lead("third", LEASE_S)) == 3


async def test_a_station_that_comes_back_under_its_name_frees_the_leadership_it_had(
    shop: Shop,
) -> None:
    await shop.write(Lead("first", 10_000.0))
    await shop.write(Join("second", "pc", "1", 15.0))
    assert await shop.write(Lead("second", LEASE_S)) == 2
