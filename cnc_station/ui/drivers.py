"""What the drivers of the machines can do, kept at hand: asking for them searches the disk."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.states import MachineState
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
    """Whether the job at a machine waits for a person to start it, or to say that it may."""
    by_hand = machine.spec.operator_starts or not can.starts
    return by_hand and machine.state is MachineState.ASSIGNED


def is_unready(machine: MachineRow) -> bool:
    """Whether a machine stands still only because its controller would start nothing."""
    return machine.attended and bool(machine.not_ready) and machine.state is MachineState.IDLE


def wants_position(machine: MachineRow) -> bool:
    """Whether a person may confirm a machine's work zero now: nothing starts on it before."""
    rests = machine.state in {MachineState.IDLE, MachineState.NEEDS_CLEARING}
    return rests and machine.attended and machine.position_lost and machine.missing_since is None


def unattended(machine: MachineRow) -> str:
    """Why nothing can be asked of a machine at all: its station is not there; "" if it is."""
    if machine.attended:
        return ""
    said = (
        QCoreApplication.translate("Floor", "Station {name} does not respond")
        if machine.presence is Presence.SILENT
        else QCoreApplication.translate("Floor", "Station {name} is closed")
    )
    return said.format(name=machine.station)


def at_panel(machine: MachineRow, can: Abilities) -> str:
    """What has to be done at the machine's own panel, as nobody can do it from here; else ""."""
    if machine.state is MachineState.ALARM and not can.unlocks:
        return QCoreApplication.translate("Floor", "Clear it at the machine's own panel.")
    if machine.state is MachineState.HELD and not can.goes_on:
        return QCoreApplication.translate("Floor", "Go on at the machine's own panel.")
    return ""


def machine_look(machine: MachineRow, can: Abilities = _UNKNOWN) -> StateLook:
    """How a machine looks: its state, or what it waits for. Of one whose station is not there
    nobody knows the state."""
    if not machine.attended:
        return NOT_REACHABLE if machine.presence is Presence.SILENT else STATION_CLOSED
    if machine.at_work and machine.missing_since is not None:
        return NOT_REACHABLE
    if machine.state is MachineState.OFFLINE:
        return CONNECTING if machine.missing_since is None else NOT_REACHABLE
    if waits_for_set_up(machine, can):
        return SET_UP
    return NOT_READY if is_unready(machine) else look_of(machine.state)


class Drivers:
    """The drivers by name; asked for once, when they are first needed."""

    def __init__(self, ask: Callable[[], Sequence[DriverInfo]]) -> None:
        self._ask = ask
        self._found: Mapping[str, DriverInfo] | None = None

    def info(self, name: str) -> DriverInfo | None:
        """One of them; None if there is none of that name."""
        if self._found is None:
            self._found = {info.name: info for info in self._ask()}
        return self._found.get(name)

    def title(self, name: str) -> str:
        """What people call it."""
        info = self.info(name)
        return info.title if info else name

    def abilities(self, name: str) -> Abilities:
        """What can be asked of its controllers; everything, of one that nobody knows: the engine
        refuses what it can't do."""
        info = self.info(name)
        return info.abilities if info else _UNKNOWN
