"""Queries about the floor, the stations and their settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnc_station.engine.queries.base import LiveQuery, Query
from cnc_station.engine.views import About, Charts, Floor, Link, StationRow
from cnc_station.engine.views.backups import Backups


@dataclass(frozen=True, slots=True)
class FloorNow(Query[Floor]):
    """The shop floor from one snapshot."""


@dataclass(frozen=True, slots=True)
class FloorCharts(Query[Charts]):
    """The charts of the floor from `since` on, in buckets of `step` (ms)."""

    since: int
    step: int


@dataclass(frozen=True, slots=True)
class ListStations(Query[tuple[StationRow, ...]]):
    """The stations of the fleet, this one included."""


@dataclass(frozen=True, slots=True)
class StoredSettings(Query[Mapping[str, Any]]):
    """The settings stored with `SaveSettings`, by name."""


@dataclass(frozen=True, slots=True)
class AboutStation(LiveQuery[About]):
    """Which station this is, and its settings that can't be changed at run time."""


@dataclass(frozen=True, slots=True)
class ListLinks(LiveQuery[tuple[Link, ...]]):
    """The state of each dependency (database, Redis)."""


@dataclass(frozen=True, slots=True)
class BackupsNow(LiveQuery[Backups]):
    """The back-ups of this station as it knows them, and the one that is being made."""
