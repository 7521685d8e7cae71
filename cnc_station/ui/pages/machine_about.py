"""What a machine is, the work it takes, and the way to change that."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.machine import Capability, PositionBasis
from cnc_station.engine.domain.states import BUSY_MACHINES, MachineState
from cnc_station.engine.views import MachineRow
from cnc_station.ui import formatting
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.tap_guard import TapGuard


def takes(capability: Capability, tr: Callable[[str], str], *, short: bool = False) -> str:
    """What a machine takes, in a sentence, or short for a column."""
    most = "≤ {most}" if short else tr("complexity to {most}")
    size = formatting.size(capability.envelope) if capability.envelope else ""
    parts = [
        most.format(most=capability.max_complexity),
        ", ".join(sorted(capability.materials)) or (tr("any") if short else tr("any material")),
        tr("{count} axes").format(count=capability.axes),
        f"{size} mm" if size and not short else size,
    ]
    return " · ".join(part for part in parts if part)


def position_words(machine: MachineRow, now: int) -> Iterator[str]:
    """Whether a machine's position is known, since when and how: `known since 10:42:07: homed`;
    nothing for a machine without a position."""
    record = machine.position
    if record is None:
        return
    since, basis = formatting.moment(record.since, now), record.position.basis
    if basis is PositionBasis.LOST:
        said = QCoreApplication.translate("Position", "not known since {since}: {why}")
        yield said.format(since=since, why=record.position.reason)
        return
    by = {
        PositionBasis.HOMED: QCoreApplication.translate("Position", "homed"),
        PositionBasis.CONFIRMED: QCoreApplication.translate("Position", "confirmed by {name}"),
        PositionBasis.FOUND: QCoreApplication.translate("Position", "as it was found"),
    }[basis].format(name=record.by)
    said = QCoreApplication.translate("Position", "known since {since}: {by}")
    yield said.format(since=since, by=by)


class MachineAbout(QWidget):
    """Shows a machine; the page connects its buttons."""

    def __init__(self) -> None:
        super().__init__()
        self._guard = TapGuard(self)
        self.facts = KeyValue()
        self.maintenance_button = Button("")
        self.edit_button = Button(self.tr("Edit…"))
        self.remove_button = HoldButton(self.tr("Remove: hold 2 s"))
        gap, margins = theme().metrics.gap, (0, 8, 0, 0)
        line = hbox((self.edit_button, 1), (self.remove_button, 1), gap=gap)
        rows = (self.facts, STRETCH, self.maintenance_button, line)
        vbox(*rows, on=self, gap=gap, margins=margins)

    def show_machine(self, machine: MachineRow, control: str, now: int) -> None:
        """Show a machine; `control` is its driver's title."""
        spec = machine.spec
        self._show_maintenance(machine)
        removable = machine.state not in BUSY_MACHINES
        self._guard.show("remove", machine.id if removable else None, self.remove_button)
        self._guard.show("edit", machine.id, self.edit_button)
        starts = self.tr("when a person confirms its set-up")
        clears = self.tr("a person clears it")
        self.facts.set_pairs(
            (
                (self.tr("Type"), " · ".join(p for p in (spec.machine_type, spec.model) if p)),
                (self.tr("Takes"), takes(spec.capability, self.tr)),
                (self.tr("Control"), control),
                (self.tr("A job starts"), starts if spec.operator_starts else self.tr("by itself")),
                (
                    self.tr("After a run"),
                    clears if spec.operator_clears else self.tr("the next one may start"),
                ),
                (self.tr("Runs"), f"{machine.runs_done:,}"),
                (self.tr("At work"), formatting.duration(machine.run_seconds)),
                (self.tr("Station"), machine.station),
                *((self.tr("Position"), text) for text in position_words(machine, now)),
            )
        )

    def _show_maintenance(self, machine: MachineRow) -> None:
        button = self.maintenance_button
        follows = machine.maintenance_due and machine.state in BUSY_MACHINES
        if machine.state is MachineState.MAINTENANCE:
            button.setText(self.tr("End maintenance"))
        elif follows or machine.state in BUSY_MACHINES:
            button.setText(self.tr("Maintenance after this run"))
        else:
            button.setText(self.tr("Maintenance"))
        self._guard.show("maintenance", None if follows else (machine.id, button.text()), button)

    def forget(self) -> None:
        """A person has chosen the machine that is shown next."""
        self._guard.forget()
