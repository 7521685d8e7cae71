"""Queries about machines and their controllers."""

from dataclasses import dataclass

from cnc_station.engine.queries.base import LiveQuery, Query
from cnc_station.engine.views import (
    DriverInfo,
    FoundController,
    MachineRow,
    Message,
    RunInHand,
    Status,
    Telemetry,
)


@dataclass(frozen=True, slots=True)
class ListMachines(Query[tuple[MachineRow, ...]]):
    """Every machine of the shop, in the order they were added."""


@dataclass(frozen=True, slots=True)
class ListDrivers(LiveQuery[tuple[DriverInfo, ...]]):
    """The drivers a machine can have, by name."""


@dataclass(frozen=True, slots=True)
class FindControllers(Query[tuple[FoundController, ...]]):
    """What this station could drive: the serial ports of this computer and a LinuxCNC on it, or
    with `address` what answers there. Serial ports are listed and never opened, network ports are
    connected to and closed: nothing is sent. Takes at most 3 s. Raises InvalidInput for an address
    that can't be one."""

    address: str = ""


@dataclass(frozen=True, slots=True)
class ControllerStatus(LiveQuery[Status | None]):
    """What a machine's controller reports; None for a machine of another station."""

    machine_id: int


@dataclass(frozen=True, slots=True)
class MachineLog(LiveQuery[tuple[Message, ...]]):
    """The latest messages between this station and a machine's controller, oldest first."""

    machine_id: int


@dataclass(frozen=True, slots=True)
class LatestTelemetry(LiveQuery[Telemetry | None]):
    """The latest telemetry of a machine at work."""

    machine_id: int


@dataclass(frozen=True, slots=True)
class ListActiveRuns(LiveQuery[tuple[RunInHand, ...]]):
    """The runs that this station drives, and what closing the station would do to each."""
