"""A list of events, oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QGuiApplication, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.buttons import add_key
from cnc_station.ui.widgets.literal import plain, tip
from cnc_station.ui.widgets.text import RIGHT, paint_text

Index = QModelIndex | QPersistentModelIndex
_LINE = 19
_HEIGHT = 48
_DOT = 9
_TEXT_LEFT = 22


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event: what happened, who and why, and when. Normal events have no tone."""

    title: str
    note: str
    time: str
    tone: Tone = Tone.NORMAL

    @property
    def plain(self) -> str:
        """The entry as a line of text for the clipboard."""
        return f"{self.time}\t{self.title}\t{self.note}".rstrip()


class _Entries(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.entries: list[TimelineEntry] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return entry
        if role in {Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.DisplayRole}:
            return plain(entry.plain)
        return tip(entry.note) if role == Qt.ItemDataRole.ToolTipRole else None

    def replace(self, entries: Sequence[TimelineEntry]) -> None:
        """Keep the rows that both lists share at the start: all, when events were only added."""
        same = 0
        while same < min(len(entries), len(self.entries)) and self.entries[same] == entries[same]:
            same += 1
        if same < len(self.entries):
            self.beginRemoveRows(QModelIndex(), same, len(self.entries) - 1)
            del self.entries[same:]
            self.endRemoveRows()
        if same < len(entries):
            self.beginInsertRows(QModelIndex(), same, len(entries) - 1)
            self.entries.extend(entries[same:])
            self.endInsertRows()


class _EntryPainter(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(160, _HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        live = theme()
        entry: TimelineEntry = index.data(Qt.ItemDataRole.UserRole)
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, live.colour(Ink.SELECTION))
        centre = QPointF(rect.left() + _DOT, rect.top() + 3 + _LINE / 2)
        painter.setPen(live.pen(Ink.LINE, 1))
        painter.drawLine(QPointF(centre.x(), centre.y()), QPointF(centre.x(), rect.bottom() + 1))
        if index.row():
            painter.drawLine(QPointF(centre.x(), rect.top()), centre)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        quiet = entry.tone is Tone.NORMAL
        painter.setBrush(live.brush(Ink.FAINT if quiet else tone_ink(entry.tone)))
        painter.drawEllipse(centre, _DOT / 2, _DOT / 2)
        left, right = rect.left() + _TEXT_LEFT, rect.right() - 4
        first = QRect(left, rect.top() + 3, right - left, _LINE)
        time = paint_text(painter, first, entry.time, Role.NOTE, Ink.MUTED, RIGHT)
        paint_text(painter, first.translated(0, _LINE), entry.note, Role.NOTE, Ink.MUTED)
        paint_text(painter, first.adjusted(0, 0, -time - 10, 0), entry.title, Role.BODY, Ink.TEXT)
        painter.restore()


class Timeline(QListView):
    """Entries oldest first; the selected ones can be copied as text, one line each."""

    def __init__(self) -> None:
        super().__init__()
        self._entries = _Entries()
        self.setModel(self._entries)
        self.setItemDelegate(_EntryPainter(self))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("What happened, oldest first"))
        on_focus = Qt.ShortcutContext.WidgetShortcut
        copy_keys = QKeySequence.StandardKey.Copy
        add_key(self, self.tr("Copy these events"), copy_keys, self.copy, context=on_focus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def set_entries(self, entries: Sequence[TimelineEntry]) -> None:
        self._entries.replace(entries)

    def as_text(self) -> str:
        """The selected entries, or all if none is selected, as lines of time, title and note."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        chosen = [self._entries.entries[row] for row in rows] or self._entries.entries
        return "\n".join(entry.plain for entry in chosen)

    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self.as_text())
