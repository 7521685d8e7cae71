"""The fields of a machine's driver settings, as the driver describes them."""

from collections.abc import Iterator, Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from cnc_station.engine.domain.errors import FieldError
from cnc_station.engine.views import DriverInfo, Setting
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.secret_field import SecretField

_COLUMNS = 2
_GAP = 16


def field_name(setting: Setting) -> str:
    """The name of a setting's field in a form."""
    return f"settings.{setting.name}"


class DriverFields(QWidget):
    """Shows one driver's fields at a time; `edited` when a person changes one. An untouched default
    is not stored, an unchanged text keeps its stored type, and keys that the driver does not
    describe are kept: saving an unchanged form changes nothing."""

    edited = Signal()

    def __init__(self, stored_for: str, stored: Mapping[str, Any]) -> None:
        super().__init__()
        self._stored_for = stored_for
        self._stored = dict(stored)
        self._typed: dict[str, dict[str, str]] = {}
        self._shown: DriverInfo | None = None
        self.fields: dict[str, Field] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(_GAP)
        self._grid.setVerticalSpacing(_GAP)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1)

    def show_driver(self, info: DriverInfo) -> None:
        """Show another driver's fields; what was typed for the previous one is kept for a
        return."""
        if self._shown is not None:
            self._typed[self._shown.name] = dict(self._texts())
        for field in self.fields.values():
            self._grid.removeWidget(field)
            field.hide()
            field.deleteLater()
        self._shown = info
        self.fields = {}
        for place, setting in enumerate(info.settings):
            field = self._field(setting)
            self.fields[field_name(setting)] = field
            row, column = divmod(place, _COLUMNS)
            self._grid.addWidget(field, row, column, Qt.AlignmentFlag.AlignTop)
        if self.fields:
            self.setFocusProxy(next(iter(self.fields.values())).editor)

    def _field(self, setting: Setting) -> Field:
        text = self._first_text(setting)
        editor: QComboBox | QLineEdit
        if setting.choices:
            editor = QComboBox()
            editor.addItems(setting.choices if setting.wanted else ["", *setting.choices])
            editor.setCurrentText(text)
            editor.currentTextChanged.connect(self.edited)
        else:
            editor = SecretField(text, setting.label) if setting.secret else QLineEdit(text)
            editor.textEdited.connect(self.edited)
        return Field(setting.label, editor, hint=setting.hint, wanted=setting.wanted)

    def _first_text(self, setting: Setting) -> str:
        assert self._shown is not None
        typed = self._typed.get(self._shown.name, {})
        if setting.name in typed:
            return typed[setting.name]
        value = self._kept().get(setting.name)
        return setting.default if value is None else str(value)

    def _kept(self) -> Mapping[str, Any]:
        """The stored settings of the driver on view."""
        assert self._shown is not None
        return self._stored if self._shown.name == self._stored_for else {}

    def _texts(self) -> Iterator[tuple[str, str]]:
        assert self._shown is not None
        for setting in self._shown.settings:
            yield setting.name, self.fields[field_name(setting)].value.strip()

    def values(self) -> dict[str, Any]:
        """The settings to store."""
        assert self._shown is not None
        kept = self._kept()
        found = dict(kept)
        texts = dict(self._texts())
        for setting in self._shown.settings:
            text = texts[setting.name]
            if text and (setting.name in kept or text != setting.default):
                same = str(kept.get(setting.name)) == text
                found[setting.name] = kept[setting.name] if same else text
            elif not text:
                found.pop(setting.name, None)
        return found

    def missing(self) -> Iterator[FieldError]:
        """The required settings that are empty."""
        assert self._shown is not None
        texts = dict(self._texts())
        for setting in self._shown.settings:
            if setting.wanted and not texts[setting.name]:
                yield FieldError(field_name(setting), "is missing")
