"""The station itself: its links, its fleet, and what became of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Link:
    """The state of one dependency (database, Redis): connected, degraded, offline, standalone."""

    name: str
    state: str
    since: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What station this is, and what its window cannot change. `database` is a file's path, or a
    server's address without its password; `simulator_speed` program seconds per real second."""

    version: str
    station: str
    database: str
    simulator_speed: float


SILENT_AFTER_S = 12.0


class Presence(StrEnum):
    """Whether a station is there, as its last word to the database tells."""

    HERE = "here"
    CONNECTED = "connected"
    SILENT = "silent"
    LEFT = "left"


def presence_of(heard_s: float | None, *, here: bool) -> Presence:
    """By the seconds since a station was heard of, None once it has left in order. The one asked is
    here: it has just answered."""
    if here:
        return Presence.HERE
    if heard_s is None:
        return Presence.LEFT
    return Presence.SILENT if heard_s > SILENT_AFTER_S else Presence.CONNECTED


@dataclass(frozen=True, slots=True)
class StationRow:
    """A station of the fleet. `here`: the one that was asked. `heard_s`: seconds since it was
    last heard of, None once it has left in order. `lag_ms`: how long its last heartbeat took."""

    name: str
    host: str
    version: str
    started_at: int
    heard_s: float | None
    lag_ms: float
    leads: bool
    term: int
    machines: int
    running: int
    here: bool

    @property
    def presence(self) -> Presence:
        """See `presence_of`."""
        return presence_of(self.heard_s, here=self.here)


@dataclass(frozen=True, slots=True)
class Undo:
    """How to take an answer back: names a step of the engine's and what it needs."""

    action: str
    job_id: int
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one item of a request. `error` is "" if it was applied, else a sentence;
    `undo` is there where it can be taken back."""

    id: int
    error: str = ""
    undo: Undo | None = None

    @property
    def applied(self) -> bool:
        """Whether it was done."""
        return not self.error
