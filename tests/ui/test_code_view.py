import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from cnc_station.ui.theme import Tone
from cnc_station.ui.widgets.code_view import CodeView

LONG = "\n".join(f"N{n} G1 X{n % 100} Y{n % 77} F1200" for n in range(1, 100_001))


def view_of(qtbot: QtBot, text: str, marks: dict[int, Tone] | None = None) -> CodeView:
    view = CodeView()
    qtbot.addWidget(view)
    view.resize(480, 300)
    view.show()
    view.set_text(text, marks)
    return view


def test_a_program_of_100_000_lines_opens_and_paints_in_half_the_time_of_a_text_editor(
    qtbot: QtBot,
) -> None:
    view = view_of(qtbot, "G0")
    editor = QPlainTextEdit()
    qtbot.addWidget(editor)
    assert spent(partial(view.set_text, LONG), view) < 0.5 * spent(
        partial(editor.setPlainText, LONG), editor
    )


def spent(fill: Callable[[], object], shown: QWidget) -> float:
    """Filling and painting it, the least of three times, in seconds."""
    spans = []
    for _ in range(3):
        began = time.perf_counter()
        fill()
        shown.grab()
        spans.append(time.perf_counter() - began)
    return min(spans)


def test_going_to_a_line_brings_it_on_view(qtbot: QtBot) -> None:
    view = view_of(qtbot, LONG)
    view.go_to(70_000)
    assert view.current == 70_000
    top = view.verticalScrollBar().value()
    assert top < 70_000 <= top + view.verticalScrollBar().pageStep()
    view.go_to(10**9)
    assert view.current == 100_000


def test_keys_move_select_and_copy_lines(qtbot: QtBot) -> None:
    view = view_of(qtbot, "G21\nG0 X1\nG1 X2 F100\nM30")
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert view.selected() == "G0 X1\nG1 X2 F100"
    view.copy()
    assert QGuiApplication.clipboard().text() == "G0 X1\nG1 X2 F100"
    QTest.keyClick(view, Qt.Key.Key_End)
    assert view.selected() == "M30"


def test_a_tap_chooses_the_line_under_it(qtbot: QtBot) -> None:
    view = view_of(qtbot, "G21\nG0 X1\nM30")
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 30))
    assert view.current == 2


def test_an_empty_text_has_no_line(qtbot: QtBot) -> None:
    view = view_of(qtbot, "")
    view.go_to(3)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert (view.current, view.selected()) == (0, "")


def test_marked_lines_stand_out(qtbot: QtBot) -> None:
    plain = view_of(qtbot, "G21\nG0 X1\nM30")
    marked = view_of(qtbot, "G21\nG0 X1\nM30", {2: Tone.ALARM})
    assert plain.grab().toImage() != marked.grab().toImage()


def test_lines_end_where_the_reader_of_programs_ends_them(qtbot: QtBot) -> None:
    view = view_of(qtbot, "G21\r\nG0\x0c X1\rM30\r\n")
    view.go_to(2)
    assert view.selected() == "G0\x0c X1"
    view.go_to(9)
    assert (view.current, view.selected()) == (3, "M30")
