"""What the machines' drivers can do, cached: listing drivers searches the disk."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.door import Door
from cnc_station.engine.queries import ListDrivers
from cnc_station.engine.views import Abilities, DriverInfo, MachineRow, Presence
from cnc_station.ui.widgets.state_look import (
    CONNECTING,
    NOT_REACHABLE,
    NOT_READY,
    SET_UP,
    STATION_CLOSED,
    StateLook,
    look_of,
)

_UNKNOWN = Abilities()


def waits_for_set_up(machine: MachineRow, can: Abilities) -> bool:
    """Whether the job at a machine waits for a person to start it or to confirm its set-up."""
    by_hand = machine.spec.operator_starts or not can.starts
    return by_hand and machine.state is MachineState.ASSIGNED


def is_unready(machine: MachineRow) -> bool:
    """Whether a machine is idle only because its controller can't start anything."""
    return machine.attended and bool(machine.not_ready) and machine.state is MachineState.IDLE


def wants_position(machine: MachineRow) -> bool:
    """Whether a person may confirm a machine's work zero now: nothing starts before that."""
    rests = machine.state in {MachineState.IDLE, MachineState.NEEDS_CLEARING}
    return rests and machine.attended and machine.position_lost and machine.missing_since is None


def unattended(machine: MachineRow) -> str:
    """Why a machine can't be operated (its station is offline); "" if it can."""
    if machine.attended:
        return ""
    said = (
        _tr("Station {name} does not respond")
        if machine.presence is Presence.SILENT
        else _tr("Station {name} is closed")
    )
    return said.format(name=machine.station)


def at_panel(machine: MachineRow, can: Abilities) -> str:
    """What must be done at the machine's own panel because it can't be done here; otherwise ""."""
    if machine.state is MachineState.ALARM and not can.unlocks:
        return _tr("Clear it at the machine's own panel.")
    if machine.state is MachineState.HELD and not can.goes_on:
        return _tr("Continue at the machine's own panel.")
    return ""


def machine_look(machine: MachineRow, can: Abilities = _UNKNOWN) -> StateLook:
    """A machine's state, or what it waits for; unknown when its station is offline."""
    if not machine.attended:
        return NOT_REACHABLE if machine.presence is Presence.SILENT else STATION_CLOSED
    if machine.at_work and machine.missing_since is not None:
        return NOT_REACHABLE
    if machine.state is MachineState.OFFLINE:
        return CONNECTING if machine.missing_since is None else NOT_REACHABLE
    if waits_for_set_up(machine, can):
        return SET_UP
    return NOT_READY if is_unready(machine) else look_of(machine.state)


def _tr(english: str) -> str:
    return QCoreApplication.translate("Floor", english)


class Drivers:
    """The drivers by name, listed once when first needed."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._found: Mapping[str, DriverInfo] | None = None

    def info(self, name: str) -> DriverInfo | None:
        if self._found is None:
            self._found = {info.name: info for info in self._door.peek(ListDrivers())}
        return self._found.get(name)

    def title(self, name: str) -> str:
        """The driver's name for people."""
        info = self.info(name)
        return info.title if info else name

    def abilities(self, name: str) -> Abilities:
        """What its controllers can do; everything for an unknown driver: the engine refuses the
        rest."""
        info = self.info(name)
        return info.abilities if info else _UNKNOWN
