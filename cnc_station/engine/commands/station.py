"""Changes of a station: its settings, its database, its back-ups, its fleet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from cnc_station.engine.commands.base import Command
from cnc_station.engine.domain.admission import Text
from cnc_station.engine.domain.fleet import FleetServers
from cnc_station.engine.views import FleetReport


@dataclass(frozen=True, slots=True)
class SaveSettings(Command[None]):
    """Store settings by name; the others stay as they are. Raises InvalidInput."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AcceptDatabase(Command[None]):
    """Agree that the machines of a database file that was moved or copied are run from this
    computer: they are released and connected. Only if no other computer runs them. Without a hold
    it does nothing. The same for the machines of a database that was restored on a server; raises
    Conflict if none of those is held."""


@dataclass(frozen=True, slots=True)
class TryDatabase(Command[None]):
    """Write to the database now. Raises Unavailable with the reason why that is not possible."""


@dataclass(frozen=True, slots=True)
class SetBackupPlan(Command[None]):
    """Choose the folder of the daily back-ups ("": none are made) and the time of the day at which
    they are made, such as `02:00`. Raises InvalidInput, and Conflict where the settings outside the
    window name a folder."""

    TEXTS: ClassVar = {"folder": Text(1_000)}

    folder: str
    clock: str


@dataclass(frozen=True, slots=True)
class BackUpNow(Command[str]):
    """Make a back-up in the chosen folder; the answer is its path. Raises Conflict, Unavailable."""


@dataclass(frozen=True, slots=True)
class TryFleet(Command[FleetReport]):
    """Ask both servers of a fleet whether this station could work on them. Nothing is stored.
    Raises InvalidInput with the fields of `FleetServers` that are wrong, and why."""

    servers: FleetServers


@dataclass(frozen=True, slots=True)
class JoinFleet(Command[FleetReport]):
    """As `TryFleet`; if both work, store their addresses in the settings file and the passwords
    where passwords are stored. Counts from the next start. What this PC has stored alone stays in
    its file. Raises InvalidInput, Conflict while a run is active, Unavailable."""

    servers: FleetServers
