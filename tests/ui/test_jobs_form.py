from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from cnc_station.engine.commands import ActOnJobs, AddMachine, EditJob, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import JobById, ListJobs
from cnc_station.engine.views import JobDetail, JobFilter, Sort, SortKey
from cnc_station.ui.dialogs.job_form import JobForm
from tests.ui.real_engine import Office, mill
from tests.until import until

PROGRAM = Path(__file__).parents[2] / "resources/demo/programs/drill_rail_20.nc"


@pytest_asyncio.fixture
async def window(office: Office) -> AsyncIterator[QWidget]:
    window = QWidget()
    window.show()
    yield window
    await office.context.operations.close()
    window.close()
    window.deleteLater()


async def opened(form: JobForm) -> JobForm:
    """Open, and done with fetching what it offers."""
    form.open()
    await until(lambda: form.loaded)
    return form


async def jobs(office: Office) -> list[str]:
    page = await office.door.ask(ListJobs(JobFilter(), (Sort(SortKey.CREATED),), 0, 10))
    return [row.name for row in page.rows]


async def detail(office: Office, job_id: int) -> JobDetail:
    found = await office.door.ask(JobById(job_id))
    assert found is not None
    return found


async def test_a_job_is_typed_and_submitted_with_the_keyboard_alone(
    office: Office, window: QWidget
) -> None:
    await office.door.execute(AddMachine(mill()))
    form = await opened(JobForm.new(office.context, window))
    assert form.fields.machine_type.currentText() == "mill"
    QTest.keyClicks(form.fields.name, "Bracket v2")
    QTest.keyClick(form, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    await until(lambda: office.said.done == ["Job 1: added"])
    assert await jobs(office) == ["Bracket v2"]


async def test_faults_stand_at_their_fields_and_nothing_typed_is_lost(
    office: Office, window: QWidget
) -> None:
    form = await opened(JobForm.new(office.context, window))
    form.fields.machine_type.setEditText("mill")
    form.fields.estimated.setText("soon")
    form.fields.payload.setPlainText("{")
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    await until(lambda: form.fields.fields["name"].error == "is missing")
    assert "mm:ss" in form.fields.fields["estimated_s"].error
    assert "JSON" in form.fields.fields["payload"].error
    assert form.fields.payload.isVisible(), "a hidden field that is wrong comes to light"
    assert (form.fields.estimated.text(), form.fields.payload.toPlainText()) == ("soon", "{")
    form.fields.name.setText("Bracket")
    form.fields.estimated.setText("4:30")
    form.fields.payload.setPlainText("")
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    await until(lambda: office.said.done)
    assert (await detail(office, 1)).row.estimated_s == 270.0


async def test_a_wrong_field_and_why_it_is_wrong_come_into_view(
    office: Office, window: QWidget
) -> None:
    window.resize(800, 400)
    form = await opened(JobForm.new(office.context, window))
    assert form.height() <= window.height()
    form.fields.name.setText("Bracket")
    form.fields.machine_type.setEditText("mill")
    form.fields.payload.setPlainText("plain words")
    wrong = form.fields.fields["payload"]
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    await until(lambda: wrong.error and wrong.visibleRegion().boundingRect() == wrong.rect())
    form.reject()


async def test_what_only_the_engine_can_know_stands_at_its_field_too(
    office: Office, window: QWidget
) -> None:
    form = await opened(JobForm.new(office.context, window))
    form.fields.name.setText("Second operation")
    form.fields.machine_type.setEditText("mill")
    form.fields.after.setText("77")
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    await until(lambda: form.fields.fields["after"].error)
    assert "77" in form.fields.fields["after"].error
    form.reject()


async def test_a_draft_waits_until_it_is_submitted(office: Office, window: QWidget) -> None:
    form = await opened(JobForm.new(office.context, window))
    form.fields.name.setText("Bracket")
    form.fields.machine_type.setEditText("mill")
    QTest.mouseClick(form.as_draft, Qt.MouseButton.LeftButton)
    await until(lambda: office.said.done)
    assert (await detail(office, 1)).row.state is JobState.DRAFT


async def test_an_edit_sends_what_changed_and_refuses_a_job_changed_meanwhile(
    office: Office, window: QWidget
) -> None:
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec("Bracket", "mill", quantity=4)]))
    form = await opened(JobForm.change(office.context, window, await detail(office, job_id)))
    form.fields.quantity.setValue(9)
    await office.door.execute(EditJob(job_id, {"priority": 90}))
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    await until(form.banner.isVisible)
    assert "changed" in form.banner.text()
    assert form.fields.quantity.value() == 9
    form.reject()
    form = await opened(JobForm.change(office.context, window, await detail(office, job_id)))
    form.fields.quantity.setValue(9)
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    await until(lambda: office.said.done)
    row = (await detail(office, job_id)).row
    assert (row.quantity, row.priority) == (9, 90)


async def test_edit_and_retry_puts_a_job_back_into_the_queue(
    office: Office, window: QWidget
) -> None:
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec("Bracket", "mill", complexity=5)]))
    await office.door.execute(
        ActOnJobs(JobAction.OVERRIDE, [job_id], state=JobState.NEEDS_ATTENTION, reason="test")
    )
    form = JobForm.change(office.context, window, await detail(office, job_id), retry=True)
    await opened(form)
    assert form.last_error.text() == "What happened: Test"
    form.fields.complexity.setValue(3)
    await office.door.execute(EditJob(job_id, {"priority": 90}))  # somebody else
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    await until(form.banner.isVisible)
    row = (await detail(office, job_id)).row
    assert (row.state, row.complexity) == (JobState.NEEDS_ATTENTION, 5)
    form.reject()
    form = JobForm.change(office.context, window, await detail(office, job_id), retry=True)
    await opened(form)
    form.fields.complexity.setValue(3)
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)

    async def queued() -> bool:
        return (await detail(office, job_id)).row.state is JobState.QUEUED

    await until(queued)
    assert (await detail(office, job_id)).row.complexity == 3


async def test_a_copy_is_another_job_with_the_same_values(office: Office, window: QWidget) -> None:
    told: dict[str, Any] = {
        "customer": "Krämer",
        "notes": "deburr\nby hand",
        "description": "For the pump",
    }
    spec = JobSpec("Bracket", "mill", quantity=4, payload={"batch": 3}, work_order="WO-7", **told)
    spec = replace(spec, external_id="4711")
    (job_id,) = await office.door.execute(SubmitJobs([spec]))
    form = await opened(JobForm.copy(office.context, window, await detail(office, job_id)))
    QTest.mouseClick(form.submit, Qt.MouseButton.LeftButton)
    await until(lambda: office.said.done)
    copy = await detail(office, job_id + 1)
    assert {name: getattr(copy.row, name) for name in told} == told
    assert copy.row.external_id == "", "it is another job than the one that the ERP knows"
    assert (copy.row.name, copy.row.quantity, copy.payload) == ("Bracket", 4, {"batch": 3})


async def test_a_file_is_kept_and_tells_its_time(office: Office, window: QWidget) -> None:
    form = await opened(JobForm.new(office.context, window))
    form.fields.program.file_chosen.emit(PROGRAM)
    await until(lambda: form.fields.program.value is not None)
    await until(form.fields.name.text)
    assert form.fields.name.text() == "Drill rail 20"
    assert form.fields.estimated.text() != "05:00"
    form.reject()


async def test_a_bad_program_is_refused_at_its_field(
    office: Office, window: QWidget, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.nc"
    bad.write_bytes(b"G1 X10\nG2 X5 Y5 I90 J90\nQWERTY\n")
    form = await opened(JobForm.new(office.context, window))
    form.fields.program.file_chosen.emit(bad)
    await until(lambda: form.fields.fields["program"].error)
    assert form.fields.program.value is None
    form.reject()
