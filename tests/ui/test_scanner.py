"""Not coroutines: `QTest` runs a loop of its own to press a key on a window."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from cnc_station.ui.main_window import MainWindow, PageSpec
from cnc_station.ui.scanner import ScanCatcher
from tests.until import PATIENCE_S

PATIENCE_MS = round(PATIENCE_S * 1000)


class FormPage(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.field = QLineEdit()
        QVBoxLayout(self).addWidget(self.field)


class Heard:
    def __init__(self, window: MainWindow) -> None:
        self.codes: list[str] = []
        self.pages: list[str] = []
        self.new_jobs: list[bool] = []
        window.submitted.connect(self.codes.append)
        window.page_changed.connect(self.pages.append)
        window.new_job_requested.connect(lambda: self.new_jobs.append(True))


def window_of(qtbot: QtBot) -> MainWindow:
    window = MainWindow(
        [PageSpec("floor", "Floor", "list", QWidget), PageSpec("form", "Form", "file", FormPage)]
    )
    qtbot.addWidget(window, before_close_func=MainWindow.finish)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE_MS)
    window.show_page("floor")
    return window


def handle(window: MainWindow) -> QWindow:
    found = window.windowHandle()
    assert found is not None
    return found


def at_once_is_within(window: MainWindow, seconds: float) -> None:
    (catcher,) = window.findChildren(ScanCatcher)
    (timer,) = catcher.findChildren(QTimer)
    timer.setInterval(round(seconds * 1000))


def type_at_once(window: MainWindow, text: str) -> None:
    for letter in text:
        QTest.keyClick(handle(window), Qt.Key(ord(letter.upper())))


def test_a_burst_ended_by_enter_is_a_scan_and_presses_no_command(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    heard = Heard(window)
    at_once_is_within(window, 60.0)  # whatever else the computer does between two keys
    type_at_once(window, "n-2471")
    QTest.keyClick(handle(window), Qt.Key.Key_Return)
    assert heard.codes == ["n-2471"]
    assert window.top_bar.search.text() == "n-2471"
    at_once_is_within(window, 0.05)
    type_at_once(window, "n")
    qtbot.waitUntil(lambda: bool(heard.new_jobs), timeout=PATIENCE_MS)
    assert (heard.new_jobs, heard.pages) == ([True], [])


def test_single_keys_are_still_commands(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    heard = Heard(window)
    type_at_once(window, "n")
    qtbot.waitUntil(lambda: bool(heard.new_jobs), timeout=PATIENCE_MS)
    type_at_once(window, "2")
    qtbot.waitUntil(lambda: heard.pages == ["form"], timeout=PATIENCE_MS)


def test_what_is_typed_into_a_field_stays_there(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    window.show_page("form")
    heard = Heard(window)
    page = window.page("form")
    assert isinstance(page, FormPage)
    page.field.setFocus()
    type_at_once(window, "n247")
    QTest.keyClick(handle(window), Qt.Key.Key_Return)
    assert page.field.text() == "n247"
    assert (heard.codes, heard.new_jobs) == ([], [])
