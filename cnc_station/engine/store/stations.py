"""Stations: presence, leases and leadership."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Fenced, NameInUse
from cnc_station.engine.store.schema import leader, live_run, run, station
from cnc_station.engine.store.transaction import OneByOne, Tx


@dataclass(frozen=True, slots=True)
class Join(OneByOne[None]):
    """Register this station under its name, with a new incarnation each start.

    Raises NameInUse while another station of that name is alive. A sign of life from the future
    counts as old: the clock was set back since.
    """

    incarnation: str
    host: str
    version: str
    silence_s: float

    def write(self, tx: Tx) -> None:
        known = tx.connection.execute(
            select(station).where(station.c.name == tx.station).with_for_update()
        ).one_or_none()
        silence = round(self.silence_s * 1000)
        if known is not None and known.left_at is None and abs(tx.now - known.heard_at) < silence:
            raise NameInUse(
                f"A station named {tx.station} is at work already (on {known.host}). Give this one "
                "another name.",
                known.heard_at,
            )
        values = {
            "incarnation": self.incarnation,
            "host": self.host,
            "version": self.version,
            "started_at": tx.now,
            "heard_at": tx.now,
            "lag_ms": 0.0,
            "left_at": None,
        }
        if known is None:
            tx.connection.execute(insert(station).values(name=tx.station, **values))
        else:
            tx.connection.execute(
                update(station).where(station.c.name == tx.station).values(**values)
            )
        tx.connection.execute(
            update(leader).where(leader.c.holder == tx.station).values(expires_at=tx.now)
        )
        tx.dialect.forget_foreign_commits(tx.connection)
        tx.record(t.STATION_JOINED, actor="station", reason=f"version {self.version}")


@dataclass(frozen=True, slots=True)
class Heartbeat(OneByOne[None]):
    """Renew the station's row and the leases of its live runs, in one transaction.

    Raises Fenced if another incarnation has taken over the name.
    """

    incarnation: str
    lease_s: float
    lag_ms: float
    runs: tuple[int, ...]

    def write(self, tx: Tx) -> None:
        heard = tx.connection.execute(
            update(station)
            .where(station.c.name == tx.station, station.c.incarnation == self.incarnation)
            .values(heard_at=tx.now, lag_ms=self.lag_ms)
            .returning(station.c.name)
        ).all()
        if not heard:
            raise Fenced(f"Another station is called {tx.station} now.")
        for start in range(0, len(self.runs), 500):
            tx.connection.execute(
                update(run)
                .where(run.c.id.in_(self.runs[start : start + 500]))
                .where(run.c.station == tx.station, live_run)
                .values(lease_until=tx.now + round(self.lease_s * 1000))
            )


@dataclass(frozen=True, slots=True)
class Leave(OneByOne[None]):
    """Leave in order: the name and the leadership are free at once, if they are still this
    incarnation's."""

    incarnation: str

    def write(self, tx: Tx) -> None:
        left = tx.connection.execute(
            update(station)
            .where(station.c.name == tx.station)
            .where(station.c.incarnation == self.incarnation)
            .values(left_at=tx.now)
            .returning(station.c.name)
        ).all()
        if not left:
            return
        tx.connection.execute(
            update(leader).where(leader.c.incarnation == self.incarnation).values(expires_at=tx.now)
        )
        tx.record(t.STATION_LEFT, actor="station")


@dataclass(frozen=True, slots=True)
class Lead(OneByOne[int]):
    """Take or keep the leadership. Returns the term.

    It is taken only after it has expired, with the next term. Raises Conflict while another station
    holds it. Locks of a connection or of Redis would not do: they have no token.
    """

    incarnation: str
    lease_s: float

    @property
    def touches(self) -> Sequence[Hashable]:
        return ("leader",)

    def write(self, tx: Tx) -> int:
        until = tx.now + round(self.lease_s * 1000)
        row = tx.connection.execute(select(leader).with_for_update()).one()
        if row.incarnation == self.incarnation and row.expires_at > tx.now:
            tx.connection.execute(update(leader).values(expires_at=until))
            return int(row.term)
        if row.expires_at > tx.now:
            raise Conflict(f"{row.holder} leads.")
        tx.connection.execute(
            update(leader).values(
                holder=tx.station, incarnation=self.incarnation, term=row.term + 1, expires_at=until
            )
        )
        term: int = row.term + 1
        tx.record(t.LEADER_CHANGED, actor="leader", reason=f"{tx.station}, term {term}")
        return term


def leads(tx: Tx, incarnation: str, term: int) -> bool:
    """Whether this incarnation leads, and keeps the lead until the transaction ends: the row is
    locked."""
    found = tx.connection.execute(
        select(leader.c.id)
        .where(leader.c.incarnation == incarnation, leader.c.term == term)
        .where(leader.c.expires_at > tx.now)
        .with_for_update(read=True)
    ).one_or_none()
    return found is not None
