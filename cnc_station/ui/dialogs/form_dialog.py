"""A form in a dialog: fields by name, what is wrong next to them, one button to save."""

from collections.abc import Coroutine, Iterable
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from cnc_station.engine.domain.errors import CncStationError, FieldError, InvalidInput
from cnc_station.ui.operations import Operations
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.field import Field
from cnc_station.ui.widgets.text import Text

_GAP = 16


class FormDialog(QDialog):
    """Put fields in with `add`; `save` says what the button does. Open it with `open()`.

    The dialog closes only when the engine has stored what it says.
    """

    def __init__(
        self, operations: Operations, title: str, save: str, parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setModal(True)
        self._operations = operations
        self._saving = False
        self.fields: dict[str, Field] = {}
        inner = QWidget()
        inner.setProperty("part", "plain")
        self._grid = QGridLayout(inner)
        self._grid.setContentsMargins(0, 0, 12, 0)
        self._grid.setHorizontalSpacing(_GAP)
        self._grid.setVerticalSpacing(_GAP)
        self._area = area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        self.trouble = Text("", Role.NOTE, Ink.ALARM)
        self.trouble.setWordWrap(True)
        cancel = Button(self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        self.save_button = PrimaryButton(save)
        self.save_button.setDefault(True)
        self.save_button.clicked.connect(self.save)
        foot = QHBoxLayout()
        foot.addWidget(self.trouble, 1)
        foot.addWidget(cancel)
        foot.addWidget(self.save_button)
        box = QVBoxLayout(self)
        box.setContentsMargins(_GAP, _GAP, _GAP, _GAP)
        box.setSpacing(_GAP)
        box.addWidget(Text(title, Role.PAGE_TITLE))
        box.addWidget(area, 1)
        box.addLayout(foot)

    def add(self, name: str, field: Field, row: int, column: int, span: int = 1) -> None:
        """Puts in a field, under the name by which the engine speaks of it."""
        self.fields[name] = field
        self._grid.addWidget(field, row, column, 1, span, Qt.AlignmentFlag.AlignTop)
        self._grid.setRowStretch(self._grid.rowCount(), 0)
        for place in range(column, column + span):
            self._grid.setColumnStretch(place, 1)

    def fill_below(self) -> None:
        """What room is left goes below the last row."""
        self._grid.setRowStretch(self._grid.rowCount(), 1)

    def bring_into_view(self, part: QWidget) -> None:
        """Scrolls to a part of the form that has just grown, once it has its place."""
        QTimer.singleShot(0, part, lambda: self._area.ensureWidgetVisible(part, 0, _GAP))

    def tell(self, errors: Iterable[FieldError]) -> None:
        """Says what is wrong where it is wrong; the first wrong field gets the keyboard."""
        said = {error.field: error.reason for error in errors}
        for name, field in self.fields.items():
            field.set_error(said.get(name, ""))
        elsewhere = [f"{name}: {why}" for name, why in said.items() if name not in self.fields]
        self.trouble.setText("; ".join(elsewhere))
        wrong = [field for name, field in self.fields.items() if name in said]
        if wrong:
            wrong[0].editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def save(self) -> None:
        """Checks what can be checked here, then asks the engine."""
        try:
            work = self.storing()
        except InvalidInput as refused:
            self.tell(refused.errors)
            return
        self.tell(())
        self._saving = True
        self.save_button.setEnabled(False)
        self._operations.run(self._store(work), self.tr("Saving …"))

    def storing(self) -> Coroutine[Any, Any, Any]:
        """What stores the form's values. Raises InvalidInput for what is no value at all."""
        raise NotImplementedError

    async def _store(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except InvalidInput as refused:
            self.tell(refused.errors)
        except CncStationError as error:
            self.trouble.setText(str(error))
        else:
            self.accept()
        finally:
            self._saving = False
            self.save_button.setEnabled(True)

    def reject(self) -> None:
        """Closes without storing, unless it is being stored."""
        if not self._saving:
            super().reject()
