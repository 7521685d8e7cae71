"""The first rows of a table to import, as read: what each column means, what is wrong where."""

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from cnc_station.engine.domain.import_fields import IMPORT_LABELS
from cnc_station.engine.views import ImportPreview
from cnc_station.ui.theme import Ink, theme

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()


class PreviewModel(QAbstractTableModel):
    """Shows one preview; another reading of the table is another model."""

    def __init__(self, preview: ImportPreview, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preview = preview
        means = {column: field for field, column in preview.mapping.items()}
        self._heads = [
            f"{column}\n{IMPORT_LABELS[means[column]]}" if column in means else column
            for column in preview.columns
        ]
        self._used = [column in means for column in preview.columns]
        self._wrong = {(issue.row, issue.column): issue.message for issue in preview.issues}

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """The rows read for a look."""
        return 0 if parent.isValid() else len(self._preview.rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """All columns, used or not."""
        return 0 if parent.isValid() else len(self._preview.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """The column's name, and under it the field it fills; rows count from 1."""
        if role == Qt.ItemDataRole.DisplayRole:
            if orientation is Qt.Orientation.Horizontal:
                return self._heads[section]
            return str(section + 1)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The cell's text; red where it is wrong, faint where its column is not used."""
        text = self._preview.rows[index.row()][index.column()]
        wrong = self._wrong.get((index.row() + 1, self._preview.columns[index.column()]))
        if role == Qt.ItemDataRole.DisplayRole:
            return text or ("✕" if wrong else "")
        if role == Qt.ItemDataRole.ToolTipRole:
            return wrong or text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{text}: {wrong}" if wrong else text
        return self._ground(index.column(), role, wrong=bool(wrong))

    def _ground(self, column: int, role: int, *, wrong: bool) -> object:
        if role == Qt.ItemDataRole.ForegroundRole:
            if wrong:
                return theme().brush(Ink.ALARM)
            return None if self._used[column] else theme().brush(Ink.MUTED)
        if role == Qt.ItemDataRole.BackgroundRole and wrong:
            return theme().brush(Ink.ALARM_FILL)
        return None
