"""The fleet as its page shows it: each station with its machines and their jobs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.states import BUSY_MACHINES
from cnc_station.engine.views import JobRow, MachineRow, Presence, StationRow
from cnc_station.ui import formatting

_PRESENT = (Presence.HERE, Presence.CONNECTED)


@dataclass(frozen=True, slots=True)
class MachineAssignment:
    """A machine at its station and the job it is running, if any."""

    machine: MachineRow
    job: JobRow | None

    @property
    def busy(self) -> bool:
        """Whether it has a run. A busy machine cannot move to another station."""
        return self.machine.state in BUSY_MACHINES


@dataclass(frozen=True, slots=True)
class StationMachines:
    """A station and the machines wired to it."""

    station: StationRow
    posts: tuple[MachineAssignment, ...]

    @property
    def at_work(self) -> tuple[MachineAssignment, ...]:
        return tuple(post for post in self.posts if post.busy)

    @property
    def lag(self) -> str:
        """How long its last heartbeat took, while the station is present."""
        present = self.station.presence in _PRESENT
        return f"{self.station.lag_ms:,.0f} ms" if present else formatting.NONE

    def has(self, wanted: Iterable[str]) -> bool:
        """Whether the station or its machines contain all the words."""
        row = self.station
        names = [post.machine.spec.name for post in self.posts]
        text = " ".join((row.name, row.host, row.version, *names)).lower()
        return all(word in text for word in wanted)


def places(
    stations: Sequence[StationRow], machines: Sequence[MachineRow], jobs: Sequence[JobRow]
) -> tuple[StationMachines, ...]:
    """The stations that are present, by name, then those that have left."""
    by_id: Mapping[int, JobRow] = {job.id: job for job in jobs}
    posts: dict[str, list[MachineAssignment]] = {}
    for machine in machines:
        job = None if machine.job_id is None else by_id.get(machine.job_id)
        posts.setdefault(machine.station, []).append(MachineAssignment(machine, job))
    order = sorted(stations, key=lambda row: (row.presence is Presence.LEFT, row.name))
    return tuple(StationMachines(row, tuple(posts.get(row.name, ()))) for row in order)


def others(stations: Iterable[StationRow], than: str) -> tuple[str, ...]:
    """The present stations that could receive a machine of station `than`."""
    return tuple(row.name for row in stations if row.presence in _PRESENT and row.name != than)
