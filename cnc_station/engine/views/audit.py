"""Records of the audit."""

from dataclasses import dataclass

from cnc_station.engine.domain.audit import AuditKind
from cnc_station.engine.domain.event import Event


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which acts: of one person, of one kind, not before `since` (ms); None: all."""

    person: str | None = None
    kind: AuditKind | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An act. `about` names the job or the machine, "" if there is none."""

    event: Event
    about: str = ""
