"""What a transaction asks for as it begins."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import Integer, Select, bindparam, literal_column, select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.store.prepared import TransactionPreload
from cnc_station.engine.store.transaction import StoreCommand, Tx
from tests.store.shop import Shop, mill

DIVIDED: Select[tuple[int]] = select(
    literal_column("12", Integer) // bindparam("by", type_=Integer)
)


@dataclass(frozen=True, slots=True)
class Divide(StoreCommand[int]):
    """A question that some values break on a server."""

    by: int

    @classmethod
    def opening(cls, station: str, changes: Sequence["Divide"]) -> TransactionPreload:  # noqa: ARG003 - any
        return TransactionPreload(questions={DIVIDED: {"by": changes[0].by}})

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["Divide"]) -> list[int | Exception]:
        tx.record(t.SETTINGS_CHANGED, actor="divider")
        return [
            sum(row[0] for row in tx.ask(DIVIDED, {"by": change.by}).fetchall())
            for change in changes
        ]


async def test_the_answers_that_came_with_the_beginning_are_used_once(shop: Shop) -> None:
    together = asyncio.gather(shop.write(Divide(4)), shop.write(Divide(3)))
    assert tuple(await together) == (3, 4)


async def test_an_opening_that_breaks_fails_its_own_change_and_leaves_nothing_begun(
    shop: Shop, request: pytest.FixtureRequest
) -> None:
    if "sqlite" in request.node.name:
        pytest.skip("a file is asked nothing as a transaction begins")
    with pytest.raises(Exception, match="division by zero"):
        await shop.write(Divide(0))
    assert await shop.job() > 0
    assert "settings_changed" not in shop.told()


async def test_a_claim_behind_a_machine_that_becomes_idle_in_its_transaction_finds_it(
    shop: Shop,
) -> None:
    first, second = (
        await shop.machine(mill("Mill 1")),
        await shop.machine(mill("Mill 2"), connected=False),
    )
    jobs = {await shop.job(), await shop.job()}
    _, claimed = await asyncio.gather(shop.move_machine(t.CONNECTED, second), shop.claim())
    assert {run.machine_id for run in claimed} == {first, second}
    assert {run.job_id for run in claimed} == jobs
