"""A button that has taken the place of another, or does something else, is dead at first."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from cnc_station.ui.job_commands import Command
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.job_actions import BulkBar, JobActionRow
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.toasts import ToastShelf
from tests.ui.tapping import TapClock, click
from tests.until import until


async def test_a_button_that_took_the_place_of_another_is_dead_and_looks_so(
    qtbot: QtBot, tap_clock: TapClock
) -> None:
    area = QWidget()
    qtbot.addWidget(area)
    first, second = QPushButton("Pause", area), QPushButton("Resume", area)
    pressed: list[str] = []
    second.clicked.connect(lambda: pressed.append("resume"))
    area.show()
    guard = TapGuard(area)
    guard.show("place", "pause", first)
    assert first.isEnabled(), "nothing stood there before"
    tap_clock.stop()
    guard.show("place", None)
    guard.show("place", "resume", second)
    assert not second.isEnabled()
    await tap_clock.too_soon(lambda: click(second))
    assert pressed == []
    await until(second.isEnabled)
    click(second)
    assert pressed == ["resume"]


async def test_a_dead_button_keeps_the_keyboard_from_the_one_beside_it(
    qtbot: QtBot, settling_buttons: float
) -> None:
    assert settling_buttons
    area = QWidget()
    qtbot.addWidget(area)
    button, beside = QPushButton("Retry", area), QPushButton("Discard", area)
    guard = TapGuard(area)
    guard.show("place", 1, button)
    area.show()
    area.activateWindow()
    button.setFocus()
    await until(button.hasFocus)
    guard.show("place", 2, button)
    assert not beside.hasFocus()
    assert not button.isEnabled()
    await until(button.isEnabled)
    assert button.hasFocus()


async def test_a_hold_that_has_begun_ends_when_its_button_goes_dead(qtbot: QtBot) -> None:
    button = HoldButton("Discard", seconds=0.2)
    qtbot.addWidget(button)
    held: list[bool] = []
    button.held.connect(lambda: held.append(True))
    button.show()
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    assert button.isDown()
    button.setEnabled(False)
    button.setEnabled(True)
    assert button.fraction == 0.0
    other = HoldButton("Another", seconds=0.3)
    qtbot.addWidget(other)
    other.held.connect(lambda: held.append(False))
    other.show()
    QTest.mousePress(other, Qt.MouseButton.LeftButton)
    await until(lambda: held)
    assert held == [False]
    QTest.mouseRelease(other, Qt.MouseButton.LeftButton)


async def test_undo_tapped_twice_takes_back_one_thing(qtbot: QtBot, tap_clock: TapClock) -> None:
    shelf = ToastShelf(60.0)
    qtbot.addWidget(shelf)
    shelf.resize(1200, shelf.height())
    shelf.show()
    undone: list[str] = []
    shelf.say("Job 1: paused", lambda: undone.append("1"))
    shelf.say("Job 2: paused", lambda: undone.append("2"))

    def undo() -> None:
        for button in shelf.findChildren(QPushButton):
            if button.text() == "Undo" and button.isVisible():
                click(button)
                return

    await until(lambda: all(b.isEnabled() for b in shelf.findChildren(QPushButton)))
    tap_clock.stop()
    undo()
    assert len(undone) == 1
    await tap_clock.too_soon(undo)
    assert len(undone) == 1
    await until(lambda: all(b.isEnabled() for b in shelf.findChildren(QPushButton)))
    undo()
    assert sorted(undone) == ["1", "2"]


async def test_what_can_be_done_to_several_jobs_is_dead_at_first_when_it_changes(
    qtbot: QtBot, tap_clock: TapClock
) -> None:
    bar = BulkBar()
    qtbot.addWidget(bar)
    bar.resize(900, 40)
    bar.show()
    done: list[str] = []
    bar.show_selection(2, [Command("pause", "Pause", lambda: done.append("pause"))])
    tap_clock.stop()
    bar.show_selection(2, [Command("resume", "Resume", lambda: done.append("resume"))])

    def resume() -> QPushButton:
        return next(b for b in bar.findChildren(QPushButton) if b.text() == "Resume")

    await tap_clock.too_soon(lambda: click(resume()))
    await until(lambda: resume().isEnabled())
    assert done == []
    click(resume())
    assert done == ["resume"]


async def test_the_same_commands_for_another_row_are_alive_when_a_person_opened_it(
    qtbot: QtBot, settling_buttons: float
) -> None:
    assert settling_buttons
    row = JobActionRow(368)
    qtbot.addWidget(row)
    row.show()
    row.show_commands([Command("hold", "Hold", list)], can_abort=False)
    row.forget()
    row.show_commands([Command("continue", "Continue", list)], can_abort=False)
    assert row.buttons["continue"].isEnabled()
