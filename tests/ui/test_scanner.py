from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from cnc_station.ui.main_window import MainWindow, PageSpec


class FormPage(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.field = QLineEdit()
        QVBoxLayout(self).addWidget(self.field)


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(
        [PageSpec("floor", "Floor", "list", QWidget), PageSpec("form", "Form", "file", FormPage)]
    )
    qtbot.addWidget(made)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    made.show_page("floor")
    yield made
    made.finish()


def handle(window: MainWindow) -> QWindow:
    found = window.windowHandle()
    assert found is not None
    return found


def type_at_once(window: MainWindow, text: str) -> None:
    for letter in text:
        QTest.keyClick(handle(window), Qt.Key(ord(letter.upper())))


def test_a_burst_ended_by_enter_is_a_scan_and_presses_no_command(
    qtbot: QtBot, window: MainWindow
) -> None:
    pages: list[str] = []
    window.page_changed.connect(pages.append)
    with (
        qtbot.assertNotEmitted(window.new_job_requested),
        qtbot.waitSignal(window.submitted) as heard,
    ):
        type_at_once(window, "n-2471")
        QTest.keyClick(handle(window), Qt.Key.Key_Return)
    assert heard.args == ["n-2471"]
    assert pages == []
    assert window.top_bar.search.text() == "n-2471"


def test_a_single_key_is_still_a_command(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.waitSignal(window.new_job_requested):
        type_at_once(window, "n")
    with qtbot.waitSignal(window.page_changed):
        type_at_once(window, "2")
    assert window.current == "form"


def test_what_is_typed_into_a_field_stays_there(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("form")
    page = window.page("form")
    assert isinstance(page, FormPage)
    page.field.setFocus()
    with qtbot.assertNotEmitted(window.submitted):
        type_at_once(window, "n247")
        QTest.keyClick(handle(window), Qt.Key.Key_Return)
    assert page.field.text() == "n247"
