import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from cnc_station.ui.main_window import MainWindow, PageSpec
from cnc_station.ui.theme import Density, ThemeName, apply_theme
from cnc_station.ui.widgets.top_bar import Connection
from tests.until import PATIENCE_S, until

PATIENCE_MS = round(PATIENCE_S * 1000)


class ListPage(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.detail_open = False
        self.arrivals = 0

    def search(self, text: str) -> None:
        self.texts.append(text)

    def go_back(self) -> bool:
        was_open, self.detail_open = self.detail_open, False
        return was_open

    def arrived(self) -> None:
        self.arrivals += 1


def window_of(qtbot: QtBot) -> MainWindow:
    window = MainWindow(
        [
            PageSpec("floor", "Floor", "layout-grid", QLabel),
            PageSpec("jobs", "Jobs", "list", ListPage),
            PageSpec("attention", "Needs attention", "triangle-alert", QLabel, "Attention"),
        ]
    )
    qtbot.addWidget(window)
    with qtbot.waitActive(window, timeout=PATIENCE_MS):
        window.show()
        window.activateWindow()
    window.show_page("floor")
    return window


def jobs_page(window: MainWindow) -> ListPage:
    page = window.page("jobs")
    assert isinstance(page, ListPage)
    return page


def test_a_page_is_made_only_when_it_is_first_shown(qtbot: QtBot) -> None:
    made: list[str] = []

    def factory() -> QWidget:
        made.append("jobs")
        return QWidget()

    window = MainWindow(
        [PageSpec("floor", "Floor", "list", QWidget), PageSpec("jobs", "Jobs", "list", factory)]
    )
    qtbot.addWidget(window)
    window.show_page("floor")
    assert made == []
    window.show_page("jobs")
    first = window.page("jobs")
    window.show_page("floor")
    window.show_page("jobs")
    assert window.page("jobs") is first
    assert made == ["jobs"]


def test_number_keys_open_pages_and_the_title_follows(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    with qtbot.waitSignal(window.page_changed):
        QTest.keyClick(window, Qt.Key.Key_3)
    assert window.current == "attention"
    assert window.top_bar.title.text() == "Needs attention"


def test_escape_closes_what_is_open_on_a_page_before_it_goes_back(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    window.show_page("jobs")
    jobs_page(window).detail_open = True
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert (window.current, jobs_page(window).detail_open) == ("jobs", False)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.current == "floor"


def test_slash_searches_the_page_and_each_page_keeps_its_own_text(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    window.show_page("jobs")
    QTest.keyClick(window, Qt.Key.Key_Slash)
    assert window.top_bar.search.hasFocus()
    QTest.keyClicks(window.top_bar.search, "n1")
    assert jobs_page(window).texts == ["n", "n1"]
    window.show_page("floor")
    assert not window.top_bar.search.text()
    window.show_page("jobs")
    assert window.top_bar.search.text() == "n1"
    assert jobs_page(window).texts == ["n", "n1"]
    assert jobs_page(window).arrivals == 2


@pytest.mark.parametrize("density", Density)
def test_the_cross_that_empties_the_search_lies_within_its_field(
    qtbot: QtBot, qapp: QApplication, density: Density
) -> None:
    apply_theme(qapp, ThemeName.LIGHT, density)
    search = window_of(qtbot).top_bar.search
    search.setText("n1")
    cross = search.findChild(QToolButton)
    assert isinstance(cross, QToolButton)
    assert search.rect().contains(cross.geometry())
    cross.click()
    assert not search.text()


async def test_what_is_away_is_said_in_full_before_the_search_is_wide(qtbot: QtBot) -> None:
    window = MainWindow([PageSpec("machines", "Machines", "factory", QLabel)])
    qtbot.addWidget(window)
    window.show()
    bar = window.top_bar
    bar.dots.set_connections(
        [
            Connection("Database away 10:42 · machines keep running, the lists stand still"),
            Connection("Redis away 10:42 · slower, nothing lost"),
        ]
    )
    window.resize(1366, 768)
    await until(lambda: bar.dots.width() >= bar.dots.sizeHint().width())


def test_enter_in_the_search_field_hands_on_what_was_scanned(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    window.focus_search()
    QTest.keyClicks(window.top_bar.search, " J-1042 ")
    with qtbot.waitSignal(window.submitted) as heard:
        QTest.keyClick(window.top_bar.search, Qt.Key.Key_Return)
    assert heard.args == ["J-1042"]


def test_n_asks_for_a_new_job(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    with qtbot.waitSignal(window.new_job_requested):
        QTest.keyClick(window, Qt.Key.Key_N)


def test_closing_asks_first_and_finish_really_closes(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    with qtbot.waitSignal(window.close_requested):
        window.close()
    assert window.isVisible()
    window.finish()
    assert not window.isVisible()


def test_a_badge_is_said_to_those_who_cannot_see_it(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    window.rail.set_badge("attention", 3)
    names = [button.accessibleName() for button in window.rail.findChildren(QWidget)]
    assert "Attention, 3" in names


def test_the_sheet_of_keys_lists_the_windows_and_the_pages_actions(qtbot: QtBot) -> None:
    window = window_of(qtbot)
    page = window.page("floor")
    box = QVBoxLayout(page)
    button = QPushButton("inner")
    box.addWidget(button)
    own = button.addAction("Hold the machine")
    own.setShortcut("Ctrl+H")
    sheet = window.show_keys()
    assert ("N", "New job") in sheet.rows
    assert ("Ctrl+H", "Hold the machine") in sheet.rows
    sheet.accept()
