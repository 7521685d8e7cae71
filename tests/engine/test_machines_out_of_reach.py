"""A controller that can't be reached, tried again; and a database that takes nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import ActOnMachine, TryDatabase
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.domain.machine import Position, PositionBasis
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.base import RunInspection, RunOutcome
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import (
    ControllerStatus,
    FloorNow,
    ListEvents,
    ListLinks,
    ListMachines,
)
from cnc_station.engine.services import controller_monitor
from cnc_station.engine.services.retrying_writer import DATABASE
from cnc_station.engine.store.stations import Heartbeat
from cnc_station.engine.views import Doing, MachineRow, Presence, Remedy
from tests.engine.conftest import Station
from tests.engine.floor import ME, Controller, FloorOf, kind_of
from tests.engine.test_a_silent_station import give_to_a_silent_station
from tests.until import until

RAW = "ConnectionRefusedError: [Errno 111] Connect call failed"
AWAY = Unavailable("192.0.2.5 port 5007 does not answer", raw=RAW)
OTHER = Unavailable("192.0.2.5 port 5007 has closed the connection")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked again many times a second."""
    monkeypatch.setattr(controller_monitor, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(controller_monitor, "LONGEST_PAUSE_S", 0.05)


async def only(floor: FloorOf) -> MachineRow:
    (machine,) = await floor.door.ask(ListMachines())
    return machine


def is_seen(floor: FloorOf, fact: Callable[[MachineRow], bool]) -> Callable[[], Awaitable[bool]]:
    async def seen() -> bool:
        return fact(await only(floor))

    return seen


async def lost(floor: FloorOf, controller: Controller) -> int:
    """A machine that was there, and whose controller answers no longer."""
    machine_id = await floor.mill(driver="scripted")
    await floor.machine_comes_to(machine_id, MachineState.IDLE)
    controller.refuses["connect"] = AWAY
    controller.does(Doing.UNREACHABLE, "the controller has hung up")
    await until(is_seen(floor, lambda m: m.state_reason == str(AWAY)))
    return machine_id


async def test_why_a_machine_is_not_reached_is_what_was_found_last_and_since_when_it_was_first(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    await lost(floor, controller)
    since = (await only(floor)).unreached_since
    assert since is not None
    controller.refuses["connect"] = OTHER
    await until(is_seen(floor, lambda m: m.state_reason == str(OTHER)))
    assert (await only(floor)).unreached_since == since
    (item,) = (await floor.door.ask(FloorNow())).needs_you
    assert (item.remedy, item.text, item.since) == (Remedy.RECONNECT, str(OTHER), since)
    told = [event.type for event in await floor.door.ask(ListEvents(machine_id=item.machine_id))]
    assert told.count("disconnected") == 1
    assert told.count("readiness_changed") == 0


async def test_a_machine_that_answers_again_is_no_need_any_more(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    machine_id = await lost(floor, controller)
    del controller.refuses["connect"]
    await floor.machine_comes_to(machine_id, MachineState.IDLE)
    await until(is_seen(floor, lambda m: m.unreached_since is None))
    assert (await floor.door.ask(FloorNow())).needs_you == ()


async def test_trying_again_says_with_the_machines_name_that_it_still_does_not_answer(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    machine_id = await lost(floor, controller)
    with pytest.raises(Unavailable) as refusal:
        await floor.door.execute(ActOnMachine(MachineAction.RECONNECT, machine_id))
    assert str(refusal.value) == f"Mill 1: {AWAY}"
    assert refusal.value.raw == RAW
    status = floor.door.peek(ControllerStatus(machine_id))
    assert status is not None
    assert status.details == RAW


async def test_trying_again_reaches_a_machine_at_once(
    station: Station, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller_monitor, "FIRST_PAUSE_S", 600.0)
    monkeypatch.setattr(controller_monitor, "LONGEST_PAUSE_S", 600.0)
    floor = await station()
    controller.refuses["connect"] = AWAY
    machine_id = await floor.mill(driver="scripted")
    await until(is_seen(floor, lambda m: m.missing_since is not None))
    del controller.refuses["connect"]
    await floor.door.execute(ActOnMachine(MachineAction.RECONNECT, machine_id))
    await floor.machine_comes_to(machine_id, MachineState.IDLE)
    status = floor.door.peek(ControllerStatus(machine_id))
    assert status is not None
    assert status.details == ""


async def test_a_machine_that_is_away_when_its_station_starts_again_is_not_said_to_be_closed(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    machine_id = await floor.mill(driver="scripted")
    await floor.machine_comes_to(machine_id, MachineState.IDLE)
    await floor.engine.stop()
    controller.refuses["connect"] = AWAY
    controller.does(Doing.UNREACHABLE, "let go")
    again = await station()
    await until(is_seen(again, lambda m: m.state_reason == str(AWAY)))
    (item,) = (await again.door.ask(FloorNow())).needs_you
    assert item.remedy is Remedy.RECONNECT


async def test_a_position_is_lost_and_confirmed_by_name(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    machine_id = await floor.mill(driver="scripted")
    await floor.machine_comes_to(machine_id, MachineState.IDLE)
    controller.knows(Position(PositionBasis.LOST, "the controller was switched off and on"))
    await until(is_seen(floor, lambda m: m.position_lost))
    (item,) = (await floor.door.ask(FloorNow())).needs_you
    assert item.remedy is Remedy.CONFIRM_POSITION
    await floor.door.execute(ActOnMachine(MachineAction.CONFIRM_POSITION, machine_id))
    machine = await only(floor)
    assert machine.position is not None
    assert (machine.position.position.basis, machine.position.by) == ("confirmed", ME.name)
    assert (await floor.door.ask(FloorNow())).needs_you == ()


async def test_a_database_that_takes_nothing_can_be_tried_again(
    engine: StationEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.local_door.execute(TryDatabase())
    full = Unavailable("The disk is full: nothing was saved. Free some space.")

    def refuse(*_: object) -> list[Exception]:
        return [full]

    with monkeypatch.context() as patch:
        patch.setattr(Heartbeat, "apply", refuse)
        with pytest.raises(Unavailable, match="disk is full"):
            await engine.local_door.execute(TryDatabase())
        (link,) = engine.local_door.peek(ListLinks())
        assert (link.name, link.state, link.detail) == (DATABASE, "offline", str(full))
    await engine.local_door.execute(TryDatabase())
    (link,) = engine.local_door.peek(ListLinks())
    assert link.state == "standalone"


async def test_a_machine_of_a_silent_station_is_known_to_be_unattended(
    config: Config, shop_url: str, monkeypatch: pytest.MonkeyPatch, controller: Controller
) -> None:
    monkeypatch.setitem(registry.OWN, "scripted", kind_of(lambda: controller))
    engine = StationEngine(replace(config, database_url=shop_url, lease_s=600.0))
    await engine.start()
    try:
        floor = FloorOf(engine)
        await floor.mill(driver="scripted")
        give_to_a_silent_station(shop_url)
        machine = await only(floor)
        assert (machine.presence, machine.attended) == (Presence.SILENT, False)
        (item,) = (await engine.local_door.ask(FloorNow())).needs_you
        assert item.title == "Station B: not responding"
    finally:
        await engine.stop()


async def test_a_controller_lost_in_a_run_is_known_to_be_away_and_left_to_the_run(
    station: Station, controller: Controller
) -> None:
    floor = await station()
    machine_id = await floor.mill(driver="scripted")
    job_id = await floor.job()
    await until(lambda: controller.cutting)
    controller.refuses["connect"] = AWAY
    controller.found = RunInspection(RunOutcome.UNDER_WAY, "it runs")
    controller.break_off(AWAY)
    await until(is_seen(floor, lambda m: m.missing_since is not None))
    machine = await only(floor)
    assert (machine.state, machine.at_work) == (MachineState.RUNNING, True)
    with pytest.raises(Conflict, match="in hand"):
        await floor.door.execute(ActOnMachine(MachineAction.RECONNECT, machine_id))
    del controller.refuses["connect"]
    await until(is_seen(floor, lambda m: m.missing_since is None))
    await until(lambda: controller.cutting)
    controller.end()
    await floor.comes_to(job_id, JobState.COMPLETED)
