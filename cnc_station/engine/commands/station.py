"""What can be asked of the station itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnc_station.engine.commands.base import Command


@dataclass(frozen=True, slots=True)
class SaveSettings(Command[None]):
    """Store settings by name; the others stay as they are. Raises InvalidInput."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TryDatabase(Command[None]):
    """Write to the database now. Raises Unavailable with the reason why that is not possible."""
