"""Whether a station can do its work, dependency by dependency: what a supervisor asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.views import Link, MachineRow, StationRow


class Status(StrEnum):
    """READY: all is well. DEGRADED: it works, but something it could use is missing. NOT_READY: it
    can take no work."""

    READY = "ready"
    DEGRADED = "degraded"
    NOT_READY = "not ready"


@dataclass(frozen=True, slots=True)
class Check:
    """One dependency: whether it is as it should be, and in words what it is."""

    ok: bool
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """`checks` by dependency. Nothing works without the database, or once another station has taken
    this one's name over; a fleet goes on without Redis, between two leaders, and while machines are
    switched off."""

    checks: dict[str, Check]

    @property
    def status(self) -> Status:
        """The worst that follows from the checks."""
        if not (self.checks["database"].ok and self.checks["name"].ok):
            return Status.NOT_READY
        if all(check.ok for check in self.checks.values()):
            return Status.READY
        return Status.DEGRADED


def database_away(links: Sequence[Link], detail: str) -> Readiness:
    """Nothing else can be known."""
    unknown = Check(ok=False, state="unknown")
    away = Check(ok=False, state="offline", detail=detail)
    return Readiness(
        {
            "database": away,
            "redis": _redis(links),
            "name": _name(links),
            "leader": unknown,
            "machines": unknown,
        }
    )


def readiness(
    links: Sequence[Link],
    stations: Sequence[StationRow],
    machines: Sequence[MachineRow],
    own: str,
) -> Readiness:
    """What the links say, who leads, and whether the machines of the station `own` are reached."""
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


def _leader(stations: Sequence[StationRow]) -> Check:
    for station in stations:
        if station.leads:
            return Check(ok=True, state="known", detail=f"{station.name}, term {station.term}")
    return Check(ok=False, state="unknown", detail="nobody leads at the moment")


def _machines(own: Sequence[MachineRow]) -> Check:
    if not own:
        return Check(ok=True, state="none", detail="no machine is wired to this station")
    reached = sum(machine.state is not MachineState.OFFLINE for machine in own)
    state = "connected" if reached == len(own) else "degraded" if reached else "offline"
    return Check(state == "connected", state, f"{reached} of {len(own)} are connected")
