"""The stations of the fleet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from cnc_station.engine.domain.states import BUSY_MACHINES
from cnc_station.engine.store.schema import leader, machine, station
from cnc_station.engine.views import Presence, StationRow, presence_of

_AS_STORED = ("name", "host", "version", "started_at", "lag_ms")


@dataclass(frozen=True, slots=True)
class Attendance:
    """Whether a station is present. `since` (ms, this computer's clock): its last sign of life, or
    its leaving."""

    presence: Presence
    since: int


def attendance(
    connection: Connection, own: str, clock: Callable[[Connection], int], now: int
) -> Mapping[str, Attendance]:
    """Every station by name; `now` is the time on this computer's clock."""
    ahead = clock(connection) - now
    rows = connection.execute(select(station.c.name, station.c.heard_at, station.c.left_at))
    found = {}
    for row in rows:
        last = (row.heard_at if row.left_at is None else row.left_at) - ahead
        heard_s = None if row.left_at is not None else (now - last) / 1000
        found[row.name] = Attendance(presence_of(heard_s, here=row.name == own), last)
    return found


def stations(
    connection: Connection, own: str, clock: Callable[[Connection], int]
) -> tuple[StationRow, ...]:
    """Every station that ever joined, by name, with its machines and runs; `clock` is the
    database's, by which signs of life are timed."""
    now = clock(connection)
    first = connection.execute(select(leader)).one()
    has = dict(_count(connection, busy=False))
    runs = dict(_count(connection, busy=True))
    rows = connection.execute(select(station).order_by(station.c.name))
    return tuple(
        StationRow(
            **{name: getattr(row, name) for name in _AS_STORED},
            heard_s=None if row.left_at is not None else max(0.0, (now - row.heard_at) / 1000),
            leads=row.incarnation == first.incarnation and first.expires_at > now,
            term=first.term,
            machines=has.get(row.name, 0),
            running=runs.get(row.name, 0),
            here=row.name == own,
        )
        for row in rows
    )


def _count(connection: Connection, *, busy: bool) -> list[tuple[str, int]]:
    query = select(machine.c.station, func.count()).where(~machine.c.removed)
    if busy:
        query = query.where(machine.c.state.in_(sorted(BUSY_MACHINES)))
    found = connection.execute(query.group_by(machine.c.station))
    return [(name, count) for name, count in found]
