"""Machines: adding, editing, and their moves without a run."""

from dataclasses import replace

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, InvalidInput
from cnc_station.engine.domain.machine import Envelope
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.store import schema
from cnc_station.engine.store.machines import AddMachine, MoveMachine
from cnc_station.engine.store.queries.machine_rows import stored_machines
from cnc_station.engine.store.readiness import REWIRING, SetReadiness
from tests.store.shop import Shop, frees, mill


async def test_a_new_machine_is_offline_until_its_driver_connects(shop: Shop) -> None:
    machine_id = await shop.machine(connected=False)
    assert shop.machine_state(machine_id) is MachineState.OFFLINE
    await shop.move_machine(t.CONNECTED, machine_id)
    assert shop.told(machine_id=machine_id) == ["machine_added", "connected"]


async def test_every_field_of_a_machine_is_kept(shop: Shop) -> None:
    spec = replace(
        mill("VF-2", max_complexity=4, materials=frozenset({"steel", "Messing"}), axes=5),
        model="Haas",
        operator_clears=True,
        operator_starts=True,
        settings={"port": "/dev/ttyUSB0", "baud": 115200},
    )
    spec = replace(spec, capability=replace(spec.capability, envelope=Envelope(762, 406, 508)))
    await shop.machine(spec)
    (row,) = shop.database.read(stored_machines)
    lowered = frozenset({"steel", "messing"})
    assert row.spec == replace(spec, capability=replace(spec.capability, materials=lowered))


async def test_two_machines_never_have_one_name_but_a_removed_ones_is_free(shop: Shop) -> None:
    first = await shop.machine()
    with pytest.raises(InvalidInput, match="there is a Mill 1 already"):
        await shop.machine(mill(" Mill 1 "))
    second = await shop.machine(mill("Mill 2"))
    with pytest.raises(InvalidInput, match="there is a Mill 1 already"):
        await shop.move_machine(t.MACHINE_EDITED, second, spec=mill("Mill 1"))
    await shop.move_machine(t.MACHINE_REMOVED, first)
    assert await shop.machine() > second


async def test_an_edit_may_let_it_make_more_and_says_so(shop: Shop) -> None:
    machine_id = await shop.machine(mill("Mill 1", max_complexity=1))
    job_id = await shop.job(complexity=5)
    assert await shop.claim() == ()
    await shop.move_machine(t.MACHINE_EDITED, machine_id, spec=mill("Mill 1"))
    assert frees(shop.notices[-1])
    assert (await shop.claim_one()).job_id == job_id


async def test_what_a_machines_state_forbids_is_refused_with_that_state(shop: Shop) -> None:
    machine_id = await shop.machine()
    await shop.job()
    await shop.claim_one()
    for transition, instead in (
        (t.CLEARED, "Clear it when its run is over."),
        (t.UNLOCKED, "There is no alarm to unlock."),
        (t.MACHINE_REMOVED, "Remove it when its run is over."),
        (t.MAINTENANCE_ENDED, "There is no maintenance to end."),
    ):
        with pytest.raises(Conflict, match=f"^Mill 1 has a job assigned. {instead}$"):
            await shop.move_machine(transition, machine_id)
    with pytest.raises(Conflict, match="There is no machine 7"):
        await shop.move_machine(t.CLEARED, 7)


async def test_the_first_alternative_that_its_state_allows_is_taken(shop: Shop) -> None:
    machine_id = await shop.machine()
    either = (t.MAINTENANCE_STARTED, t.MAINTENANCE_ASKED)
    await shop.write(MoveMachine(either, machine_id, "anna", "new belt"))
    assert shop.machine_state(machine_id) is MachineState.MAINTENANCE
    assert shop.told(machine_id=machine_id)[-1] == "maintenance_started"
    assert shop.events(machine_id=machine_id)[-1]["reason"] == "new belt"


async def test_a_machine_that_comes_back_for_maintenance_goes_there(shop: Shop) -> None:
    """Asked for while its station was lost with a run on it."""
    machine_id = await shop.machine()
    await shop.job()
    run = await shop.claim_one()
    await shop.move_machine(t.MAINTENANCE_ASKED, machine_id)
    await shop.move(t.LOST_RETURNED, run)
    assert shop.machine_state(machine_id) is MachineState.OFFLINE
    await shop.move_machine(t.CONNECTED, machine_id)
    assert shop.machine_state(machine_id) is MachineState.MAINTENANCE


async def test_machines_added_together_get_numbers_of_their_own(shop: Shop) -> None:
    first = await shop.write(AddMachine(mill("A"), "anna"))
    await shop.move_machine(t.MACHINE_REMOVED, first)
    assert await shop.write(AddMachine(mill("B"), "anna")) == first + 1


async def test_readiness_is_told_once_and_leaves_the_state_alone(shop: Shop) -> None:
    machine_id = await shop.machine()
    freed = len(shop.notices)
    for why in ("", "not homed", "not homed", "manual mode", ""):
        await shop.write(SetReadiness(machine_id, why, "station"))
    told = [
        (event["reason"], event["machine_state"])
        for event in shop.events(machine_id=machine_id)
        if event["type"] == "readiness_changed"
    ]
    assert told == [("not homed", "idle"), ("manual mode", "idle"), ("", "idle")]
    assert [frees(notice) for notice in shop.notices[freed:]] == [False, False, True]
    assert shop.database.read(stored_machines)[0].not_ready == ""


async def test_only_its_own_station_says_whether_a_machine_is_ready(shop: Shop) -> None:
    machine_id = await shop.machine()
    await shop.write(SetReadiness(machine_id, "not homed", "station"))
    await shop.move_machine(t.MACHINE_MOVED, machine_id, station="B")
    assert shop.row(schema.machine, machine_id).not_ready == REWIRING
    with pytest.raises(Conflict, match="no machine 1 at this station"):
        await shop.write(SetReadiness(machine_id, "not homed", "station"))


@pytest.mark.parametrize(
    ("out_of_service", "back"),
    [(t.MAINTENANCE_STARTED, t.MAINTENANCE_ENDED), (t.ALARMED, t.UNLOCKED)],
)
async def test_a_machine_out_of_service_is_so_at_another_station_until_that_is_ended(
    shop: Shop, out_of_service: t.Transition, back: t.Transition
) -> None:
    machine_id = await shop.machine()
    await shop.move_machine(out_of_service, machine_id, reason="new belt")
    before = shop.row(schema.machine, machine_id)
    shop.later(5.0)
    await _given_away(shop, machine_id)
    after = shop.row(schema.machine, machine_id)
    kept = ("state", "state_since", "state_reason")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    for transition in (t.CONNECTED, t.DISCONNECTED):  # whatever its controller says there
        with pytest.raises(Conflict):
            await shop.move_machine(transition, machine_id)
    await shop.move_machine(back, machine_id)
    assert shop.machine_state(machine_id) is MachineState.IDLE
    assert shop.broken() == []


async def test_a_machine_given_away_gets_no_work_before_its_next_station_has_its_driver(
    shop: Shop,
) -> None:
    """Neither when its maintenance is over, nor when its former station still says something."""
    machine_id = await shop.machine()
    other = await shop.machine(mill("Mill 2"))
    await shop.move_machine(t.MAINTENANCE_STARTED, machine_id)
    for one in (machine_id, other):
        await _given_away(shop, one)
    await shop.move_machine(t.MAINTENANCE_ENDED, machine_id)
    await shop.move_machine(t.CONNECTED, other)
    for _ in range(2):
        await shop.job()
    assert await shop.claim() == ()
    for one in (machine_id, other):
        await shop.write(SetReadiness(one, "", "station"))
    assert len(await shop.claim()) == 2


async def _given_away(shop: Shop, machine_id: int) -> None:
    """To this very station, which can claim for it."""
    await shop.move_machine(t.MACHINE_MOVED, machine_id, station="A")


async def test_a_maintenance_that_was_asked_for_is_not_forgotten_at_another_station(
    shop: Shop,
) -> None:
    machine_id = await shop.machine()
    await shop.job()
    run = await shop.claim_one()
    await shop.move_machine(t.MAINTENANCE_ASKED, machine_id)
    await shop.move(t.LOST_RETURNED, run)
    await _given_away(shop, machine_id)
    await shop.move_machine(t.CONNECTED, machine_id)
    assert shop.machine_state(machine_id) is MachineState.MAINTENANCE


async def test_a_part_half_made_is_not_forgotten_over_an_alarm(shop: Shop) -> None:
    """A controller that was switched off and on again comes up in its emergency stop."""
    machine_id = await shop.machine()
    await shop.job()
    await shop.run_to(t.INTERRUPTED, await shop.claim_one(), part_on_it=True)
    assert shop.machine_state(machine_id) is MachineState.NEEDS_CLEARING
    await shop.move_machine(t.ALARMED, machine_id)
    await shop.move_machine(t.UNLOCKED, machine_id)
    assert shop.machine_state(machine_id) is MachineState.NEEDS_CLEARING
    await shop.move_machine(t.CLEARED, machine_id)
    assert shop.machine_state(machine_id) is MachineState.IDLE
