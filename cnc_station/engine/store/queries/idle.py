"""Why a machine has nothing to do next."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from cnc_station.engine.domain.forecast import Queued
from cnc_station.engine.domain.machine import Capability
from cnc_station.engine.domain.states import BUSY_MACHINES, JobState, MachineState
from cnc_station.engine.domain.waiting import ShopSnapshot
from cnc_station.engine.store.schema import counted, job
from cnc_station.engine.views import MachineRow, Presence

_AWAY = {
    MachineState.MAINTENANCE: "in maintenance",
    MachineState.ALARM: "stopped by an alarm",
    MachineState.OFFLINE: "not connected",
}


class IdleReasons:
    """Words for the machines without a next job; what is delayed is read at most once."""

    def __init__(self, connection: Connection, shop: ShopSnapshot) -> None:
        self._connection = connection
        self._shop = shop
        self._delayed: dict[tuple[str, bool], tuple[int, int]] | None = None

    def why(self, machine: MachineRow) -> str:
        """One line for a machine for which no queued job is next."""
        if away := _away(machine):
            return away
        kind = machine.spec.machine_type
        if queued := self._shop.head.get(kind, ()):
            return _others_only(machine.spec.capability, queued)
        blocked, _ = self._waiting(kind, blocked=True)
        if blocked:
            return f"{'1 job waits' if blocked == 1 else f'{blocked:,} jobs wait'} for another"
        delayed, first = self._waiting(kind, blocked=False)
        if delayed:
            return f"the next may start {self._shop.clock(first)}"
        return f"nothing for a {kind}"

    def _waiting(self, kind: str, *, blocked: bool) -> tuple[int, int]:
        """How many jobs of a type are delayed, and when the first is due."""
        if self._delayed is None:
            query = (
                select(
                    job.c.machine_type,
                    job.c.blocked,
                    func.count().label("jobs"),
                    func.min(func.coalesce(job.c.not_before, 0)).label("first"),
                )
                .where(job.c.state == JobState.DELAYED.value, counted)
                .group_by(job.c.machine_type, job.c.blocked)
            )
            self._delayed = {
                (row.machine_type, row.blocked): (row.jobs, row.first)
                for row in self._connection.execute(query)
            }
        return self._delayed.get((kind, blocked), (0, 0))


def _away(machine: MachineRow) -> str:
    """Why it would take no job at all; "" if it would."""
    if not machine.attended:
        said = "does not respond" if machine.presence is Presence.SILENT else "is closed"
        return f"station {machine.station} {said}"
    if machine.state in _AWAY:
        return machine.state_reason or _AWAY[machine.state]
    if machine.not_ready and machine.state not in BUSY_MACHINES:
        return f"not ready: {machine.not_ready}"
    return "goes into maintenance after this run" if machine.maintenance_due else ""


def _others_only(capability: Capability, queued: Sequence[Queued]) -> str:
    """Why none of the queued jobs of its type is this machine's next."""
    if any(capability.fits(one.need) for one in queued):
        return "other machines are free sooner"
    if len(queued) == 1:
        return "1 job waits, not for this machine"
    return f"{len(queued)} jobs wait, none for this machine"
