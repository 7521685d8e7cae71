"""Two stations of one fleet, on a real PostgreSQL, with and without a real Redis."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Connection, text, update

from cnc_station.config import Config
from cnc_station.engine.commands import (
    ActOnJobs,
    ActOnMachine,
    AddMachine,
    CreateSchedule,
    EditMachine,
    MoveMachine,
    ResumeSchedule,
    SubmitJobs,
)
from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec, Position, PositionBasis
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.schedule import CatchUp, Overlap, Schedule
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers import registry
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import (
    JobsById,
    ListEvents,
    ListMachines,
    ListRuns,
    ListStations,
    ScheduleRuns,
)
from cnc_station.engine.services import reconciler
from cnc_station.engine.services.controller_monitor import ControllerMonitor
from cnc_station.engine.services.dispatcher import MachineDispatcher
from cnc_station.engine.services.leadership import Leadership, Stager
from cnc_station.engine.services.reconciler import Reconciler
from cnc_station.engine.signals.redis import RedisSignals
from cnc_station.engine.store.schema import schedule
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import Doing
from tests.engine.floor import Controller, by_hand, kind_of, service_of, supervisor_of
from tests.tools.servers import Redis
from tests.until import until

ME = local_principal("tester")
MILL = MachineSpec("Mill 1", "mill", capability=Capability("mill"))


@pytest.fixture(params=["redis", "no redis"])
def shared(
    config: Config, shop_url: str, redis_server: Redis, request: pytest.FixtureRequest
) -> Config:
    redis_server.clear()
    redis_url = redis_server.url if request.param == "redis" else ""
    return replace(config, database_url=shop_url, redis_url=redis_url, simulator_speed=50.0)


@pytest.fixture
async def fleet(shared: Config) -> AsyncIterator[tuple[StationEngine, StationEngine]]:
    a, b = StationEngine(shared), StationEngine(replace(shared, station="B"))
    await a.start()
    await b.start()
    yield a, b
    await b.stop()
    await a.stop()


async def _is(engine: StationEngine, job_id: int, state: JobState) -> bool:
    (row,) = await engine.local_door.ask(JobsById([job_id]))
    return row.state is state


async def test_a_job_handed_in_at_one_station_runs_at_another(
    fleet: tuple[StationEngine, StationEngine],
) -> None:
    a, b = fleet
    await b.door(ME).execute(AddMachine(MILL))
    (job_id,) = await a.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=1.0)]))
    await until(partial(_is, a, job_id, JobState.COMPLETED))
    (run,) = await a.local_door.ask(ListRuns(job_id=job_id))
    assert run.station == "B"


async def test_a_job_whose_hint_was_lost_is_found_all_the_same(
    fleet: tuple[StationEngine, StationEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = fleet
    await b.door(ME).execute(AddMachine(MILL))
    monkeypatch.setattr(RedisSignals, "announce_work", lambda *_: None)
    (job_id,) = await a.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=1.0)]))
    await until(partial(_is, a, job_id, JobState.COMPLETED))


@pytest.mark.parametrize("shared", ["redis"], indirect=True)
async def test_a_job_handed_in_at_one_station_wakes_no_dispatcher_of_another_by_its_notice(
    fleet: tuple[StationEngine, StationEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others would all claim for it: work is announced to one of them."""
    a, b = fleet
    monkeypatch.setattr(MachineDispatcher, "lost_hint_s", None)
    await a.door(ME).execute(AddMachine(MILL))
    heard: list[Notice] = []
    b.subscribe(heard.append)
    looks: list[float] = []
    dispatcher = service_of(b, MachineDispatcher)
    run_once = dispatcher.run_once

    async def counted() -> float:
        looks.append(time.monotonic())
        return await run_once()

    monkeypatch.setattr(dispatcher, "run_once", counted)
    for _ in range(2):  # the first shows that b hears a, and that it has looked at what it missed
        looks.clear()
        heard.clear()
        await a.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=1.0)]))
        await until(lambda: any("completed" in notice.types for notice in heard))
    assert looks == []


async def test_a_machine_cleared_from_the_window_of_another_station_gets_its_next_job_at_once(
    fleet: tuple[StationEngine, StationEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        MachineDispatcher, "lost_hint_s", None
    )  # it is not found by looking for those
    a, b = fleet
    machine_id = await b.door(ME).execute(AddMachine(replace(MILL, operator_clears=True)))
    first, second = await a.door(ME).execute(
        SubmitJobs([JobSpec("bracket", "mill", estimated_s=1.0)] * 2)
    )

    async def to_clear() -> bool:
        (row,) = await a.local_door.ask(ListMachines())
        return row.state is MachineState.NEEDS_CLEARING

    await until(partial(_is, a, first, JobState.COMPLETED))
    await until(to_clear)
    await a.door(ME).execute(ActOnMachine(MachineAction.CLEAR, machine_id))
    await until(partial(_is, a, second, JobState.COMPLETED))


async def test_a_run_is_held_and_ended_from_the_window_of_another_station(
    fleet: tuple[StationEngine, StationEngine],
) -> None:
    a, b = fleet
    await b.door(ME).execute(AddMachine(MILL))
    (job_id,) = await a.door(ME).execute(
        SubmitJobs([JobSpec("bracket", "mill", estimated_s=10_000.0)])
    )
    await until(partial(_is, a, job_id, JobState.RUNNING))
    assert [
        answer.error for answer in await a.door(ME).execute(ActOnJobs(JobAction.HOLD, [job_id]))
    ] == [""]
    assert await _is(a, job_id, JobState.HELD)
    assert [
        answer.error for answer in await a.door(ME).execute(ActOnJobs(JobAction.ABORT, [job_id]))
    ] == [""]
    assert await _is(a, job_id, JobState.CANCELLED)
    assert (await a.local_door.ask(ListEvents(job_id=job_id)))[-1].actor == "tester"


async def test_one_of_them_leads_and_the_other_takes_over_its_work_when_it_leaves(
    shared: Config,
) -> None:
    a, b = StationEngine(shared), StationEngine(replace(shared, station="B"))

    async def leads(looking: StationEngine, name: str) -> bool:
        return [row.name for row in await looking.local_door.ask(ListStations()) if row.leads] == [
            name
        ]

    await a.start()
    await until(partial(leads, a, "A"))
    await b.start()
    assert await leads(b, "A")
    await a.stop()
    try:
        await until(partial(leads, b, "B"), timeout=40)
        soon = time.time_ns() // 1_000_000 + 300
        (job_id,) = await b.door(ME).execute(
            SubmitJobs([JobSpec("bracket", "mill", not_before=soon)])
        )
        await until(partial(_is, b, job_id, JobState.QUEUED))
    finally:
        await b.stop()


async def test_a_machine_given_to_another_station_works_there(
    fleet: tuple[StationEngine, StationEngine],
) -> None:
    a, b = fleet
    machine_id = await a.door(ME).execute(AddMachine(MILL))
    await a.door(ME).execute(MoveMachine(machine_id, "B"))

    async def idle_at_b() -> bool:
        (row,) = await a.local_door.ask(ListMachines())
        return (row.station, row.state) == ("B", MachineState.IDLE)

    await until(idle_at_b)
    (job_id,) = await b.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=1.0)]))
    await until(partial(_is, b, job_id, JobState.COMPLETED))


async def test_a_machine_in_maintenance_is_given_no_work_at_another_station_until_a_person_ends_it(
    fleet: tuple[StationEngine, StationEngine],
) -> None:
    a, b = fleet
    machine_id = await a.door(ME).execute(AddMachine(MILL))
    await a.door(ME).execute(
        ActOnMachine(MachineAction.MAINTENANCE_ON, machine_id, reason="new belt")
    )
    await a.door(ME).execute(MoveMachine(machine_id, "B"))
    (job_id,) = await b.door(ME).execute(SubmitJobs([JobSpec("bracket", "mill", estimated_s=1.0)]))

    async def reached_at_b() -> bool:
        (row,) = await b.local_door.ask(ListMachines())
        return supervisor_of(b).pool.is_reached(machine_id) and not row.not_ready

    await until(reached_at_b)
    (row,) = await b.local_door.ask(ListMachines())
    shown = (row.station, row.state, row.state_reason)
    assert shown == ("B", MachineState.MAINTENANCE, "new belt")
    await service_of(b, ControllerMonitor).run_once()
    await service_of(b, MachineDispatcher).run_once()
    assert await _is(b, job_id, JobState.QUEUED)
    await a.door(ME).execute(ActOnMachine(MachineAction.MAINTENANCE_OFF, machine_id))
    await until(partial(_is, b, job_id, JobState.COMPLETED))


async def test_a_machine_rewired_at_another_station_gets_its_new_driver_at_its_own_at_once(
    fleet: tuple[StationEngine, StationEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = fleet
    monkeypatch.setattr(reconciler, "REST_S", 3_600.0)
    service_of(b, Reconciler).wake.hint()  # it rests for so long from its next look on
    machine_id = await b.door(ME).execute(AddMachine(MILL))
    drivers = supervisor_of(b).pool.drivers
    former = drivers[machine_id]
    await a.door(ME).execute(EditMachine(machine_id, replace(MILL, settings={"speed": 7.0})))
    assert machine_id not in supervisor_of(a).pool.drivers
    await until(lambda: drivers.get(machine_id) not in (None, former))


async def test_an_alarm_at_another_station_is_unlocked_by_the_controller_there(
    fleet: tuple[StationEngine, StationEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = fleet
    controller = Controller()
    monkeypatch.setitem(registry.OWN, "scripted", kind_of(lambda: controller))
    machine_id = await b.door(ME).execute(AddMachine(replace(MILL, driver="scripted")))

    async def in_alarm() -> bool:
        (row,) = await a.local_door.ask(ListMachines())
        return row.state is MachineState.ALARM

    controller.does(Doing.ALARM, "door open")
    await until(in_alarm)
    controller.refuses["unlock"] = Conflict("Close the door first.")
    with pytest.raises(Conflict, match="Close the door first"):
        await a.door(ME).execute(ActOnMachine(MachineAction.UNLOCK, machine_id))
    assert await in_alarm()
    del controller.refuses["unlock"]
    await a.door(ME).execute(ActOnMachine(MachineAction.UNLOCK, machine_id, reason="door closed"))
    assert not await in_alarm()
    told = (await a.local_door.ask(ListEvents(machine_id=machine_id)))[-1]
    assert (told.type, told.actor, told.station) == ("unlocked", ME.name, "B")


async def test_a_lost_position_at_another_station_is_confirmed_by_the_driver_there(
    fleet: tuple[StationEngine, StationEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = fleet
    controller = Controller()
    monkeypatch.setitem(registry.OWN, "scripted", kind_of(lambda: controller))
    machine_id = await b.door(ME).execute(AddMachine(replace(MILL, driver="scripted")))

    async def basis() -> str:
        (row,) = await a.local_door.ask(ListMachines())
        return "" if row.position is None else row.position.position.basis.value

    async def is_lost() -> bool:
        return await basis() == "lost"

    controller.knows(Position(PositionBasis.LOST, "it was switched off and on"))
    await until(is_lost)
    await a.door(ME).execute(ActOnMachine(MachineAction.CONFIRM_POSITION, machine_id))
    assert await basis() == "confirmed"
    told = [
        e
        for e in await a.local_door.ask(ListEvents(machine_id=machine_id))
        if e.type == "position_changed"
    ][-1]
    assert (told.actor, told.station) == (ME.name, "B")


async def test_a_leader_that_is_woken_by_others_news_writes_nothing_while_no_job_is_due(
    fleet: tuple[StationEngine, StationEngine],
) -> None:
    leader = next(e for e in fleet if service_of(e, Leadership).term is not None)
    reader = supervisor_of(leader).context.reader
    looks = 50
    before = await reader.read(_transactions)
    for _ in range(looks):
        await service_of(leader, Stager).run_once()
    assert await reader.read(_transactions) - before < looks / 2  # heartbeats write too


def _transactions(connection: Connection) -> int:
    """How many have ever written something, at this server."""
    count: int = connection.execute(
        text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    ).scalar_one()
    return count


async def test_a_schedule_changed_at_another_station_is_fired_by_the_leader_once(
    fleet: tuple[StationEngine, StationEngine],
) -> None:
    a, b = fleet
    leads = {True: "A", False: "B"}[service_of(a, Leadership).term is not None]
    other = b if leads == "A" else a
    door = other.door(ME)
    job = JobSpec("warm up", "lathe")
    every_minute = Schedule("Warm-up", "* * * * *", "UTC", job, CatchUp.ALL, Overlap.ALLOW)
    first = await door.execute(CreateSchedule(every_minute))
    second = await door.execute(CreateSchedule(replace(every_minute, name="Other", paused=True)))
    minute = now_ms() // 60_000 * 60_000
    by_hand(
        other,
        update(schedule)
        .where(schedule.c.id == first)
        .values(next_due=minute - 60_000, fires_at=minute - 60_000),
    )
    await door.execute(ResumeSchedule(second))  # its notice wakes the leader

    async def fired() -> bool:
        return len(await door.ask(ScheduleRuns(first))) >= 2

    await until(fired, 30)  # long before the leader looks by itself
    runs = await door.ask(ScheduleRuns(first))
    assert len({run.due_at for run in runs}) == len(runs)
    assert len({run.job_id for run in runs}) == len(runs)
    told = [e for e in await door.ask(ListEvents()) if e.type == "schedule_fired"]
    assert {event.station for event in told} == {leads}
