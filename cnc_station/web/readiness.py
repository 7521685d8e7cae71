"""Whether a station can do its work, by dependency, for a supervisor."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.views import Link, MachineRow, StationRow


class Status(StrEnum):
    """READY: everything works. DEGRADED: it works, but a useful dependency is missing. NOT_READY:
    it cannot take work."""

    READY = "ready"
    DEGRADED = "degraded"
    NOT_READY = "not ready"


@dataclass(frozen=True, slots=True)
class Check:
    """The state of one dependency, with a text."""

    ok: bool
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """`checks` by dependency.

    Nothing works without the database, or after another station has taken the name of this one. A
    fleet continues without Redis, between two leaders, while machines are switched off, and without
    a back-up of the last day.
    """

    checks: dict[str, Check]

    @property
    def status(self) -> Status:
        """The worst status that follows from the checks."""
        if not (self.checks["database"].ok and self.checks["name"].ok):
            return Status.NOT_READY
        if all(check.ok for check in self.checks.values()):
            return Status.READY
        return Status.DEGRADED


def database_away(links: Sequence[Link], detail: str) -> Readiness:
    """Return the readiness without the database: nothing else is known."""
    unknown = Check(ok=False, state="unknown")
    away = Check(ok=False, state="offline", detail=detail)
    return Readiness(
        {
            "database": away,
            "redis": _redis(links),
            "name": _name(links),
            "leader": unknown,
            "machines": unknown,
            "backup": _backup(links),
        }
    )


def readiness(
    links: Sequence[Link],
    stations: Sequence[StationRow],
    machines: Sequence[MachineRow],
    own: str,
) -> Readiness:
    """Return the readiness from the links, the leader, and the machines of the station `own`."""
    for link in links:
        if link.name == "database" and link.state == "offline":
            return database_away(links, link.detail)
    return Readiness(
        {
            "database": Check(ok=True, state=_state(links, "database") or "connected"),
            "redis": _redis(links),
            "name": _name(links),
            "leader": _leader(stations),
            "machines": _machines([machine for machine in machines if machine.station == own]),
            "backup": _backup(links),
        }
    )


def _state(links: Sequence[Link], name: str) -> str | None:
    return next((link.state for link in links if link.name == name), None)


def _redis(links: Sequence[Link]) -> Check:
    for link in links:
        if link.name == "redis":
            return Check(link.state == "connected", link.state, link.detail)
    return Check(ok=True, state="not used")


def _name(links: Sequence[Link]) -> Check:
    for link in links:
        if link.name == "name":
            return Check(ok=False, state="taken", detail=link.detail)
    return Check(ok=True, state="its own")


def _backup(links: Sequence[Link]) -> Check:
    for link in links:
        if link.name == "backup":
            return Check(ok=False, state="overdue", detail=link.detail)
    return Check(ok=True, state="not overdue")


def _leader(stations: Sequence[StationRow]) -> Check:
    for station in stations:
        if station.leads:
            return Check(ok=True, state="known", detail=f"{station.name}, term {station.term}")
    return Check(ok=False, state="unknown", detail="no station is the leader at the moment")


def _machines(own: Sequence[MachineRow]) -> Check:
    if not own:
        return Check(ok=True, state="none", detail="no machine is connected to this station")
    reached = sum(machine.state is not MachineState.OFFLINE for machine in own)
    state = "connected" if reached == len(own) else "degraded" if reached else "offline"
    return Check(state == "connected", state, f"{reached} of {len(own)} are connected")
