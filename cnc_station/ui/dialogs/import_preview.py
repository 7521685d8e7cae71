"""The preview of a table to import: the column mapping and the first rows as read."""

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import QAbstractTableModel, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QFrame, QScrollArea, QWidget

from cnc_station.engine.domain.import_fields import IMPORT_FIELDS, IMPORT_LABELS
from cnc_station.engine.views import ImportPreview
from cnc_station.ui.models.row_model import NOWHERE, Index
from cnc_station.ui.theme import Ink, theme
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.literal import one_line, tip

_WIDTH = 272


class _Columns(QComboBox):
    """Ignores the wheel, so that it scrolls the list of fields and not the choice."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ImportMapping(QScrollArea):
    """A choice of column for each field, required fields first; `changed` on a choice. A field that
    is asked about has no choice until a person makes one."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.boxes: dict[str, QComboBox] = {}
        self._without: set[str] = set()  # fields that are to have no column
        inner = QWidget()
        inner.setProperty("part", "plain")
        box = vbox(on=inner, gap=10, margins=(0, 0, 12, 0))
        for field in sorted(IMPORT_FIELDS, key=lambda field: not field.wanted):
            columns = _Columns()
            columns.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            columns.setPlaceholderText(self.tr("choose a column"))
            columns.currentIndexChanged.connect(partial(self._choose, field.name))
            self.boxes[field.name] = columns
            box.addWidget(Field(field.label, columns, wanted=field.wanted))
        box.addStretch(1)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(_WIDTH)
        self.setWidget(inner)

    @property
    def mapping(self) -> dict[str, str]:
        """Field -> column, "" for fields that a person wants without one."""
        return {
            field: columns.currentData() or ""
            for field, columns in self.boxes.items()
            if columns.currentData() or field in self._without
        }

    def _choose(self, field: str, place: int) -> None:
        if place == 0:
            self._without.add(field)
        else:
            self._without.discard(field)
        self.changed.emit()

    def ask(self, fields: Sequence[str]) -> None:
        """Show that these fields have no choice yet."""
        for field in fields:
            with QSignalBlocker(self.boxes[field]):
                self.boxes[field].setCurrentIndex(-1)
        if fields:
            self.ensureWidgetVisible(self.boxes[fields[0]])

    def offer(self, columns: Sequence[str], mapping: Mapping[str, str]) -> None:
        """Offer a table's columns with those of `mapping` chosen, without emitting `changed`."""
        self._without = {field for field, column in mapping.items() if not column}
        for field, choice in self.boxes.items():
            with QSignalBlocker(choice):
                choice.clear()
                choice.addItem(self.tr("not in the table"), "")
                for column in columns:
                    choice.addItem(one_line(column), column)
                choice.setCurrentIndex(max(0, choice.findData(mapping.get(field, ""))))


class PreviewModel(QAbstractTableModel):
    """Shows one preview; another reading of the table is another model."""

    def __init__(self, preview: ImportPreview, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preview = preview
        means = {column: field for field, column in preview.mapping.items()}
        self._heads = [
            f"{one_line(column)}\n{IMPORT_LABELS[means[column]]}"
            if column in means
            else one_line(column)
            for column in preview.columns
        ]
        self._used = [column in means for column in preview.columns]
        self._wrong = {(issue.row, issue.column): issue.message for issue in preview.issues}

    def place_of(self, number: int) -> int | None:
        """Return the place of a row of the table; None if the preview does not show it."""
        numbers = self._preview.numbers
        return numbers.index(number) if number in numbers else None

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._preview.rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._preview.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            if orientation is Qt.Orientation.Horizontal:
                return self._heads[section]
            return f"{self._preview.numbers[section]:,}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        text = self._preview.rows[index.row()][index.column()]
        number = self._preview.numbers[index.row()]
        wrong = self._wrong.get((number, self._preview.columns[index.column()]))
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(text) or ("✕" if wrong else "")
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(wrong or text)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return one_line(f"{text}: {wrong}" if wrong else text)
        return self._ground(index.column(), role, wrong=bool(wrong))

    def _ground(self, column: int, role: int, *, wrong: bool) -> object:
        if role == Qt.ItemDataRole.ForegroundRole:
            if wrong:
                return theme().brush(Ink.ALARM)
            return None if self._used[column] else theme().brush(Ink.MUTED)
        if role == Qt.ItemDataRole.BackgroundRole and wrong:
            return theme().brush(Ink.ALARM_FILL)
        return None
