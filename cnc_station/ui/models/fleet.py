"""The fleet as its page shows it: each station with its machines and what runs there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.states import BUSY_MACHINES
from cnc_station.engine.views import JobRow, MachineRow, Presence, StationRow
from cnc_station.ui import formatting

_THERE = (Presence.HERE, Presence.CONNECTED)


@dataclass(frozen=True, slots=True)
class MachineAssignment:
    """A machine at its station, and the job it is at work on."""

    machine: MachineRow
    job: JobRow | None

    @property
    def busy(self) -> bool:
        """Whether it is at work: it stays where it is until its run is over."""
        return self.machine.state in BUSY_MACHINES


@dataclass(frozen=True, slots=True)
class StationMachines:
    """A station and the machines wired to it."""

    station: StationRow
    posts: tuple[MachineAssignment, ...]

    @property
    def at_work(self) -> tuple[MachineAssignment, ...]:
        """The machines that run something there."""
        return tuple(post for post in self.posts if post.busy)

    @property
    def lag(self) -> str:
        """How long its last heartbeat took, while it is there."""
        there = self.station.presence in _THERE
        return f"{self.station.lag_ms:,.0f} ms" if there else formatting.NONE

    def has(self, wanted: Iterable[str]) -> bool:
        """Whether all the words are found at the station or its machines."""
        row = self.station
        names = [post.machine.spec.name for post in self.posts]
        text = " ".join((row.name, row.host, row.version, *names)).lower()
        return all(word in text for word in wanted)


def places(
    stations: Sequence[StationRow], machines: Sequence[MachineRow], jobs: Sequence[JobRow]
) -> tuple[StationMachines, ...]:
    """Those who are there by name, then those who have left."""
    by_id: Mapping[int, JobRow] = {job.id: job for job in jobs}
    posts: dict[str, list[MachineAssignment]] = {}
    for machine in machines:
        job = None if machine.job_id is None else by_id.get(machine.job_id)
        posts.setdefault(machine.station, []).append(MachineAssignment(machine, job))
    order = sorted(stations, key=lambda row: (row.presence is Presence.LEFT, row.name))
    return tuple(StationMachines(row, tuple(posts.get(row.name, ()))) for row in order)


def others(stations: Iterable[StationRow], than: str) -> tuple[str, ...]:
    """The stations that are there and could take a machine of station `than`."""
    return tuple(row.name for row in stations if row.presence in _THERE and row.name != than)
