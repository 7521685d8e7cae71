import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cnc_station.ui.widgets.hold_button import HoldButton
from tests.until import emitted, until


def button_of(qtbot: QtBot, seconds: float) -> tuple[HoldButton, list[float]]:
    button = HoldButton("Discard", seconds=seconds)
    qtbot.addWidget(button)
    button.show()
    held: list[float] = []
    button.held.connect(lambda: held.append(time.monotonic()))
    return button, held


async def test_it_acts_once_it_has_been_held_for_its_time(qtbot: QtBot) -> None:
    button, held = button_of(qtbot, 0.15)
    began = time.monotonic()
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    await until(lambda: held)
    assert held[0] - began >= 0.15
    QTest.mouseRelease(button, Qt.MouseButton.LeftButton)
    assert len(held) == 1
    assert button.fraction == 0.0


async def test_letting_go_early_does_nothing(qtbot: QtBot) -> None:
    button, held = button_of(qtbot, 1.0)
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    await until(lambda: button.fraction > 0.0)
    QTest.mouseRelease(button, Qt.MouseButton.LeftButton)
    assert button.fraction == 0.0
    other, heard = button_of(qtbot, 1.1)
    QTest.mousePress(other, Qt.MouseButton.LeftButton)
    await until(lambda: heard)
    assert held == []


async def test_a_tap_is_no_hold_although_the_window_stood_still_meanwhile(qtbot: QtBot) -> None:
    button, held = button_of(qtbot, 1.0)
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    time.sleep(1.2)  # noqa: ASYNC251 - the release has come by then, and nobody has looked at it
    (frames,) = button.findChildren(QTimer)
    await emitted(frames.timeout)
    QTest.mouseRelease(button, Qt.MouseButton.LeftButton)
    assert held == []


async def test_the_space_bar_holds_it_too(qtbot: QtBot) -> None:
    button, held = button_of(qtbot, 0.05)
    QTest.keyPress(button, Qt.Key.Key_Space)
    await emitted(button.held)
    QTest.keyRelease(button, Qt.Key.Key_Space)
    assert len(held) == 1


async def test_a_button_that_is_hidden_while_it_is_held_does_nothing(qtbot: QtBot) -> None:
    button, held = button_of(qtbot, 0.05)
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    button.hide()
    other, heard = button_of(qtbot, 0.1)
    QTest.mousePress(other, Qt.MouseButton.LeftButton)
    await until(lambda: heard)
    assert held == []


async def test_losing_the_keyboard_is_letting_go(qtbot: QtBot) -> None:
    button, held = button_of(qtbot, 0.05)
    other, heard = button_of(qtbot, 0.1)
    button.activateWindow()
    await until(button.isActiveWindow)
    button.setFocus()
    QTest.keyPress(button, Qt.Key.Key_Space)
    button.clearFocus()
    QTest.mousePress(other, Qt.MouseButton.LeftButton)
    await until(lambda: heard)
    assert held == []
