"""A table over a `RowList`: one row is chosen, and says so."""

from typing import Generic, TypeVar

from PySide6.QtCore import QEvent, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from cnc_station.ui.models.row_list import RowList
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.card import Card
from cnc_station.ui.widgets.chip import HEIGHT

R = TypeVar("R")
_CHIP_WIDTH = 180


class ListTable(QTableView, Generic[R]):
    """`chosen` comes with the row that is current now, or None; `opened` on Enter or two taps.

    The space bar ticks the row where rows can be ticked. The last column takes what room is left.
    """

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self, rows: RowList[R], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = rows
        self.setModel(rows)
        self.setAccessibleName(name)
        self.setProperty("part", "bare")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setIconSize(QSize(_CHIP_WIDTH, HEIGHT))
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        for place, column in enumerate(rows.columns):
            self.setColumnWidth(place, column.width)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._fit_rows()
        self.selectionModel().currentRowChanged.connect(self._told)
        self.activated.connect(self._open)

    @property
    def current(self) -> R | None:
        """The row that is current."""
        return self.rows.row(self.currentIndex().row())

    def choose(self, position: int) -> None:
        """Makes a row current and brings it on view."""
        self.setCurrentIndex(self.rows.index(position, 0))

    def _told(self, index: QModelIndex) -> None:
        self.chosen.emit(self.rows.row(index.row()))

    def _open(self, index: QModelIndex) -> None:
        row = self.rows.row(index.row())
        if row is not None:
            self.opened.emit(row)

    def _fit_rows(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme().metrics.row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space ticks; Tab and Esc are for the page."""
        if event.key() == Qt.Key.Key_Space and self.current is not None:
            first = self.rows.index(self.currentIndex().row(), 0)
            ticked = first.data(Qt.ItemDataRole.CheckStateRole)
            if ticked is not None:
                on = Qt.CheckState(ticked) is not Qt.CheckState.Checked
                state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
                self.rows.setData(first, state, Qt.ItemDataRole.CheckStateRole)
                return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Takes the row height of the new density."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._fit_rows()


def table_card(table: QTableView) -> Card:
    """A table on its own card; its corners leave room for the card's round ones."""
    card = Card()
    line = theme().tokens.line_width
    card.body.setContentsMargins(line, line, line, theme().metrics.radius_card)
    card.body.addWidget(table)
    return card
