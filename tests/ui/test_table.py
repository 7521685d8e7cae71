from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cnc_station.engine.domain.states import JobState
from cnc_station.ui.theme import Density, Ink, ThemeName, apply_theme, theme
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.table import LOOK_ROLE, SortKey, Table

LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


def table_of(qtbot: QtBot) -> Table:
    table = Table(chip_columns=[1])
    model = QStandardItemModel(0, 3, table)
    for state in JobState:
        items = [QStandardItem(state), QStandardItem(), QStandardItem("x")]
        items[1].setData(look_of(state), LOOK_ROLE)
        model.appendRow(items)
    table.setModel(model)
    table.resize(600, 400)
    qtbot.addWidget(table)
    table.show()
    return table


def click(table: Table, column: int, modifier: Qt.KeyboardModifier = NONE) -> None:
    header = table.header
    x = header.sectionViewportPosition(column) + 20
    QTest.mouseClick(header.viewport(), LEFT, modifier, QPoint(x, 10))


def test_clicks_ask_for_an_order_and_shift_adds_a_column(qtbot: QtBot) -> None:
    table = table_of(qtbot)
    asked: list[list[SortKey]] = []
    table.header.order_chosen.connect(asked.append)
    table.header.order_chosen.connect(table.header.set_order)
    click(table, 0)
    click(table, 0)
    click(table, 2, SHIFT)
    click(table, 0, SHIFT)
    click(table, 2)
    down = True
    assert asked == [
        [SortKey(0)],
        [SortKey(0, down)],
        [SortKey(0, down), SortKey(2)],
        [SortKey(0), SortKey(2)],
        [SortKey(2, down)],
    ]


def test_a_column_that_cannot_be_sorted_takes_no_clicks(qtbot: QtBot) -> None:
    table = table_of(qtbot)
    table.header.set_sortable([0])
    asked: list[list[SortKey]] = []
    table.header.order_chosen.connect(asked.append)
    click(table, 2)
    click(table, 0)
    assert asked == [[SortKey(0)]]


def test_the_header_shows_the_order(qtbot: QtBot) -> None:
    table = table_of(qtbot)
    before = table.header.grab().toImage()
    table.header.set_order([SortKey(0), SortKey(2, descending=True)])
    both = table.header.grab().toImage()
    table.header.set_order([SortKey(0), SortKey(2)])
    assert before != both != table.header.grab().toImage()


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
