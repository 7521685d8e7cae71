"""Edits of what a machine's driver is made of: never under a run, and no work before the driver
that was asked for is there."""

import asyncio
from dataclasses import replace

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.readiness import REWIRING, SetReadiness
from tests.store.shop import Shop, frees, mill

BEFORE = replace(mill("Mill 1"), settings={"port": "COM3", "baud": 115200})
AFTER = replace(BEFORE, settings={"port": "COM4", "baud": 115200})
AT_WORK = r"^Mill 1 is at work\. Change its driver when it is idle\.$"


async def _edit(shop: Shop, machine_id: int, spec: MachineSpec) -> None:
    await shop.move_machine(t.MACHINE_EDITED, machine_id, spec=spec)


@pytest.mark.parametrize(
    "way", [(), (t.STARTED,), (t.STARTED, t.HELD)], ids=["assigned", "running", "held"]
)
@pytest.mark.parametrize(
    "spec", [AFTER, replace(BEFORE, driver="grbl")], ids=["settings", "driver"]
)
async def test_the_driver_of_a_machine_at_work_is_not_edited(
    shop: Shop, way: tuple[t.Transition, ...], spec: MachineSpec
) -> None:
    machine_id = await shop.machine(BEFORE)
    await shop.job()
    run = await shop.claim_one()
    for transition in way:
        await shop.move(transition, run)
    with pytest.raises(Conflict, match=AT_WORK):
        await _edit(shop, machine_id, spec)
    await _edit(shop, machine_id, replace(BEFORE, model="VF-2"))
    assert shop.row(schema.machine, machine_id).not_ready == ""


async def test_the_driver_of_a_machine_in_alarm_is_edited_once_the_runs_end_is_written(
    shop: Shop,
) -> None:
    machine_id = await shop.machine(BEFORE)
    await shop.job()
    run = await shop.claim_one()
    await shop.move(t.STARTED, run)
    await shop.move_machine(t.ALARMED, machine_id)
    with pytest.raises(Conflict, match=AT_WORK):
        await _edit(shop, machine_id, AFTER)
    await shop.move(t.FAILED_FINAL, run, part_on_it=True)
    await _edit(shop, machine_id, AFTER)
    row = shop.row(schema.machine, machine_id)
    assert (row.state, row.to_clear, row.not_ready) == (MachineState.ALARM, True, REWIRING)


async def test_a_machine_gets_no_work_between_its_edit_and_its_new_driver(shop: Shop) -> None:
    machine_id = await shop.machine(BEFORE)
    await shop.job()
    await _edit(shop, machine_id, AFTER)
    assert shop.notices[-1].tells_of({Topic.MACHINE_REWIRED}), (
        "its own station, wherever it was edited, has to hear of it"
    )
    assert await shop.claim() == ()
    await shop.write(SetReadiness(machine_id, "", "controller", AFTER))
    assert frees(shop.notices[-1])
    assert len(await shop.claim()) == 1


async def test_only_the_driver_that_a_machine_asks_for_says_whether_it_is_ready(
    shop: Shop,
) -> None:
    machine_id = await shop.machine(BEFORE)
    await shop.write(SetReadiness(machine_id, "not homed", "controller", BEFORE))
    await _edit(shop, machine_id, AFTER)
    for former in (BEFORE, replace(AFTER, driver="grbl")):
        for why in ("", "manual mode"):
            with pytest.raises(Conflict, match="Mill 1 has another driver now"):
                await shop.write(SetReadiness(machine_id, why, "controller", former))
    assert shop.row(schema.machine, machine_id).not_ready == REWIRING
    await _edit(shop, machine_id, BEFORE)
    await shop.write(SetReadiness(machine_id, "", "controller", BEFORE))
    assert shop.row(schema.machine, machine_id).not_ready == ""


@pytest.mark.parametrize("away", [t.MACHINE_EDITED, t.MACHINE_MOVED])
async def test_a_machine_that_stays_offline_says_what_its_new_driver_says(
    shop: Shop, away: t.Transition
) -> None:
    machine_id = await shop.machine(BEFORE)
    await shop.move_machine(t.DISCONNECTED, machine_id, reason="No answer at COM3.")
    before = shop.row(schema.machine, machine_id)
    shop.later(5.0)
    await shop.move_machine(away, machine_id, spec=AFTER, station="A")
    await shop.write(SetReadiness(machine_id, "No answer at COM4.", "station", AFTER))
    row = shop.row(schema.machine, machine_id)
    assert (row.state, row.state_since) == (MachineState.OFFLINE, before.state_since)
    assert (row.state_reason, row.not_ready) == ("No answer at COM4.",) * 2
    await shop.move_machine(t.CONNECTED, machine_id)
    await shop.write(SetReadiness(machine_id, "", "controller", AFTER))
    row = shop.row(schema.machine, machine_id)
    assert (row.state, row.state_reason, row.not_ready) == (MachineState.IDLE, "", "")


@pytest.mark.parametrize("where", [t.MAINTENANCE_STARTED, t.ALARMED])
async def test_why_a_machine_is_out_of_service_is_no_matter_of_its_driver(
    shop: Shop, where: t.Transition
) -> None:
    machine_id = await shop.machine(BEFORE)
    await shop.move_machine(where, machine_id, reason="new belt")
    await shop.write(SetReadiness(machine_id, "No answer at COM3.", "station", BEFORE))
    assert shop.row(schema.machine, machine_id).state_reason == "new belt"


async def test_an_edit_that_is_no_matter_of_the_driver_leaves_it_ready(shop: Shop) -> None:
    machine_id = await shop.machine(BEFORE)
    same = {"baud": 115200, "port": "COM3"}
    await _edit(shop, machine_id, replace(BEFORE, name="Mill 2", settings=same))
    assert shop.row(schema.machine, machine_id).not_ready == ""
    assert Topic.MACHINE_REWIRED not in shop.notices[-1].types
    await shop.job()
    assert len(await shop.claim()) == 1


_WAYS = {
    "idle": (),
    "offline": (t.DISCONNECTED,),
    "in maintenance": (t.MAINTENANCE_STARTED,),
    "in alarm": (t.ALARMED,),
}
_WAYS_BACK = {"offline": t.CONNECTED, "in maintenance": t.MAINTENANCE_ENDED, "in alarm": t.UNLOCKED}


@pytest.mark.parametrize("where", _WAYS)
async def test_an_edited_machine_stays_where_it_is_and_comes_back_without_work(
    shop: Shop, where: str
) -> None:
    machine_id = await shop.machine(BEFORE)
    await shop.job()
    for transition in _WAYS[where]:
        await shop.move_machine(transition, machine_id, reason="new belt")
    before = shop.row(schema.machine, machine_id)
    shop.later(5.0)
    await _edit(shop, machine_id, AFTER)
    after = shop.row(schema.machine, machine_id)
    kept = ("state", "state_since", "state_reason", "to_clear", "maintenance_due")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    if where in _WAYS_BACK:
        await shop.move_machine(_WAYS_BACK[where], machine_id)
    assert shop.machine_state(machine_id) is MachineState.IDLE
    assert await shop.claim() == ()


async def test_a_part_that_lies_on_an_edited_machine_is_still_to_be_cleared(shop: Shop) -> None:
    machine_id = await shop.machine(BEFORE)
    await shop.job()
    await shop.run_to(t.INTERRUPTED, await shop.claim_one(), part_on_it=True)
    await _edit(shop, machine_id, AFTER)
    assert shop.machine_state(machine_id) is MachineState.NEEDS_CLEARING
    await shop.job()
    await shop.move_machine(t.CLEARED, machine_id, good=0, scrap=1)
    assert shop.machine_state(machine_id) is MachineState.IDLE
    assert await shop.claim() == ()


async def test_an_edit_and_a_claim_at_the_same_time_never_both_have_the_machine(
    shop: Shop,
) -> None:
    """Of two stations, each with its own writer."""
    database = Database(shop.database.url.render_as_string(hide_password=False))
    other = Shop(database, station="B")
    await other.writer.start()
    machine_id = await shop.machine(BEFORE)
    both = (BEFORE, AFTER)
    for turn in range(20):
        await shop.job()
        edit = _edit(other, machine_id, both[(turn + 1) % 2])
        refusal, claimed = await asyncio.gather(edit, shop.claim(), return_exceptions=True)
        assert not isinstance(claimed, BaseException)
        row = shop.row(schema.machine, machine_id)
        if claimed:
            assert isinstance(refusal, Conflict)
            assert (row.state, row.not_ready) == (MachineState.ASSIGNED, "")
            await shop.run_to(t.COMPLETED, claimed[0])
            await _edit(other, machine_id, both[(turn + 1) % 2])
        else:
            assert refusal is None
            assert (row.state, row.not_ready) == (MachineState.IDLE, REWIRING)
        await shop.write(SetReadiness(machine_id, "", "controller", both[(turn + 1) % 2]))
        for run in await shop.claim():
            await shop.run_to(t.COMPLETED, run)
    await other.writer.stop()
    database.close()
