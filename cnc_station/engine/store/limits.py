"""Limits, decided in the transaction that creates: exactly, however many stations ask at once."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from cnc_station.engine.domain import limits as rules
from cnc_station.engine.domain.limits import Limits, Rate, active_reached, rate_reached
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.account_tables import account, counted_attempt
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.schema import job, standing_in
from cnc_station.engine.store.transaction import OneByOne, Tx

ACTIVE_STATES = frozenset(
    {
        JobState.DRAFT,
        JobState.QUEUED,
        JobState.DELAYED,
        JobState.PAUSED,
        JobState.ASSIGNED,
        JobState.RUNNING,
        JobState.HELD,
    }
)


@dataclass(frozen=True, slots=True)
class CreateWithinLimits(OneByOne[tuple[int, ...]]):
    """Create jobs of an account unless one of its limits is reached: all or none. An attempt counts
    whatever becomes of it. Raises LimitReached, and what `CreateJobs` raises."""

    command: CreateJobs
    account_id: int
    limits: Limits

    @property
    def touches(self) -> Sequence[Hashable] | None:
        return self.command.touches

    def write(self, tx: Tx) -> tuple[int, ...]:
        count = len(self.command.specs)
        _lock(tx, self.account_id)
        if self.limits.create is not None:
            _count_attempts(tx, self.account_id, rules.CREATE, self.limits.create, count)
        if self.limits.active is not None:
            active = active_jobs(tx.connection, self.account_id)
            if active + count > self.limits.active:
                raise active_reached(self.limits.active, active)
        (created,) = CreateJobs.apply(tx, [self.command])
        if isinstance(created, Exception):
            raise created
        return created


@dataclass(frozen=True, slots=True)
class CountAttempts(OneByOne[None]):
    """Count attempts of an account against a rate. Raises LimitReached, and counts none then."""

    account_id: int
    limited: str
    rate: Rate
    count: int

    def write(self, tx: Tx) -> None:
        _lock(tx, self.account_id)
        _count_attempts(tx, self.account_id, self.limited, self.rate, self.count)


def active_jobs(connection: Connection, account_id: int) -> int:
    """The number of an account's jobs that are pending or running."""
    query = (
        select(func.count())
        .select_from(job)
        .where(job.c.account_id == account_id, job.c.finished_at.is_(None))
        .where(standing_in(job, ACTIVE_STATES))
    )
    return int(connection.execute(query).scalar_one())


def attempts(
    connection: Connection, account_id: int, limited: str, since: int
) -> tuple[int, int | None]:
    """The number of attempts after `since` (ms), and when the first of them was."""
    own = (counted_attempt.c.account_id == account_id) & (counted_attempt.c.limited == limited)
    query = select(func.count(), func.min(counted_attempt.c.at)).where(
        own, counted_attempt.c.at > since
    )
    count, first = connection.execute(query).one()
    return int(count), first


def _lock(tx: Tx, account_id: int) -> None:
    """Those who create for one account wait for each other."""
    tx.flush()
    query = select(account.c.id).where(account.c.id == account_id).with_for_update()
    tx.connection.execute(query)


def _count_attempts(tx: Tx, account_id: int, limited: str, rate: Rate, count: int) -> None:
    since = tx.now - rate.window_s * 1000
    own = (counted_attempt.c.account_id == account_id) & (counted_attempt.c.limited == limited)
    tx.connection.execute(delete(counted_attempt).where(own, counted_attempt.c.at <= since))
    made, _ = attempts(tx.connection, account_id, limited, since)
    if made + count > rate.count:
        raise rate_reached(limited, rate, _wait_s(tx, own, rate, made + count))
    row = {"account_id": account_id, "limited": limited, "at": tx.now}
    tx.connection.execute(insert(counted_attempt), [row] * count)


def _wait_s(tx: Tx, own: ColumnElement[bool], rate: Rate, wanted: int) -> float:
    """Return in how many seconds so many attempts have left the window that the wanted ones fit;
    that of an empty window for more than ever fit."""
    too_many = min(wanted - rate.count, rate.count)
    query = (
        select(counted_attempt.c.at)
        .where(own)
        .order_by(counted_attempt.c.at)
        .offset(max(too_many - 1, 0))
        .limit(1)
    )
    leaving: int | None = tx.connection.execute(query).scalar()
    return rate.window_s if leaving is None else (leaving - tx.now) / 1000 + rate.window_s
