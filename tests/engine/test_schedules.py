"""Schedules through the door of a station at work."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import Connection, update

from cnc_station.engine.commands import (
    ActOnSchedules,
    CreateSchedule,
    DeleteSchedule,
    EditSchedule,
    PauseSchedule,
    ResumeSchedule,
    TriggerSchedule,
)
from cnc_station.engine.domain.actions import ScheduleAction
from cnc_station.engine.domain.errors import Conflict, InvalidInput, NotPermitted
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.notice import MISSED
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.domain.schedule import CatchUp, FiringState, Overlap, Schedule
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import (
    JobById,
    ListEvents,
    ListSchedules,
    PreviewSchedule,
    ScheduleById,
    ScheduleRuns,
    UpcomingRuns,
)
from cnc_station.engine.services import schedules
from cnc_station.engine.store import firing_statements, schema, writer
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import ScheduleRow, ScheduleRun
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf, by_hand, supervisor_of
from tests.until import until

ECHO = JobSpec("report", handler="test.echo", payload={"text": "hello", "none": None})
YEARLY = Schedule("Report", "0 0 1 1 *", "Europe/Berlin", ECHO, CatchUp.ALL, Overlap.ALLOW)


async def create(floor: FloorOf, **changes: object) -> int:
    return await floor.door.execute(CreateSchedule(replace(YEARLY, **changes)))  # type: ignore[arg-type]


def make_due(floor: FloorOf, schedule_id: int, minutes_ago: int = 0) -> int:
    """Have a schedule of every minute due since so many full minutes. Return the first of them."""
    due = now_ms() // 60_000 * 60_000 - minutes_ago * 60_000
    table = schema.schedule
    change = update(table).where(table.c.id == schedule_id)
    by_hand(floor.engine, change.values(next_due=due, fires_at=due))
    supervisor_of(floor.engine).hear(MISSED)
    return due


async def runs(floor: FloorOf, schedule_id: int) -> tuple[ScheduleRun, ...]:
    return await floor.door.ask(ScheduleRuns(schedule_id))


async def fired(floor: FloorOf, schedule_id: int, count: int = 1) -> tuple[ScheduleRun, ...]:
    """Wait until so many due times have been handled."""

    async def there() -> tuple[ScheduleRun, ...] | None:
        found = await runs(floor, schedule_id)
        return found if len(found) >= count else None

    found = await until(there)
    assert found is not None
    return found


async def row(floor: FloorOf, schedule_id: int) -> ScheduleRow:
    found = await floor.door.ask(ScheduleById(schedule_id))
    assert found is not None
    return found


async def test_a_schedule_fires_at_its_time_and_its_job_is_made(station: Station) -> None:
    floor = await station()
    schedule_id = await create(floor, cron="* * * * *")
    due = make_due(floor, schedule_id)
    (run, *_) = await fired(floor, schedule_id)
    assert (run.due_at, run.state, run.actor) == (due, FiringState.FIRED, "schedules")
    assert 0 <= run.late_s < 61
    assert run.job_id is not None
    detail = await floor.door.ask(JobById(run.job_id))
    assert detail is not None
    assert (detail.row.name, detail.row.handler) == ("report", "test.echo")
    assert detail.payload == {"text": "hello", "none": None}
    assert detail.schedule_id == schedule_id
    shown = await row(floor, schedule_id)
    assert shown.last is not None
    assert shown.last.job_id == run.job_id
    assert shown.next_due is not None
    assert shown.next_due > due


async def test_a_queued_due_time_goes_on_when_the_open_job_is_over(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its end wakes the service, and nothing else does.
    monkeypatch.setattr(schedules, "WAITING_REST_S", 600.0)
    monkeypatch.setattr(writer, "ELSEWHERE_EVERY_S", 600.0)
    floor = await station()
    job = JobSpec("part", "mill")
    end = now_ms() // 60_000 * 60_000
    schedule_id = await create(floor, cron="* * * * *", overlap=Overlap.QUEUE, job=job, ends_at=end)
    make_due(floor, schedule_id, minutes_ago=(now_ms() - end) // 60_000 + 1)
    newest, oldest = await fired(floor, schedule_id, 2)
    assert (newest.state, oldest.state) == (FiringState.WAITING, FiringState.FIRED)
    assert oldest.job_id is not None
    assert (await row(floor, schedule_id)).open_jobs == 1
    await floor.act("cancel", oldest.job_id)

    async def goes_on() -> bool:
        return (await runs(floor, schedule_id))[0].state is FiringState.FIRED

    await until(goes_on)
    last = (await runs(floor, schedule_id))[1]
    assert last.job_state is JobState.CANCELLED


async def test_a_job_that_ends_while_the_service_reads_is_not_missed(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "WAITING_REST_S", 600.0)
    monkeypatch.setattr(writer, "ELSEWHERE_EVERY_S", 600.0)
    has_read, goes_on = threading.Event(), threading.Event()
    read = firing_statements.schedule_needs

    def held_up(connection: Connection, now: int) -> firing_statements.ScheduleNeeds:
        needs = read(connection, now)
        if needs.waiting and not has_read.is_set():
            has_read.set()
            goes_on.wait(30)
        return needs

    monkeypatch.setattr(schedules, "schedule_needs", held_up)
    floor = await station()
    job = JobSpec("part", "mill")
    end = now_ms() // 60_000 * 60_000  # the next minute would wake it too
    schedule_id = await create(floor, cron="* * * * *", overlap=Overlap.QUEUE, job=job, ends_at=end)
    make_due(floor, schedule_id, minutes_ago=(now_ms() - end) // 60_000 + 1)
    await until(has_read.is_set)
    oldest = (await runs(floor, schedule_id))[-1]
    assert oldest.job_id is not None
    await floor.act("cancel", oldest.job_id)
    goes_on.set()

    async def went_on() -> bool:
        return (await runs(floor, schedule_id))[-2].state is FiringState.FIRED

    await until(went_on)


async def test_edit_pause_resume_trigger_and_delete(station: Station) -> None:
    floor = await station()
    schedule_id = await create(floor)
    other = await create(floor, name="Other")
    shown = await row(floor, schedule_id)
    later = replace(shown.spec, cron="0 0 2 1 *", time_zone="UTC")
    await floor.door.execute(EditSchedule(schedule_id, later, shown.version))
    with pytest.raises(Conflict, match="changed by somebody else"):
        await floor.door.execute(EditSchedule(schedule_id, later, shown.version))
    assert (await row(floor, schedule_id)).words == "At 00:00 on January 2"
    assert await floor.door.execute(PauseSchedule(schedule_id, "no stock")) == (schedule_id,)
    assert await floor.door.execute(PauseSchedule()) == (other,)
    assert [r.spec.paused for r in await floor.door.ask(ListSchedules())] == [True, True]
    assert [r.next_due for r in await floor.door.ask(ListSchedules())] == [None, None]
    assert await floor.door.execute(ResumeSchedule()) == (schedule_id, other)
    job_id = await floor.door.execute(TriggerSchedule(schedule_id))
    (run,) = await runs(floor, schedule_id)
    assert (run.job_id, run.actor) == (job_id, "tester")
    await floor.door.execute(DeleteSchedule(schedule_id))
    assert await floor.door.ask(ScheduleById(schedule_id)) is None
    for command in (
        DeleteSchedule(schedule_id),
        TriggerSchedule(schedule_id),
        PauseSchedule(schedule_id),
        EditSchedule(schedule_id, later),
    ):
        with pytest.raises(Conflict, match=f"There is no schedule {schedule_id}"):
            await floor.door.execute(command)
    told = [e for e in await floor.door.ask(ListEvents()) if e.type.startswith("schedule_")]
    assert [e.type.removeprefix("schedule_") for e in told] == [
        "created",
        "created",
        "edited",
        "paused",
        "paused",
        "resumed",
        "resumed",
        "triggered",
        "deleted",
    ]
    assert (told[2].actor, told[2].details["fields"]) == ("tester", ["cron", "time_zone"])
    assert told[3].reason == "Report: no stock"


async def test_a_preview_stores_nothing_and_names_what_is_wrong(station: Station) -> None:
    floor = await station()
    seen = await floor.door.ask(PreviewSchedule(replace(YEARLY, cron="30 2 * * *")))
    assert len(seen.times) == 5
    assert seen.words == "At 02:30 every day"
    assert len(seen.warnings) == 2
    assert {time.offset_s for time in seen.times} <= {3600, 7200}
    with pytest.raises(InvalidInput, match="cron: has 6 fields") as refused:
        await floor.door.ask(PreviewSchedule(replace(YEARLY, cron="0 0 0 1 1 *", time_zone="X")))
    assert [error.field for error in refused.value.errors] == ["cron", "time_zone"]
    wrong = replace(YEARLY, cron="", job=replace(ECHO, quantity=0, name=""))
    with pytest.raises(InvalidInput) as refused:
        await floor.door.ask(PreviewSchedule(wrong))
    named = [error.field for error in refused.value.errors]
    assert named == ["cron", "job.name", "job.quantity"]
    assert await floor.door.ask(ListSchedules()) == ()


async def test_the_calendar_lists_the_times_of_all_schedules_in_order(station: Station) -> None:
    floor = await station()
    await create(floor, name="Hourly", cron="0 * * * *")
    await create(floor, name="Half", cron="30 * * * *")
    await create(floor, name="Paused", cron="15 * * * *", paused=True)
    found = await floor.door.ask(UpcomingRuns(hours=24))
    assert [time.at for time in found] == sorted(time.at for time in found)
    assert len(found) == 48
    assert {time.name for time in found} == {"Hourly", "Half"}
    assert len(await floor.door.ask(UpcomingRuns(hours=24, limit=5))) == 5


@pytest.mark.parametrize(
    "query",
    [
        UpcomingRuns(hours=float("nan")),
        UpcomingRuns(hours=1e12),
        UpcomingRuns(limit=10**9),
        ScheduleRuns(1, limit=0),
        ScheduleRuns(2**70),
        ScheduleRuns(1, before=-1),
    ],
)
async def test_a_question_without_bounds_is_refused(
    station: Station, query: UpcomingRuns | ScheduleRuns
) -> None:
    floor = await station()
    with pytest.raises(InvalidInput):
        await floor.door.ask(query)


async def test_runs_that_outlast_the_interval_are_said(station: Station) -> None:
    floor = await station()
    await floor.mill()
    job = JobSpec("part", "mill", estimated_s=1.0)
    schedule_id = await create(floor, cron="* * * * *", job=job)
    job_id = await floor.door.execute(TriggerSchedule(schedule_id))
    await floor.comes_to(job_id, JobState.COMPLETED)
    assert (await row(floor, schedule_id)).warnings == ()
    by_hand(floor.engine, update(schema.run).values(started_at=schema.run.c.ended_at - 90_000))
    (shown,) = await floor.door.ask(ListSchedules())
    assert shown.warnings == ("Runs take longer than the time until the next one.",)
    assert shown.last is not None
    assert (shown.last.job_state, shown.last.seconds) == (JobState.COMPLETED, 90.0)


async def test_only_a_supervisor_works_with_schedules(station: Station) -> None:
    floor = await station()
    operator = floor.engine.door(Principal("ann", frozenset({Role.OPERATOR}), tenants=None))
    with pytest.raises(NotPermitted, match="ann may not work with schedules"):
        await operator.execute(CreateSchedule(YEARLY))
    with pytest.raises(NotPermitted):
        await operator.ask(ListSchedules())
    boss = floor.engine.door(Principal("eve", frozenset({Role.SUPERVISOR}), tenants=None))
    await boss.execute(CreateSchedule(YEARLY))


async def test_schedules_of_other_tenants_do_not_exist_for_a_principal(station: Station) -> None:
    floor = await station()
    own = await create(floor, job=replace(ECHO, tenant="acme"))
    other = await create(floor, job=replace(ECHO, tenant="zeta"))
    await floor.door.execute(TriggerSchedule(other))
    role = frozenset({Role.SUPERVISOR})
    door = floor.engine.door(Principal("ann", role, tenants=frozenset({"acme"})))
    assert [shown.id for shown in await door.ask(ListSchedules())] == [own]
    assert await door.ask(ScheduleById(other)) is None
    assert await door.ask(ScheduleRuns(other)) == ()
    assert {time.schedule_id for time in await door.ask(UpcomingRuns(hours=8784))} == {own}
    for command in (
        TriggerSchedule(other),
        DeleteSchedule(other),
        PauseSchedule(other),
        ResumeSchedule(other),
        EditSchedule(other, replace(YEARLY, job=replace(ECHO, tenant="acme"))),
    ):
        with pytest.raises(Conflict, match=f"There is no schedule {other}"):
            await door.execute(command)
    answers = await door.execute(ActOnSchedules(ScheduleAction.RESUME, [own, other]))
    assert [one.error for one in answers] == [
        f"Schedule {own} is not paused.",
        f"There is no schedule {other}.",
    ]
    for spec in (YEARLY, replace(YEARLY, job=replace(ECHO, tenant="zeta"))):
        with pytest.raises(InvalidInput, match="is not one of yours"):
            await door.execute(CreateSchedule(spec))
        with pytest.raises(InvalidInput, match="is not one of yours"):
            await door.execute(EditSchedule(own, spec))
    told = [event.type for event in await door.ask(ListEvents())]
    assert not [kind for kind in told if kind.startswith("schedule_")]
    assert await door.execute(PauseSchedule()) == (own,)
    assert not (await row(floor, other)).spec.paused
