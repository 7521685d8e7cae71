from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from cnc_station.engine.commands import ActOnJobs, ActOnMachine, AddMachine, AddProgram, SubmitJobs
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import JobsById, ListEvents, ListMachines, ListRuns
from cnc_station.engine.store.moves import MoveRun
from cnc_station.ui.pages.attention import AttentionPage
from tests.ui.real_engine import Office, mill, opened
from tests.until import until


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[AttentionPage]:
    async with opened(office, AttentionPage(office.context)) as page:
        yield page


def doomed(name: str, **more: Any) -> JobSpec:
    return JobSpec(name, "mill", complexity=5, retry_limit=0, estimated_s=1.0, **more)


async def fail(office: Office, *names: str, **more: Any) -> list[int]:
    """Jobs that have failed for good, the first one first."""
    if not await office.door.ask(ListMachines()):
        await office.door.execute(AddMachine(mill(failure_share=1.0)))
    return [await _fail(office, doomed(name, **more)) for name in names]


async def _fail(office: Office, spec: JobSpec) -> int:
    (job_id,) = await office.door.execute(SubmitJobs([spec]))
    await until(lambda: in_state(office, job_id, JobState.NEEDS_ATTENTION))
    return job_id


async def interrupt(office: Office, name: str) -> int:
    """A job whose run stopped half-way."""
    await office.door.execute(AddMachine(mill("Mill 9", speed=0.001)))
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec(name, "mill", complexity=1)]))
    await _stop_half_way(office, job_id)
    return job_id


async def _stop_half_way(office: Office, job_id: int) -> None:
    await until(lambda: in_state(office, job_id, JobState.RUNNING))
    run = (await office.door.ask(ListRuns(job_id=job_id)))[0]
    await office.write(
        MoveRun(
            t.INTERRUPTED, run.id, run.token, job_id, run.machine_id, "station", "stopped, line 2"
        )
    )


async def state(office: Office, job_id: int) -> JobState:
    (row,) = await office.door.ask(JobsById([job_id]))
    return row.state


async def in_state(office: Office, job_id: int, wanted: JobState) -> bool:
    return await state(office, job_id) is wanted


async def event_types(office: Office, job_id: int) -> list[str]:
    return [event.type for event in await office.door.ask(ListEvents(job_id=job_id))]


async def test_with_nothing_to_decide_the_page_says_so(page: AttentionPage) -> None:
    await until(page.empty.isVisible)


async def test_space_on_arrival_ticks_a_job_and_does_not_retry_them_all(
    office: Office, page: AttentionPage
) -> None:
    (job_id,) = await fail(office, "bracket")
    await until(lambda: page.rows.rows)
    page.retry_all.setFocus()  # as where the page before had the keyboard
    page.arrived()
    focus = page.window().focusWidget()
    assert focus is page.table
    QTest.keyClick(focus, Qt.Key.Key_Space)
    assert [row.id for row in page.rows.checked] == [job_id]


async def test_what_stopped_half_way_comes_first_then_the_oldest(
    office: Office, page: AttentionPage
) -> None:
    first, second = await fail(office, "first", "second")
    half_way = await interrupt(office, "half-way")
    await until(lambda: [row.id for row in page.rows.rows] == [half_way, first, second])


async def test_a_retry_puts_the_job_back_into_the_queue_with_its_event(
    office: Office, page: AttentionPage
) -> None:
    (job_id,) = await fail(office, "bracket")
    await until(lambda: page.detail.shown)
    page.detail.retry_button.click()
    await until(lambda: office.said.done == [f"Job {job_id}: waiting again"])
    assert "retried" in await event_types(office, job_id)


async def test_the_detail_shows_every_attempt_the_error_and_the_payload(
    office: Office, page: AttentionPage
) -> None:
    await fail(office, "bracket", payload={"fixture": "V4"})
    shown = await until(lambda: page.detail.shown)
    assert shown
    assert len(shown.runs) == 1
    assert shown.runs[0].error == shown.row.last_error != ""
    assert page.detail.error.text().lower() == shown.row.last_error
    page.detail.payload.setFocus()
    QTest.keyClick(page.detail.payload, Qt.Key.Key_Down)
    assert '"fixture": "V4"' in page.detail.payload.selected()


async def test_the_line_that_failed_is_shown_in_its_program(
    office: Office, page: AttentionPage
) -> None:
    source = b"G21 G90\nG0 X0 Y0 Z5\nG1 Z-1 F100\nG1 X500 F100\nG1 Y500\nM30\n"
    program = await office.door.execute(AddProgram("plate.nc", source))
    await fail(office, "plate", program=program.sha256)
    await until(page.detail.excerpt.isVisible)
    assert page.detail.excerpt.selected() in {"G1 X500 F100", "G1 Y500", "G1 Z-1 F100"}
    assert str(page.detail.excerpt.current) in page.detail.error.text()


async def put_here(office: Office, job_id: int, why: str) -> None:
    await office.door.execute(
        ActOnJobs(JobAction.OVERRIDE, [job_id], reason=why, state=JobState.NEEDS_ATTENTION)
    )


async def test_a_job_that_a_person_put_here_is_not_said_to_be_out_of_retries(
    office: Office, page: AttentionPage
) -> None:
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec("bracket", "mill")]))
    await put_here(office, job_id, "the drawing is wrong")
    await until(lambda: page.detail.shown)
    assert page.detail.advice.text().startswith("An operator sent it here.")
    (failed,) = await fail(office, "plate")
    page.select(failed)
    await until(lambda: page.detail.shown and page.detail.shown.row.id == failed)
    assert page.detail.advice.text().startswith("All its retries are used up.")
    (mill_1,) = await office.door.ask(ListMachines())
    await office.door.execute(ActOnMachine(MachineAction.MAINTENANCE_ON, mill_1.id))
    await office.door.execute(ActOnJobs(JobAction.RETRY, [failed]))
    await put_here(office, failed, "no stock of this size")
    await until(lambda: page.detail.advice.text().startswith("An operator sent it here."))


async def test_a_line_that_the_program_does_not_have_is_not_shown_in_it(
    office: Office, page: AttentionPage
) -> None:
    program = await office.door.execute(
        AddProgram("plate.nc", b"G21 G90\nG0 X0 Y0 Z5\nG1 Z-1 F100\nM30\n")
    )
    job = JobSpec("plate", "mill", program=program.sha256)
    job_ids = await office.door.execute(SubmitJobs([job, job]))
    for job_id, line in zip(job_ids, (2, 812), strict=True):
        await put_here(office, job_id, f"tool 4 broke, line {line}")
    page.select(job_ids[0])
    await until(page.detail.excerpt.isVisible)
    page.select(job_ids[1])
    await until(lambda: page.detail.shown and page.detail.shown.row.id == job_ids[1])
    assert page.detail.excerpt.isHidden()


async def test_an_interrupted_job_is_accepted_as_completed(
    office: Office, page: AttentionPage
) -> None:
    job_id = await interrupt(office, "half-way")
    await until(lambda: page.detail.shown and page.detail.accept_button.isVisible())
    page.detail.accept_button.held.emit()
    await until(lambda: in_state(office, job_id, JobState.COMPLETED))
    await until(page.empty.isVisible)
    assert (await event_types(office, job_id))[-1] == "accepted"


async def test_who_decides_about_a_part_half_way_sees_what_is_known(
    office: Office, page: AttentionPage
) -> None:
    await interrupt(office, "half-way")
    await until(lambda: page.detail.shown and page.detail.scrap_button.isVisible())
    detail = page.detail
    assert "Stopped, line 2" in detail.error.text()
    known = detail.known.pairs()
    assert known["It ran on"] == "Mill 9"
    assert known["The machine now"] == "Running"  # its simulator was not told of it
    assert {"Started", "Last contact", "It ran for", "Wanted"} <= known.keys()
    words = [b.text() for b in (detail.retry_button, detail.scrap_button, detail.discard_button)]
    assert words == ["Run again from line 1", "Scrap, make another", "Cancel: hold 1 s"]
    assert detail.edit_button.isHidden()


async def test_what_is_known_is_of_the_last_attempt(office: Office, page: AttentionPage) -> None:
    job_id = await interrupt(office, "half-way")
    (first,) = await office.door.ask(ListMachines())
    await office.door.execute(ActOnMachine(MachineAction.MAINTENANCE_ON, first.id))
    await office.door.execute(AddMachine(mill("Mill 10", speed=0.001)))
    await office.door.execute(ActOnJobs(JobAction.RETRY, [job_id]))
    await _stop_half_way(office, job_id)
    await until(lambda: page.detail.known.pairs().get("It ran on") == "Mill 10")


async def test_the_job_that_a_person_came_for_is_the_one_on_view(
    office: Office, page: AttentionPage
) -> None:
    (failed, *_) = await fail(office, "one", "two")
    await interrupt(office, "half-way")
    await until(lambda: len(page.rows.rows) == 3)
    page.select(failed)
    await until(lambda: page.detail.shown and page.detail.shown.row.id == failed)


async def test_a_scrapped_part_is_made_again(office: Office, page: AttentionPage) -> None:
    job_id = await interrupt(office, "half-way")
    await until(lambda: page.detail.shown and page.detail.scrap_button.isVisible())
    page.detail.scrap_button.click()
    await until(lambda: office.said.done)
    assert "scrapped" in await event_types(office, job_id)


async def test_discarding_gives_up_failed_and_interrupted_jobs_alike(
    office: Office, page: AttentionPage
) -> None:
    (failed,) = await fail(office, "bracket")
    half_way = await interrupt(office, "half-way")
    await until(lambda: len(page.rows.rows) == 2)
    page.rows.check([failed, half_way])
    page.discard_selected.held.emit()
    await until(lambda: in_state(office, failed, JobState.CANCELLED))
    await until(lambda: in_state(office, half_way, JobState.CANCELLED))
    assert (await event_types(office, failed))[-1] == "discarded"
    assert (await event_types(office, half_way))[-1] == "cancelled"


async def test_a_click_on_discard_or_on_it_is_complete_does_nothing(
    office: Office, page: AttentionPage
) -> None:
    failed, other = await fail(office, "bracket", "other")
    half_way = await interrupt(office, "half-way")
    await until(lambda: len(page.rows.rows) == 3)
    detail = page.detail
    for job_id in (failed, half_way):
        page.select(job_id)
        await until(lambda: detail.shown and detail.shown.row.id == job_id)  # noqa: B023 - awaited at once
        for button in (detail.discard_button, detail.accept_button):
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    page.rows.check([failed, half_way])
    await until(page.discard_selected.isEnabled)
    QTest.mouseClick(page.discard_selected, Qt.MouseButton.LeftButton)
    page.select(other)
    await until(lambda: detail.shown and detail.shown.row.id == other)
    detail.retry_button.click()  # asked for after them, and done

    async def retried() -> bool:
        return "retried" in await event_types(office, other)

    await until(retried)
    assert await state(office, failed) is JobState.NEEDS_ATTENTION
    assert await state(office, half_way) is JobState.INTERRUPTED


async def test_retry_all_leaves_what_stopped_half_way_to_a_person(
    office: Office, page: AttentionPage
) -> None:
    failed = await fail(office, "one", "two")
    half_way = await interrupt(office, "half-way")
    await until(lambda: len(page.rows.rows) == 3)
    page.retry_all.click()
    await until(lambda: office.said.done == ["2 jobs: waiting again"])
    for job_id in failed:
        assert "retried" in await event_types(office, job_id)
    assert await state(office, half_way) is JobState.INTERRUPTED


async def test_only_the_ticked_jobs_are_retried(office: Office, page: AttentionPage) -> None:
    one, two = await fail(office, "one", "two")
    await until(lambda: len(page.rows.rows) == 2)
    assert not page.retry_selected.isEnabled()
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_Down)
    QTest.keyClick(page.table, Qt.Key.Key_Space)
    assert [row.id for row in page.rows.checked] == [two]
    assert page.go_back()
    assert not page.go_back()
    QTest.keyClick(page.table, Qt.Key.Key_Space)
    page.retry_selected.click()
    await until(lambda: office.said.done == [f"Job {two}: waiting again"])
    assert await state(office, one) is JobState.NEEDS_ATTENTION


async def test_the_search_narrows_the_list(office: Office, page: AttentionPage) -> None:
    await fail(office, "bracket", "flange")
    await until(lambda: len(page.rows.rows) == 2)
    page.search("flan")
    await until(lambda: [row.name for row in page.rows.rows] == ["flange"])
    page.search("nothing like it")
    await until(page.nothing_found.isVisible)


async def test_an_edited_job_is_stored_as_edited_and_retried(
    office: Office, page: AttentionPage
) -> None:
    (job_id,) = await fail(office, "bracket")
    await until(lambda: page.detail.shown)
    form = page.edit()
    assert form is not None
    form.fields.complexity.setValue(1)
    form.submit.click()
    await until(lambda: in_state(office, job_id, JobState.COMPLETED))
    (row,) = await office.door.ask(JobsById([job_id]))
    assert row.complexity == 1
    types = await event_types(office, job_id)
    assert types[types.index("failed_final") :][:3] == ["failed_final", "edited", "retried"]
