from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio
from shiboken6 import isValid

from cnc_station.engine.commands import CreateSchedule, PauseSchedule
from cnc_station.engine.domain.actions import ScheduleAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Envelope
from cnc_station.engine.domain.schedule import CatchUp, Overlap, Schedule
from cnc_station.engine.queries import ListSchedules
from cnc_station.engine.views import ScheduleRow
from cnc_station.ui.dialogs.schedule_form import ScheduleForm
from cnc_station.ui.pages.schedules import SchedulesPage
from tests.ui.real_engine import Office, opened
from tests.until import until

WARM_UP = JobSpec("warm up", "mill", estimated_s=720.0, priority=90, tenant="acme")
NIGHTLY = Schedule("Nightly", "30 2 * * *", "Europe/Berlin", WARM_UP)
REPORT = Schedule("Report", "@hourly", "UTC", JobSpec("report", handler="test.echo"))


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[SchedulesPage]:
    async with opened(office, SchedulesPage(office.context)) as page:
        yield page


async def rows(office: Office) -> tuple[ScheduleRow, ...]:
    return await office.door.ask(ListSchedules())


async def listed(page: SchedulesPage, *names: str) -> None:
    await until(lambda: [row.spec.name for row in page.rows.rows] == list(names))


async def closed(form: ScheduleForm) -> None:
    await until(lambda: not isValid(form) or not form.isVisible())


async def test_without_schedules_the_page_says_what_one_is_and_offers_the_first(
    page: SchedulesPage,
) -> None:
    await until(page.empty.isVisible)
    page.empty.step.emit()
    form = page.findChild(ScheduleForm)
    assert form is not None
    form.reject()


async def test_a_schedule_is_listed_with_its_rule_its_next_times_and_its_job(
    office: Office, page: SchedulesPage
) -> None:
    await office.door.execute(CreateSchedule(NIGHTLY))
    await office.door.execute(CreateSchedule(REPORT))
    await listed(page, "Nightly", "Report")
    facts = page.detail.facts
    await until(lambda: "Next, its clock" in facts.pairs())
    assert facts.pairs()["Rule"] == "At 02:30 every day\n30 2 * * *"
    times = facts.pairs()["Next, its clock"].splitlines()
    assert len(times) == 5
    assert all("02:30 +0" in time for time in times)
    assert facts.pairs()["Job"] == "warm up · mill"
    assert "comes twice. The schedule runs the first time only." in page.detail.warnings.text()
    assert page.count.text() == "2 schedules"
    lines = page.detail.calendar.lines  # Nightly may have an hour of its own
    await until(lambda: sum("Report" in line for line in lines()) == 24)
    assert page.detail.day_zone.text().startswith("By the clock of this PC, UTC")
    page.search("report")
    await listed(page, "Report")


async def test_pause_and_resume_one_or_all(office: Office, page: SchedulesPage) -> None:
    first = await office.door.execute(CreateSchedule(NIGHTLY))
    second = await office.door.execute(CreateSchedule(REPORT))
    await listed(page, "Nightly", "Report")
    page.detail.pause_button.click()
    await until(lambda: page.detail.pause_button.text() == "Resume")
    assert [row.spec.paused for row in await rows(office)] == [True, False]
    assert office.said.done == ["Nightly paused"]
    page.pause_all.click()
    await until(lambda: page.pause_all.text() == "Resume all")
    assert {row.id for row in await rows(office) if row.spec.paused} == {first, second}
    page.pause_all.click()
    await until(lambda: page.pause_all.text() == "Pause all")
    assert page.count.text() == "2 schedules"


async def test_run_now_makes_a_job_that_stands_in_the_history(
    office: Office, page: SchedulesPage
) -> None:
    await office.door.execute(CreateSchedule(NIGHTLY))
    await listed(page, "Nightly")
    page.detail.trigger_button.click()
    await until(lambda: page.detail.runs.total == 1)
    (run,) = page.detail.runs.rows
    assert (run.job_id, run.actor) == (1, "tester")
    page.detail.table.opened.emit(run)
    assert office.went.to == [("job", 1)]
    page.detail.trigger_button.click()
    await until(lambda: office.said.failed)
    assert office.said.failed == ["Job 1 of Nightly is not over yet."]


async def test_a_new_schedule_is_typed_with_its_next_times_beside_it(
    office: Office, page: SchedulesPage
) -> None:
    form = page.add()
    form.name.setText("Warm-up")
    form.zone.setEditText("Europe/Berlin")
    form.cron.setEditText("0 6 * * 1-5")
    await until(lambda: form.words.text() == "At 06:00 on Monday through Friday")
    assert len(form.times.text().splitlines()) == 5
    form.cron.setEditText("0 6 * * * *")
    await until(lambda: "has 6 fields" in form.fields["cron"].error)
    assert form.preview.isHidden()
    form.cron.setEditText("30 2 * * *")
    await until(lambda: "skips 02:30" in form.warnings.text())
    assert form.fields["cron"].error == ""
    form.overlap.setCurrentIndex(list(Overlap).index(Overlap.QUEUE))
    form.jitter.setText("01:30")
    form.job.machine_type.setEditText("mill")
    form.job.estimated.setText("12:00")
    form.save()
    await closed(form)
    (row,) = await rows(office)
    assert (row.spec.name, row.spec.cron, row.spec.overlap) == (
        "Warm-up",
        "30 2 * * *",
        Overlap.QUEUE,
    )
    assert (row.spec.jitter_s, row.spec.job.name, row.spec.job.estimated_s) == (
        90.0,
        "Warm-up",
        720.0,
    )
    await listed(page, "Warm-up")


async def test_a_job_of_a_handler_needs_no_machine(office: Office, page: SchedulesPage) -> None:
    form = page.add()
    form.name.setText("Report")
    form.zone.setEditText("UTC")
    form.job.machine_type.setEditText("mill")
    form.handler.setText("test.echo")
    assert form.job.fields["machine_type"].isHidden()
    form.save()
    await closed(form)
    (row,) = await rows(office)
    assert (row.spec.job.handler, row.spec.job.machine_type) == ("test.echo", "")


async def test_what_is_wrong_stands_at_its_field_and_nothing_is_stored(
    office: Office, page: SchedulesPage
) -> None:
    form = page.add()
    form.cron.setEditText("0 0 31 2 *")
    form.zone.setEditText("Mars/Olympus")
    form.job.name.setText("x")
    form.job.machine_type.setEditText("mill")
    form.save()
    assert "is missing" in form.fields["name"].error
    assert "never due" in form.fields["cron"].error
    assert "is not a time zone" in form.fields["time_zone"].error
    form.job.payload.setPlainText("[]")
    form.save()
    assert "JSON object" in form.job.fields["payload"].error
    assert await rows(office) == ()
    form.reject()


async def test_an_edit_keeps_what_the_form_does_not_show(
    office: Office, page: SchedulesPage
) -> None:
    spec = replace(
        NIGHTLY,
        catch_up=CatchUp.ALL,
        overlap=Overlap.ALLOW,
        jitter_s=45.0,
        starts_at=1_790_000_000_000,
        job=replace(
            WARM_UP, payload={"a": 1}, retry_limit=7, timeout_s=90.0, envelope=Envelope(1, 2, 3)
        ),
    )
    await office.door.execute(CreateSchedule(spec))
    await office.door.execute(PauseSchedule())
    await listed(page, "Nightly")
    form = page.edit()
    assert form is not None
    form.cron.setEditText("15 3 * * *")
    form.save()
    await closed(form)
    (row,) = await rows(office)
    assert row.spec == replace(spec, cron="15 3 * * *", paused=True)


async def test_a_deleted_schedule_can_be_added_again(office: Office, page: SchedulesPage) -> None:
    await office.door.execute(CreateSchedule(NIGHTLY))
    await listed(page, "Nightly")
    page.detail.delete_button.click()
    await listed(page)
    assert office.said.done == ["Nightly deleted, with its history"]
    assert await rows(office) == ()


async def test_ticked_schedules_are_paused_resumed_and_run_together(
    office: Office, page: SchedulesPage
) -> None:
    ids = [await office.door.execute(CreateSchedule(spec)) for spec in (NIGHTLY, REPORT)]
    await office.door.execute(PauseSchedule(ids[0]))
    await listed(page, "Nightly", "Report")
    assert not page.ticked.isVisible()
    page.rows.check(ids)
    await until(page.ticked.isVisible)
    assert page.pause_all.isHidden()
    assert [b.text() for b in page.ticked.buttons.values()] == [
        "Pause (1)",
        "Resume (1)",
        "Run now (2)",
    ]
    page.ticked.buttons[ScheduleAction.PAUSE].click()
    await until(lambda: office.said.done == [f"Schedule {ids[1]}: paused"])
    await until(lambda: page.ticked.buttons[ScheduleAction.RESUME].text() == "Resume (2)")
    assert office.said.undo is not None
    office.said.undo()
    await until(lambda: office.said.done[1:] == [f"Schedule {ids[1]}: resumed"])
    assert [row.spec.paused for row in await rows(office)] == [True, False]
    page.ticked.buttons[ScheduleAction.TRIGGER].click()
    await until(lambda: office.said.done[2:] == ["2 schedules: triggered"])
    assert page.go_back()
    assert page.ticked.isHidden()
