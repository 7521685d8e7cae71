"""The leak check finds what a test forgets, and names it."""

import threading

from PySide6.QtCore import QThread, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from tests.ui.leaks import Leftovers


def test_an_active_timer_is_named(qapp: QApplication) -> None:
    leftovers = Leftovers()
    timer = QTimer(qapp)
    timer.setObjectName("clock")
    timer.start(1000)
    assert leftovers.found(0) == ["active timer of 1000 ms QTimer('clock')"]
    timer.stop()
    assert not leftovers.found()


def test_a_top_level_widget_is_named_until_it_is_gone() -> None:
    leftovers = Leftovers()
    window = QWidget()
    window.setObjectName("forgotten")
    assert leftovers.found(0) == ["top-level widget QWidget('forgotten')"]
    window.deleteLater()
    assert not leftovers.found()


def test_a_thread_is_named_until_it_ends() -> None:
    leftovers = Leftovers()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="poller")
    thread.start()
    assert leftovers.found(0) == ["thread poller"]
    end.set()
    assert not leftovers.found()


def test_a_thread_of_qt_is_named_until_it_ends() -> None:
    leftovers = Leftovers()
    thread = QThread()
    thread.start()
    assert leftovers.found(0) == ["running QThread('')"]
    thread.quit()
    assert not leftovers.found()
    thread.wait()


def test_what_was_there_before_is_not_held_against_the_test(qapp: QApplication) -> None:
    before = QTimer(qapp)
    before.start(1000)
    leftovers = Leftovers()
    assert not leftovers.found(0)
    before.stop()


def test_a_timer_that_was_there_before_and_begins_to_run_is_named(qapp: QApplication) -> None:
    timer = QTimer(qapp)
    leftovers = Leftovers()
    timer.start(1000)
    assert leftovers.found(0) == ["active timer of 1000 ms QTimer('')"]
    timer.stop()
    assert not leftovers.found()
