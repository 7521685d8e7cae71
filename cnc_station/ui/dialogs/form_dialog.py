"""A form in a dialog: named fields, errors beside them, one button to save."""

from collections.abc import Coroutine, Iterable
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QWidget

from cnc_station.engine.domain.errors import CncStationError, FieldError, InvalidInput
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.operations import Operations
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import PrimaryButton
from cnc_station.ui.widgets.card import scrolling
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.text import Text

_GAP = 16


class FormDialog(Dialog):
    """Add fields with `add`; `save` is the button's text. The dialog closes only when the engine
    has stored the values."""

    def __init__(
        self, operations: Operations, title: str, save: str, parent: QWidget | None
    ) -> None:
        super().__init__(title, parent, modal=True)
        self._operations = operations
        self.fields: dict[str, Field] = {}
        inner = QWidget()
        self._grid = QGridLayout(inner)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(_GAP)
        self._grid.setVerticalSpacing(_GAP)
        self._area = scrolling(inner, right=12, focus=True)
        self.trouble = Text("", Role.NOTE, Ink.ALARM, wrap=True)
        self.save_button = PrimaryButton(save, clicked=self.save)
        self.save_button.setDefault(True)
        self.acting = [self.save_button]
        foot = hbox((self.trouble, 1), self.cancel_button(), self.save_button)
        vbox(Text(title, Role.PAGE_TITLE), (self._area, 1), foot, on=self, gap=_GAP, margins=_GAP)

    def add(self, name: str, field: Field, row: int, column: int, span: int = 1) -> None:
        """Add a field under the engine's name for it."""
        self.fields[name] = field
        self._grid.addWidget(field, row, column, 1, span, Qt.AlignmentFlag.AlignTop)
        self._grid.setRowStretch(self._grid.rowCount(), 0)
        for place in range(column, column + span):
            self._grid.setColumnStretch(place, 1)

    def place(self, part: QWidget, row: int) -> None:
        """Add something that is not a field over both columns."""
        self._grid.addWidget(part, row, 0, 1, 2)

    def open(self) -> None:
        """Begin at the first field, unless another has the focus already: otherwise the keys would
        go to a button."""
        if self.focusWidget() is None and self.fields:
            next(iter(self.fields.values())).editor.setFocus()
        super().open()

    def fill_below(self) -> None:
        self._grid.setRowStretch(self._grid.rowCount(), 1)

    def bring_into_view(self, part: QWidget) -> None:
        """Scroll to a part of the form that has just grown, after its layout."""
        QTimer.singleShot(0, part, lambda: self._area.ensureWidgetVisible(part, 0, _GAP))

    def tell(self, errors: Iterable[FieldError]) -> None:
        """Show each error at its field and focus the first wrong field."""
        said = {error.field: error.reason for error in errors}
        for name, field in self.fields.items():
            field.set_error(said.get(name, ""))
        elsewhere = [f"{name}: {why}" for name, why in said.items() if name not in self.fields]
        self.trouble.setText("; ".join(elsewhere))
        wrong = [field for name, field in self.fields.items() if name in said]
        if wrong:
            wrong[0].editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def save(self) -> None:
        """Check what can be checked here, then ask the engine."""
        try:
            work = self.storing()
        except InvalidInput as refused:
            self.tell(refused.errors)
            return
        self.tell(())
        self.do(self._operations, work, self.tr("Saving…"))

    def storing(self) -> Coroutine[Any, Any, Any]:
        """The work that stores the values. Raises InvalidInput for a value that can't be read."""
        raise NotImplementedError

    def complain(self, error: CncStationError) -> None:
        """Show the error at its fields, or below the form."""
        if isinstance(error, InvalidInput):
            self.tell(error.errors)
        else:
            self.trouble.setText(str(error))
