"""The form of a machine: what it is called, what it takes, what drives it."""

import json
from collections.abc import Coroutine, Mapping
from typing import Any

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.machine import MAX_COMPLEXITY, Capability, Envelope, MachineSpec
from cnc_station.engine.views import MachineRow
from cnc_station.ui import words
from cnc_station.ui.desk import Desk
from cnc_station.ui.dialogs.form_dialog import FormDialog
from cnc_station.ui.widgets.field import Field
from cnc_station.ui.widgets.number_box import NumberBox

TYPES = ("mill", "lathe", "drill")
_SIZE = (640, 690)
_SETTINGS_HEIGHT = 60


class MachineForm(FormDialog):
    """A new machine, or changes to `machine`."""

    def __init__(
        self, desk: Desk, parent: QWidget | None, machine: MachineRow | None = None
    ) -> None:
        title = self.tr("Edit {name}").format(name=machine.spec.name) if machine else ""
        super().__init__(
            desk.operations,
            title or self.tr("Add a machine"),
            self.tr("Save") if machine else self.tr("Add machine"),
            parent,
        )
        self._desk = desk
        self._machine = machine
        self.resize(*_SIZE)
        self._make_editors()
        self._place()
        if machine:
            self._fill(machine.spec)

    def _make_editors(self) -> None:
        self.name = QLineEdit()
        self.name.setMaxLength(60)
        self.name.setPlaceholderText(self.tr("Mill 1"))
        self.machine_type = QComboBox()
        self.machine_type.setEditable(True)
        self.machine_type.addItems(TYPES)
        self.model = QLineEdit()
        self.model.setPlaceholderText(self.tr("Haas VF-2"))
        self.driver = QComboBox()
        self.driver.addItems([driver.name for driver in self._desk.engine.drivers()])
        self.complexity = NumberBox(1, MAX_COMPLEXITY, MAX_COMPLEXITY)
        self.axes = NumberBox(1, 9, 3)
        self.materials = QLineEdit()
        self.materials.setPlaceholderText(self.tr("any"))
        self.envelope = QLineEdit()
        self.envelope.setPlaceholderText(self.tr("not known"))
        self.operator_clears = QCheckBox(self.tr("A person clears it after each run"))
        self.settings = QPlainTextEdit()
        self.settings.setFixedHeight(_SETTINGS_HEIGHT)
        self.settings.setTabChangesFocus(True)
        self.settings.setPlaceholderText('{"speed": 20}')

    def _place(self) -> None:
        tr = self.tr
        self.add("name", Field(tr("Name"), self.name, wanted=True), 0, 0)
        self.add("machine_type", Field(tr("Type"), self.machine_type, wanted=True), 0, 1)
        self.add("model", Field(tr("Model"), self.model), 1, 0)
        self.add("driver", Field(tr("Driver"), self.driver), 1, 1)
        self.add("max_complexity", Field(tr("Complexity up to"), self.complexity), 2, 0)
        self.add("axes", Field(tr("Axes"), self.axes), 2, 1)
        materials = Field(
            tr("Materials"), self.materials, hint=tr("With commas between; empty takes any.")
        )
        self.add("materials", materials, 3, 0)
        envelope = Field(
            tr("Travel x, y, z in mm"),
            self.envelope,
            hint=tr("762 × 406 × 508; empty refuses no part for its size."),
        )
        self.add("envelope", envelope, 3, 1)
        clearing = Field(
            tr("Clearing"),
            self.operator_clears,
            hint=tr("Nothing starts on it before somebody says it is clear."),
        )
        self.add("operator_clears", clearing, 4, 0, 2)
        settings = Field(
            tr("Driver settings"),
            self.settings,
            hint=tr("A JSON object; empty takes the driver's own."),
        )
        self.add("settings", settings, 5, 0, 2)
        self.fill_below()

    def _fill(self, spec: MachineSpec) -> None:
        self.name.setText(spec.name)
        self.machine_type.setCurrentText(spec.machine_type)
        self.model.setText(spec.model)
        if self.driver.findText(spec.driver) < 0:
            self.driver.addItem(spec.driver)
        self.driver.setCurrentText(spec.driver)
        self.complexity.setValue(spec.capability.max_complexity)
        self.axes.setValue(spec.capability.axes)
        self.materials.setText(", ".join(sorted(spec.capability.materials)))
        if size := spec.capability.envelope:
            self.envelope.setText(words.size(size))
        self.operator_clears.setChecked(spec.operator_clears)
        if spec.settings:
            self.settings.setPlainText(json.dumps(dict(spec.settings), ensure_ascii=False))

    def storing(self) -> Coroutine[Any, Any, Any]:
        """Adds the machine, or changes it."""
        spec = self._spec()
        actor = self._desk.operations.actor
        if self._machine is None:
            return self._desk.engine.add_machine(spec, actor)
        return self._desk.engine.edit_machine(self._machine.id, spec, actor)

    def _spec(self) -> MachineSpec:
        machine_type = self.machine_type.currentText().strip().lower()
        errors: list[FieldError] = []
        envelope = _envelope(self.envelope.text(), errors)
        settings = _settings(self.settings.toPlainText(), errors)
        materials = frozenset(
            word for part in self.materials.text().split(",") if (word := part.strip().lower())
        )
        spec = MachineSpec(
            name=self.name.text().strip(),
            machine_type=machine_type,
            model=self.model.text().strip(),
            driver=self.driver.currentText(),
            capability=Capability(
                machine_type, self.complexity.value(), materials, self.axes.value(), envelope
            ),
            operator_clears=self.operator_clears.isChecked(),
            settings=settings,
        )
        try:
            spec.validated()
        except InvalidInput as refused:
            errors += refused.errors
        if errors:
            raise InvalidInput(*errors)
        return spec


def _envelope(text: str, errors: list[FieldError]) -> Envelope | None:
    if not text.strip():
        return None
    sides = text.lower().replace("×", "x").replace("*", "x").replace("mm", "").split("x")
    try:
        x, y, z = (float(side) for side in sides)
    except ValueError:
        errors.append(FieldError("envelope", "three lengths, such as 762 × 406 × 508"))
        return None
    return Envelope(x, y, z)


def _settings(text: str, errors: list[FieldError]) -> Mapping[str, Any]:
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        errors.append(FieldError("settings", 'a JSON object, such as {"speed": 20}'))
        return {}
    return found
