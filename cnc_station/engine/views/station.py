"""The station itself: its links, its fleet, and the answers to requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Link:
    """The state of one dependency (database, Redis): connected, degraded, offline, standalone. A
    link named `backup` is there only while a back-up is overdue."""

    name: str
    state: str
    since: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FleetReport:
    """What the two servers of a fleet have answered, a sentence each."""

    database: str
    redis: str


@dataclass(frozen=True, slots=True)
class About:
    """The identity of the station, and what its window cannot change. `database` is a file's path,
    or a server's address without its password; `simulator_speed` program seconds per real
    second. `webhook_test`: its API has a receiver to try webhooks with."""

    version: str
    station: str
    database: str
    simulator_speed: float
    webhook_test: bool = False


SILENT_AFTER_S = 12.0


class Presence(StrEnum):
    """Whether a station is there, by its last sign of life in the database."""

    HERE = "here"
    CONNECTED = "connected"
    SILENT = "silent"
    LEFT = "left"


def presence_of(heard_s: float | None, *, here: bool) -> Presence:
    """The presence by the seconds since its last sign of life (None: it has left in order). The
    station that asks is `here`."""
    if here:
        return Presence.HERE
    if heard_s is None:
        return Presence.LEFT
    return Presence.SILENT if heard_s > SILENT_AFTER_S else Presence.CONNECTED


@dataclass(frozen=True, slots=True)
class StationRow:
    """A station of the fleet. `here`: it is the one that was asked. `heard_s`: seconds since its
    last sign of life, None if it has left in order. `lag_ms`: how long its last heartbeat took."""

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
        return presence_of(self.heard_s, here=self.here)


@dataclass(frozen=True, slots=True)
class Undo:
    """How to undo an action: a step of the engine and its arguments."""

    action: str
    job_id: int
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one item of a request. `error` is "" if it was applied, otherwise a sentence;
    `undo` is set if it can be undone."""

    id: int
    error: str = ""
    undo: Undo | None = None

    @property
    def applied(self) -> bool:
        return not self.error


@dataclass(frozen=True, slots=True)
class BulkCursor:
    """Where an action on all matching items goes on: after item `after`, up to item `last`. A job
    whose state has changed since `since` (ms) was not counted, and is left alone."""

    after: int
    last: int
    since: int


@dataclass(frozen=True, slots=True)
class BulkStep:
    """One batch of an action on all matching jobs. `cursor` is for the next one; None: it was the
    last."""

    answers: tuple[Answer, ...]
    cursor: BulkCursor | None
