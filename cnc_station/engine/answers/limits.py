"""Which limits count for whom, and their answers."""

from collections.abc import Iterable
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from cnc_station.engine import queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain.errors import LimitReached
from cnc_station.engine.domain.limits import CREATE, RUN, Limits, Rate
from cnc_station.engine.domain.principal import Actor, Principal
from cnc_station.engine.store.limits import CountAttempts, active_jobs, attempts
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.views.accounts import LimitsState, RateState

T = TypeVar("T")
_OF_PEOPLE_HERE = frozenset({"window", "command line"})


def account_of(actor: str) -> int | None:
    """The account that acts; None for a service, and without accounts."""
    return actor.account if isinstance(actor, Actor) else None


def limits_of(context: AnswerContext, actor: str, tenants: Iterable[str] = ()) -> Limits | None:
    """Return what counts for an actor and the jobs of these tenants; None: nothing. A tenant's own
    limits count where all the jobs are its own."""
    rules = context.config.limit_rules
    if not isinstance(actor, Actor) or actor.account is None:
        return None
    if actor.origin in _OF_PEOPLE_HERE and not rules.local:
        return None
    of_one = set(tenants)
    own = context.accounts.now.tenant_limits.get(min(of_one), {}) if len(of_one) == 1 else {}
    limits = rules.of(actor.role, own)
    return None if limits == Limits(None, None, None) else limits


async def counted(context: AnswerContext, command: StoreCommand[T]) -> T:
    """Write what a limit may refuse, and count its hits."""
    try:
        return await context.writer.write(command)
    except LimitReached as reached:
        context.metrics.limit_hit(reached.limit)
        raise


async def count_runs(context: AnswerContext, actor: str, count: int) -> None:
    """Count jobs that are put first in the queue. Raises LimitReached."""
    limits, account = limits_of(context, actor), account_of(actor)
    if limits is not None and limits.run is not None and account is not None and count:
        await counted(context, CountAttempts(account, RUN, limits.run, count))


async def limits_now(
    context: AnswerContext, principal: Principal, query: queries.LimitsNow
) -> LimitsState:
    """See `LimitsNow`."""
    actor = principal.actor
    tenants = query.tenants or tuple(principal.tenants or ())
    limits, account = limits_of(context, actor, tenants), account_of(actor)
    if limits is None or account is None:
        return LimitsState()
    return await context.reader.read_now(partial(_state, limits=limits, account=account))


def _state(connection: Connection, now: int, *, limits: Limits, account: int) -> LimitsState:
    return LimitsState(
        create=_rate_state(connection, now, account, CREATE, limits.create),
        run=_rate_state(connection, now, account, RUN, limits.run),
        most_active=limits.active,
        active=active_jobs(connection, account),
    )


def _rate_state(
    connection: Connection, now: int, account: int, name: str, rate: Rate | None
) -> RateState | None:
    if rate is None:
        return None
    made, first = attempts(connection, account, name, now - rate.window_s * 1000)
    reset_s = 0.0 if first is None else (first - now) / 1000 + rate.window_s
    return RateState(name, rate.count, rate.window_s, max(rate.count - made, 0), reset_s)
