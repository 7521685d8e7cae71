"""The one style of table: 44 px rows, states as chips, the sort order in the header."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionHeader,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from cnc_station.ui.theme import Ink, theme
from cnc_station.ui.widgets.chip import chip_pixmap
from cnc_station.ui.widgets.state_look import StateLook

LOOK_ROLE = Qt.ItemDataRole.UserRole + 1
"""The role under which a model gives a cell's `StateLook`."""

Index = QModelIndex | QPersistentModelIndex
_PAD = 10


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of a sort order."""

    column: int
    descending: bool = False


class SortHeader(QHeaderView):
    """Shows the order as ▴1 ▾2; a click sorts by one column, a click with Shift adds one.

    A click on a column of the order turns it round. `order_chosen` carries the new list of
    `SortKey`; whoever sorts answers with `set_order`, so the header shows what is, not what was
    asked for.
    """

    order_chosen = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._order: tuple[SortKey, ...] = ()
        self._sortable: frozenset[int] | None = None
        self._adding = False
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionsMovable(True)
        self.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.sectionClicked.connect(self._clicked)

    def set_order(self, order: Sequence[SortKey]) -> None:
        """Shows an order, most important column first."""
        self._order = tuple(order)
        self.viewport().update()

    def set_sortable(self, columns: Sequence[int]) -> None:
        """Lets only these columns be sorted by; all, if never called."""
        self._sortable = frozenset(columns)

    def _clicked(self, column: int) -> None:
        if self._sortable is not None and column not in self._sortable:
            return
        known = {key.column: key for key in self._order}
        turned = SortKey(column, column in known and not known[column].descending)
        if not self._adding:
            self.order_chosen.emit([turned])
        elif column in known:
            self.order_chosen.emit([turned if k.column == column else k for k in self._order])
        else:
            self.order_chosen.emit([*self._order, turned])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remembers whether Shift is held."""
        self._adding = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        super().mousePressEvent(event)

    def initStyleOptionForIndex(self, option: QStyleOptionHeader, logicalIndex: int) -> None:
        """Adds the column's place in the order to its title."""
        super().initStyleOptionForIndex(option, logicalIndex)
        for place, key in enumerate(self._order, start=1):
            if key.column == logicalIndex:
                arrow = "▾" if key.descending else "▴"
                option.text = f"{option.text} {arrow}{place if len(self._order) > 1 else ''}"


class ChipDelegate(QStyledItemDelegate):
    """Paints the `StateLook` a model gives under LOOK_ROLE; each chip is drawn once and kept."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._serial = -1
        self._chips: dict[tuple[StateLook, float], QPixmap] = {}

    def _chip(self, look: StateLook, ratio: float) -> QPixmap:
        if self._serial != theme().serial:
            self._serial = theme().serial
            self._chips.clear()
        key = (look, ratio)
        if key not in self._chips:
            self._chips[key] = chip_pixmap(look, ratio)
        return self._chips[key]

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paints ground, chip and the line below."""
        live = theme()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, live.colour(Ink.SELECTION))
        look = index.data(LOOK_ROLE)
        if isinstance(look, StateLook):
            chip = self._chip(look, painter.device().devicePixelRatioF())
            size = chip.deviceIndependentSize()
            top = rect.top() + (rect.height() - size.height()) / 2
            painter.drawPixmap(rect.left() + _PAD, round(top), chip)
        line = live.tokens.line_width
        below = QRect(rect.left(), rect.bottom() + 1 - line, rect.width(), line)
        painter.fillRect(below, live.colour(Ink.LINE))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """As wide as the chip."""
        look = index.data(LOOK_ROLE)
        width = self._chip(look, 1.0).width() if isinstance(look, StateLook) else 0
        return QSize(width + 2 * _PAD, theme().metrics.row)


class Table(QTableView):
    """A QTableView in the style of the shop: whole rows, no grid, rows of one height.

    `chip_columns` are painted by one ChipDelegate. Enter or a double click emits `activated` as
    ever. Nothing here measures contents: widths are the page's to set and remember.
    """

    def __init__(self, parent: QWidget | None = None, *, chip_columns: Sequence[int] = ()) -> None:
        super().__init__(parent)
        self.header = SortHeader(self)
        self.setHorizontalHeader(self.header)
        self.header.setStretchLastSection(True)
        self.header.setMinimumSectionSize(48)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self._chips = ChipDelegate(self)
        for column in chip_columns:
            self.setItemDelegateForColumn(column, self._chips)
        self._take_heights()

    def _take_heights(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme().metrics.row)

    def changeEvent(self, event: QEvent) -> None:
        """Takes the row height of the new density."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_chips"):
            self._take_heights()
