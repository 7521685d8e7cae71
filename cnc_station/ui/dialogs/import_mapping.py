"""Which column of a table fills which field of a job."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QFrame, QScrollArea, QVBoxLayout, QWidget

from cnc_station.engine.domain.import_fields import IMPORT_FIELDS
from cnc_station.ui.widgets.field import Field

_WIDTH = 272


class _Columns(QComboBox):
    """The wheel scrolls the list of fields, not the choice."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Left to whatever scrolls."""
        event.ignore()


class ImportMapping(QScrollArea):
    """A choice of column for each field, those a job can't be without first; `changed` on one."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.boxes: dict[str, QComboBox] = {}
        inner = QWidget()
        inner.setProperty("part", "plain")
        box = QVBoxLayout(inner)
        box.setContentsMargins(0, 0, 12, 0)
        box.setSpacing(10)
        for field in sorted(IMPORT_FIELDS, key=lambda field: not field.wanted):
            columns = _Columns()
            columns.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            columns.currentIndexChanged.connect(self.changed)
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
        """Field -> column, of the fields that have one."""
        return {
            field: columns.currentData()
            for field, columns in self.boxes.items()
            if columns.currentData()
        }

    def offer(self, columns: Sequence[str], mapping: Mapping[str, str]) -> None:
        """Offers the columns of a table, those of `mapping` chosen. Says nothing of a change."""
        for field, choice in self.boxes.items():
            with QSignalBlocker(choice):
                choice.clear()
                choice.addItem(self.tr("not in the table"), "")
                for column in columns:
                    choice.addItem(column, column)
                choice.setCurrentIndex(max(0, choice.findData(mapping.get(field, ""))))
