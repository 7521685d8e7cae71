"""A machine's page while its controller speaks: figures, words, what can be done, and the log."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from cnc_station.engine.commands import AddMachine, SubmitJobs
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import JobsById, ListMachines
from cnc_station.engine.store.machines import MoveMachine
from cnc_station.engine.views import Message
from cnc_station.ui.dialogs.machine_log import newer
from cnc_station.ui.pages.machines import MachinesPage
from tests.ui.controller_fleet import (
    ALARM,
    CUTTING,
    IDLE,
    LINUXCNC,
    LINUXCNC_ANSWERS,
    NOT_HOMED,
    Scripted,
    Shop,
    chatter,
    spec,
)
from tests.ui.real_engine import Office, opened
from tests.until import until


@pytest.fixture
def mill() -> Scripted:
    return Scripted(IDLE, LINUXCNC_ANSWERS, chatter())


@pytest_asyncio.fixture
async def page(
    mill: Scripted, office: Office, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MachinesPage]:
    Shop({"mill": mill}).register(monkeypatch)
    async with opened(office, MachinesPage(office.context)) as page:
        await office.door.execute(AddMachine(spec("Mill 1", LINUXCNC, "mill", "VF-2")))
        await until(lambda: page.detail.shown)
        yield page
    if mill.cutting:
        mill.end()


async def cutting(office: Office, mill: Scripted) -> int:
    (job_id,) = await office.door.execute(SubmitJobs([JobSpec("Bracket", "mill", estimated_s=600)]))

    async def running() -> bool:
        (row,) = await office.door.ask(JobsById([job_id]))
        return row.state is JobState.RUNNING

    await until(running)
    await until(lambda: mill.cutting)
    mill.says(CUTTING)
    return job_id


async def test_what_the_controller_says_is_shown_as_it_says_it(
    office: Office, page: MachinesPage, mill: Scripted
) -> None:
    await cutting(office, mill)
    live = page.detail.live
    await until(lambda: live.line.value == "1,284")
    assert [live.axes[axis].value for axis in "XYZ"] == ["112.482", "-36.015", "-4.250"]
    assert (live.feed.value, live.spindle.value, live.tool.value) == ("1,180", "8,200", "T4")
    overrides = (live.feed_override, live.rapid_override, live.spindle_override)
    assert [reading.value for reading in overrides] == ["90 %", "50 %", "110 %"]
    mill.says(replace(CUTTING, x=113.0, feed_override=None, tool=0))
    await until(lambda: live.axes["X"].value == "113.000")
    assert live.feed_override.isHidden()
    assert live.tool.value == "T0"


async def test_figures_move_while_nothing_runs_too(page: MachinesPage, mill: Scripted) -> None:
    await until(lambda: page.detail.live.axes["Z"].value == "25.000")
    mill.says(replace(IDLE, z=12.5))
    await until(lambda: page.detail.live.axes["Z"].value == "12.500")
    assert page.detail.live.left.isHidden()


async def test_nothing_is_asked_of_memory_while_nobody_looks(
    page: MachinesPage, mill: Scripted
) -> None:
    await until(lambda: page.detail.live.axes["Z"].value == "25.000")
    page.hide()
    mill.says(replace(IDLE, z=12.5))
    timers = page.findChildren(QTimer)
    assert not [timer for timer in timers if timer.isActive() and not timer.isSingleShot()]
    assert page.detail.live.axes["Z"].value == "25.000"
    page.show()
    await until(lambda: page.detail.live.axes["Z"].value == "12.500")


async def test_a_machine_that_is_not_ready_says_why_and_what_to_do(
    page: MachinesPage, mill: Scripted
) -> None:
    mill.says(NOT_HOMED)
    await until(lambda: page.detail.why.text() == "Not ready: not homed")
    assert page.detail.remedy.text() == NOT_HOMED.remedy
    assert page.rows.rows[0].not_ready == "not homed"


async def test_hold_and_continue_are_one_tap_and_abort_wants_to_be_held(
    office: Office, page: MachinesPage, mill: Scripted
) -> None:
    job_id = await cutting(office, mill)
    buttons = page.detail.buttons
    await until(buttons.hold_button.isVisible)
    assert not buttons.go_on_button.isEnabled()
    buttons.hold_button.click()
    await until(buttons.go_on_button.isEnabled)
    assert not buttons.hold_button.isEnabled()
    assert "hold" in mill.asked
    buttons.go_on_button.click()
    await until(buttons.hold_button.isEnabled)
    QTest.mouseClick(buttons.abort_button, Qt.MouseButton.LeftButton)
    buttons.hold_button.click()  # asked for after it, and done
    await until(buttons.go_on_button.isEnabled)
    assert "abort" not in mill.asked
    buttons.abort_button.held.emit()

    async def cancelled() -> bool:
        (row,) = await office.door.ask(JobsById([job_id]))
        return row.state is JobState.CANCELLED

    await until(cancelled)
    await until(lambda: not buttons.abort_button.isVisible())


async def test_an_alarm_is_told_in_the_controllers_words_and_unlocked_at_the_controller(
    office: Office, page: MachinesPage, mill: Scripted
) -> None:
    (machine,) = await office.door.ask(ListMachines())
    mill.says(ALARM)
    change = MoveMachine((t.ALARMED,), machine.id, "controller", ALARM.why)
    if machine.state.value != "alarm":
        await office.write(change)
    await until(page.detail.buttons.unlock_button.isVisible)
    assert page.detail.why.text() == ALARM.why
    assert page.detail.remedy.text() == ALARM.remedy
    page.detail.buttons.unlock_button.click()
    await until(lambda: "unlock" in mill.asked)
    await until(lambda: not page.detail.buttons.unlock_button.isVisible())


async def test_the_log_follows_the_wire_and_filters_it(page: MachinesPage, mill: Scripted) -> None:
    log = page.open_log()
    assert log is not None
    await until(lambda: len(log.text.toPlainText().splitlines()) == len(chatter()))
    mill.wire.append(Message(1_800_000_000_204, sent=True, text="set abort"))
    await until(lambda: log.text.toPlainText().endswith(".204 → set abort"))
    assert len(log.text.toPlainText().splitlines()) == len(chatter()) + 1
    log.filter.setText("ABS_ACT")
    await until(log.text.toPlainText)
    lines = log.text.toPlainText().splitlines()
    assert all("abs_act" in line.lower() for line in lines)
    log.copy()
    assert QGuiApplication.clipboard().text().splitlines() == lines
    log.close()


async def test_the_log_is_kept_in_a_file(
    page: MachinesPage, office: Office, tmp_path: Path
) -> None:
    log = page.open_log()
    assert log is not None
    log.filter.setText("ERROR")
    log.save(tmp_path / "log.txt")
    await until(lambda: office.said.done)
    kept = (tmp_path / "log.txt").read_text("utf-8").splitlines()
    assert kept == log.text.toPlainText().splitlines()
    log.save(tmp_path)
    await until(lambda: office.said.failed)
    assert "can't be written" in office.said.failed[0]
    log.close()


async def test_a_log_without_messages_says_why(page: MachinesPage, mill: Scripted) -> None:
    mill.wire.clear()
    log = page.open_log()
    assert log is not None
    assert log.empty.isVisible()
    assert not log.text.isVisible()
    log.close()


def test_only_what_is_new_is_added_even_where_the_oldest_has_gone() -> None:
    messages = [Message(at, sent=False, text="ok") for at in range(5)]
    assert list(newer(messages, None)) == messages
    assert list(newer(messages[2:], messages[3])) == messages[4:]
    assert list(newer(messages[2:], messages[4])) == []
    assert list(newer(messages[2:], messages[0])) == messages[2:]
