"""The forms of a machine: its name, driver and capability, and its move to another station."""

from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from cnc_station.engine.commands import AddMachine, EditMachine, MoveMachine
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.machine import MAX_COMPLEXITY, Capability, Envelope, MachineSpec
from cnc_station.engine.queries import ListDrivers
from cnc_station.engine.views import DriverInfo, FoundController, MachineRow, Presence
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.connection_test import ConnectionTest
from cnc_station.ui.dialogs.driver_fields import DriverFields
from cnc_station.ui.dialogs.form_dialog import FormDialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.fields import Field, NumberBox

TYPES = ("mill", "lathe", "drill")
_SIZE, _MOVE_SIZE = (680, 720), (460, 250)


class MachineForm(FormDialog):
    """Adds a machine, at the controller `found` if there is one, or changes `machine`."""

    def __init__(
        self,
        context: PageContext,
        parent: QWidget | None,
        machine: MachineRow | None = None,
        found: FoundController | None = None,
    ) -> None:
        title, save = self.tr("Add a machine"), self.tr("Add machine")
        if machine:
            title, save = self.tr("Edit {name}").format(name=machine.spec.name), self.tr("Save")
        super().__init__(context.operations, title, save, parent)
        self._context = context
        self._machine = machine
        spec = machine.spec if machine else None
        self._drivers = _offered(context.door.peek(ListDrivers()), spec)
        self._operator_chosen = machine is not None
        known = spec or found
        self.settings = DriverFields(known.driver if known else "", known.settings if known else {})
        self.test = ConnectionTest(context, self._connection, machine.id if machine else None)
        self._make_editors()
        self._place()
        if spec:
            self._fill(spec)
        elif found:
            self._choose_driver(next(d for d in self._drivers if d.name == found.driver))
        else:
            self._choose_driver(next((d for d in self._drivers if not d.real), self._drivers[0]))
        self.driver.currentIndexChanged.connect(self._show_driver)
        self._show_driver()
        self._connect()
        self.fit(_SIZE, _SIZE)

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
        self.driver.addItems([driver.title for driver in self._drivers])
        self.complexity = NumberBox(1, MAX_COMPLEXITY, MAX_COMPLEXITY)
        self.axes = NumberBox(1, 9, 3)
        self.materials = QLineEdit()
        self.materials.setPlaceholderText(self.tr("any"))
        self.envelope = QLineEdit()
        self.envelope.setPlaceholderText(self.tr("not known"))
        self.operator_starts = QCheckBox(self.tr("An operator confirms each set-up"))
        self.operator_clears = QCheckBox(self.tr("An operator clears the machine after each job"))

    def _place(self) -> None:
        tr = self.tr
        self.add("name", Field(tr("Name"), self.name, wanted=True), 0, 0)
        self.add("machine_type", Field(tr("Type"), self.machine_type, wanted=True), 0, 1)
        self.add("model", Field(tr("Model"), self.model), 1, 0)
        self.add("driver", Field(tr("Control"), self.driver, hint=" "), 1, 1)
        self.add("settings", Field("", self.settings), 2, 0, 2)
        self.add("test", Field("", self.test), 3, 0, 2)
        self.add("operator_starts", Field("", self.operator_starts, hint=" "), 4, 0, 2)
        clearing = tr("Nothing starts on it before somebody confirms that it is clear.")
        self.add("operator_clears", Field("", self.operator_clears, hint=clearing), 5, 0, 2)
        self.add("max_complexity", Field(tr("Complexity up to"), self.complexity), 6, 0)
        self.add("axes", Field(tr("Axes"), self.axes), 6, 1)
        listed = tr("Separated by commas; empty means any.")
        self.add("materials", Field(tr("Materials"), self.materials, hint=listed), 7, 0)
        travel = tr("762 × 406 × 508; empty refuses no part for its size.")
        self.add("envelope", Field(tr("Travel x, y, z in mm"), self.envelope, hint=travel), 7, 1)
        self.fill_below()

    def _connect(self) -> None:
        self.settings.edited.connect(self.test.forget)
        self.test.refused.connect(lambda refused: self.tell(refused.errors))
        self.test.answered.connect(lambda: self.bring_into_view(self.test))
        self.operator_starts.clicked.connect(self._take_choice)
        self.operator_clears.clicked.connect(self._take_choice)
        self.finished.connect(self.test.stop)

    def _fill(self, spec: MachineSpec) -> None:
        self.name.setText(spec.name)
        self.machine_type.setCurrentText(spec.machine_type)
        self.model.setText(spec.model)
        self._choose_driver(next(d for d in self._drivers if d.name == spec.driver))
        self.complexity.setValue(spec.capability.max_complexity)
        self.axes.setValue(spec.capability.axes)
        self.materials.setText(", ".join(sorted(spec.capability.materials)))
        if size := spec.capability.envelope:
            self.envelope.setText(formatting.size(size))
        self.operator_starts.setChecked(spec.operator_starts)
        self.operator_clears.setChecked(spec.operator_clears)

    @property
    def chosen_driver(self) -> DriverInfo:
        return self._drivers[self.driver.currentIndex()]

    def _choose_driver(self, info: DriverInfo) -> None:
        self.driver.setCurrentIndex(self._drivers.index(info))

    def _show_driver(self) -> None:
        info = self.chosen_driver
        for name in self.settings.fields:
            self.fields.pop(name, None)
        self.settings.show_driver(info)
        self.fields.update(self.settings.fields)
        self.fields["settings"].setVisible(bool(info.settings))
        self.fields["driver"].set_hint(self._about(info))
        self.fields["operator_starts"].set_hint(self._about_starting(info))
        if not self._operator_chosen:
            self.operator_starts.setChecked(info.real)
            self.operator_clears.setChecked(info.real)
        self.test.forget()

    def _take_choice(self) -> None:
        self._operator_chosen = True

    def _about(self, info: DriverInfo) -> str:
        if not info.real:
            return self.tr("Nothing moves: it only passes the time of each job.")
        if not info.abilities.starts:
            return self.tr("Only watches: people start and stop this machine at its panel.")
        return self.tr("Programs are started, held and stopped from here.")

    def _about_starting(self, info: DriverInfo) -> str:
        if not info.abilities.starts:
            return self.tr(
                "People start it at its panel in any case; ticked, they check the set-up first."
            )
        return self.tr("Each job waits at the machine until its set-up is ticked off.")

    def _connection(self) -> MachineSpec:
        """The spec for the connection test; fields it does not need may be empty."""
        if missing := tuple(self.settings.missing()):
            raise InvalidInput(*missing)
        self.tell(())
        return MachineSpec(
            name=self.name.text().strip(),
            machine_type=self.machine_type.currentText().strip().lower(),
            driver=self.chosen_driver.name,
            settings=self.settings.values(),
        )

    def storing(self) -> Coroutine[Any, Any, Any]:
        spec = self._spec()
        if self._machine is None:
            return self._context.door.execute(AddMachine(spec))
        return self._context.door.execute(EditMachine(self._machine.id, spec))

    def _spec(self) -> MachineSpec:
        machine_type = self.machine_type.currentText().strip().lower()
        errors: list[FieldError] = list(self.settings.missing())
        envelope = _envelope(self.envelope.text(), errors)
        listed = (part.strip().lower() for part in self.materials.text().split(","))
        materials = frozenset(filter(None, listed))
        spec = MachineSpec(
            name=self.name.text().strip(),
            machine_type=machine_type,
            model=self.model.text().strip(),
            driver=self.chosen_driver.name,
            capability=Capability(
                machine_type, self.complexity.value(), materials, self.axes.value(), envelope
            ),
            operator_clears=self.operator_clears.isChecked(),
            operator_starts=self.operator_starts.isChecked(),
            settings=self.settings.values(),
        )
        try:
            spec.validated()
        except InvalidInput as refused:
            errors += refused.errors
        if errors:
            raise InvalidInput(*errors)
        return spec


def _offered(drivers: Iterable[DriverInfo], spec: MachineSpec | None) -> list[DriverInfo]:
    """The drivers by title, with the machine's own driver even if it is not installed any more."""
    found = sorted(drivers, key=lambda driver: driver.title.lower())
    if spec is not None and spec.driver not in {driver.name for driver in found}:
        found.append(DriverInfo(spec.driver, spec.driver))
    return found


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


class MoveMachineForm(FormDialog):
    """Moves `machine` to one of `stations`, the first by default. It closes once that station owns
    the machine. `own`: its present station is online and must release it."""

    def __init__(
        self,
        context: PageContext,
        parent: QWidget | None,
        machine: MachineRow,
        stations: Sequence[str],
        own: Presence,
    ) -> None:
        title = self.tr("Move {name} to another station").format(name=machine.spec.name)
        super().__init__(context.operations, title, self.tr("Move it"), parent)
        self._context = context
        self._machine = machine
        self.resize(*_MOVE_SIZE)
        self.station = QComboBox()
        self.station.addItems(list(stations))
        hint = self._what_follows(own).format(station=machine.station)
        self.add("station", Field(self.tr("Station"), self.station, hint=hint), 0, 0)
        self.fill_below()

    def _what_follows(self, own: Presence) -> str:
        if own is Presence.SILENT:
            return self.tr(
                "{station} does not respond: make sure that it does not drive the machine any "
                "more. The other station connects to it."
            )
        if own is Presence.LEFT:
            return self.tr("{station} is closed, the other station connects to its controller.")
        return self.tr(
            "{station} disconnects from its controller, the other station connects to it."
        )

    def storing(self) -> Coroutine[Any, Any, None]:
        """The engine refuses a machine that has started work meanwhile."""
        return self._context.door.execute(MoveMachine(self._machine.id, self.station.currentText()))
