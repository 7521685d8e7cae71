"""What is written when a database file is opened in another place, on both kinds of databases."""

from dataclasses import replace

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.machine import FROM_ELSEWHERE
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.store.computer import Place
from cnc_station.engine.store.home import AcceptHome, SettleHome
from cnc_station.engine.store.queries.machine_rows import stored_machines
from cnc_station.engine.store.readiness import REWIRING
from tests.store.shop import Shop, mill

HERE = Place("one", "PC 1", "/data/station.db", "1:2")
THERE = Place("two", "PC 2", "/data/station.db", "1:2")
REAL = replace(mill("Mill 1"), driver="grbl")


async def held(shop: Shop) -> int:
    """A machine of a database that was opened on another computer."""
    machine_id = await shop.machine(REAL)
    assert await shop.write(SettleHome(HERE, frozenset({"simulator"})))
    assert not await shop.write(SettleHome(THERE, frozenset({"simulator"})))
    (row,) = shop.database.read(stored_machines)
    assert (row.state, row.state_reason) == (MachineState.MAINTENANCE, FROM_ELSEWHERE)
    return machine_id


async def test_a_released_machine_gets_no_work_before_its_driver_has_reported(shop: Shop) -> None:
    machine_id = await held(shop)
    await shop.write(AcceptHome(THERE, "anna"))
    (row,) = shop.database.read(stored_machines)
    assert (row.state, row.not_ready) == (MachineState.IDLE, REWIRING)
    assert machine_id in shop.notices[-1].machines
    assert Topic.MACHINE_REWIRED in {event.type for event in shop.notices[-1].events}
    assert await shop.write(SettleHome(THERE, frozenset()))


async def test_a_second_start_elsewhere_holds_what_was_added_meanwhile(shop: Shop) -> None:
    await held(shop)
    await shop.machine(replace(REAL, name="Mill 2"))
    assert not await shop.write(SettleHome(THERE, frozenset({"simulator"})))
    assert all(row.from_elsewhere for row in shop.database.read(stored_machines))


@pytest.mark.parametrize("before", [t.ALARMED, None])
async def test_a_part_that_lay_on_a_machine_is_still_to_be_cleared(
    shop: Shop, before: t.Transition | None
) -> None:
    machine_id = await shop.machine(replace(REAL, operator_clears=True))
    if before is not None:
        await shop.move_machine(before, machine_id)
    await shop.write(SettleHome(HERE, frozenset()))
    assert not await shop.write(SettleHome(THERE, frozenset()))
    await shop.write(AcceptHome(THERE, "anna"))
    expected = MachineState.IDLE if before is None else MachineState.NEEDS_CLEARING
    assert shop.machine_state(machine_id) is expected
