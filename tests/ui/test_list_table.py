import pytest
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from cnc_station.ui.models.row_model import Column, RowList
from cnc_station.ui.theme import Density, Role, ThemeName, apply_theme, theme
from cnc_station.ui.widgets.list_table import ListTable
from tests.until import until

Machine = tuple[str, str, str, str]
NAME, MODEL, LAG, TAKES = range(4)
LONG = "Brother Speedio S300X1 with a fourth axis"
MACHINES: tuple[Machine, ...] = (
    ("Drill 1", "Haas DT-1", "5 ms", "any"),
    ("Drill 2", LONG, "5 ms", "any"),
)
LEAST, SHORT = 110, 60


COLUMNS: tuple[Column[Machine], ...] = (
    Column("Machine", lambda row: row[NAME], LEAST),
    Column("Model", lambda row: row[MODEL], LEAST),
    Column("Lag", lambda row: row[LAG], SHORT, right=True),
    Column("Takes", lambda row: row[TAKES], LEAST),
)


@pytest.fixture(params=[False, True], ids=["plain", "with boxes"])
def table(qtbot: QtBot, qapp: QApplication, request: pytest.FixtureRequest) -> ListTable[Machine]:
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
    rows = RowList(COLUMNS, lambda row: row[NAME], checkable=request.param)
    table = ListTable(rows, "Machines")
    table.rows.setParent(table)
    qtbot.addWidget(table)
    table.resize(900, 300)
    table.show()
    return table


def whole(words: str) -> int:
    return QFontMetrics(theme().font(Role.BODY)).horizontalAdvance(words)


def test_words_are_not_cut_short_where_there_is_room(table: ListTable[Machine]) -> None:
    table.rows.take(MACHINES)
    assert table.columnWidth(MODEL) > whole(LONG)
    assert table.columnWidth(NAME) == LEAST


def test_a_box_to_be_ticked_takes_no_room_from_the_words(table: ListTable[Machine]) -> None:
    table.rows.take(((LONG, "Haas", "5 ms", "any"),))
    index, option = table.rows.index(0, NAME), QStyleOptionViewItem()
    table.initViewItemOption(option)
    option.rect = table.visualRect(index)
    delegate = table.itemDelegate()
    assert isinstance(delegate, QStyledItemDelegate)
    delegate.initStyleOption(option, index)
    look = table.style()
    room = look.subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, table).width()
    margin = look.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, None, table) + 1
    assert room - 2 * margin >= whole(LONG)


def test_the_last_column_comes_first_where_room_is_short(table: ListTable[Machine]) -> None:
    table.rows.take(MACHINES)
    table.resize(2 * LEAST, 300)
    assert [table.columnWidth(place) for place in (NAME, MODEL)] == [LEAST, LEAST]
    table.resize(900, 300)
    assert table.columnWidth(MODEL) > whole(LONG)


def test_a_number_is_never_cut_short(table: ListTable[Machine]) -> None:
    lag = "123,394,271 ms"
    table.rows.take((("Drill 2", LONG, lag, LONG),))
    table.resize(3 * LEAST, 300)
    assert table.columnWidth(LAG) > whole(lag)
    assert table.columnWidth(MODEL) == LEAST


async def test_words_that_grow_longer_get_room_too(table: ListTable[Machine]) -> None:
    table.rows.take((("Drill 2", "Haas", "5 ms", "any"),))
    assert table.columnWidth(MODEL) == LEAST
    table.rows.take((("Drill 2", LONG, "5 ms", "any"),))
    await until(lambda: table.columnWidth(MODEL) > whole(LONG))


def test_a_column_that_was_dragged_stays_as_it_is(table: ListTable[Machine]) -> None:
    table.horizontalHeader().resizeSection(MODEL, 60)
    table.rows.take(MACHINES)
    table.resize(1200, 300)
    assert table.columnWidth(MODEL) == 60
