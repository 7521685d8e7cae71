from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import Sort, SortKey
from cnc_station.ui.models.row_model import Column, RowList
from cnc_station.ui.theme import Density, Ink, ThemeName, apply_theme, theme
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.table import SortHeader, Table

LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier
COLUMNS: tuple[Column[JobState], ...] = (
    Column("Name", str, sort=SortKey.NAME),
    Column("State", lambda state: look_of(state).word, 160, look=look_of),
    Column("Due", lambda _: "x", sort=SortKey.DUE),
)


def table_of(qtbot: QtBot) -> Table[JobState]:
    rows = RowList(COLUMNS, lambda state: state)
    table = Table(rows, "States")
    rows.setParent(table)
    rows.take(tuple(JobState))
    table.setHorizontalHeader(SortHeader(rows, table))
    table.resize(600, 400)
    qtbot.addWidget(table)
    table.show()
    return table


def header_of(table: Table[JobState]) -> SortHeader[JobState]:
    header = table.horizontalHeader()
    assert isinstance(header, SortHeader)
    return header


def click(table: Table[JobState], column: int, modifier: Qt.KeyboardModifier = NONE) -> None:
    header = header_of(table)
    x = header.sectionViewportPosition(column) + 20
    QTest.mouseClick(header.viewport(), LEFT, modifier, QPoint(x, 10))


def test_clicks_ask_for_an_order_and_shift_adds_a_column(qtbot: QtBot) -> None:
    table = table_of(qtbot)
    asked: list[tuple[Sort, ...]] = []
    header_of(table).order_chosen.connect(asked.append)
    header_of(table).order_chosen.connect(header_of(table).set_order)
    click(table, 0)
    click(table, 0)
    click(table, 2, SHIFT)
    click(table, 0, SHIFT)
    click(table, 2)
    name, due, down = SortKey.NAME, SortKey.DUE, True
    assert asked == [
        (Sort(name),),
        (Sort(name, down),),
        (Sort(name, down), Sort(due)),
        (Sort(name), Sort(due)),
        (Sort(due, down),),
    ]


def test_a_column_that_cannot_be_sorted_takes_no_clicks(qtbot: QtBot) -> None:
    table = table_of(qtbot)
    asked: list[tuple[Sort, ...]] = []
    header_of(table).order_chosen.connect(asked.append)
    click(table, 1)
    click(table, 0)
    assert asked == [(Sort(SortKey.NAME),)]


def test_the_header_shows_the_order(qtbot: QtBot) -> None:
    table = table_of(qtbot)
    header = header_of(table)
    before = header.grab().toImage()
    header.set_order([Sort(SortKey.NAME), Sort(SortKey.DUE, descending=True)])
    both = header.grab().toImage()
    header.set_order([Sort(SortKey.NAME), Sort(SortKey.DUE)])
    assert before != both != header.grab().toImage()


def test_the_header_counts_only_what_it_shows_of_an_order(qtbot: QtBot) -> None:
    table = table_of(qtbot)
    header = header_of(table)
    header.set_order([Sort(SortKey.NAME)])
    alone = header.grab().toImage()
    header.set_order([Sort(SortKey.NAME), Sort(SortKey.QUEUE)])
    assert header.grab().toImage() == alone


def test_a_state_is_painted_in_its_tone_in_every_theme(qtbot: QtBot, qapp: QApplication) -> None:
    table = table_of(qtbot)
    row = list(JobState).index(JobState.INTERRUPTED)
    for name in (ThemeName.DARK, ThemeName.LIGHT):
        apply_theme(qapp, name, Density.DENSE)
        table.scrollTo(table.model().index(row, 1, QModelIndex()))
        place: QRect = table.visualRect(table.model().index(row, 1, QModelIndex()))
        image = table.viewport().grab(place).toImage()
        colours = {
            image.pixelColor(x, y).name() for x in range(image.width()) for y in (20, 22, 24)
        }
        assert theme().colour(Ink.ALARM).name() in colours
        assert theme().colour(Ink.ALARM_FILL).name() in colours


def test_rows_grow_in_touch_mode_while_the_table_is_open(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
    table = table_of(qtbot)
    assert table.rowHeight(0) == 44
    apply_theme(qapp, ThemeName.LIGHT, Density.TOUCH)
    height = table.rowHeight(0)
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
    assert (height, table.rowHeight(0)) == (52, 44)
