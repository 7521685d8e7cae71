"""Queries about accounts, and about who is signed on."""

from dataclasses import dataclass, field

from cnc_station.engine.queries.base import Query
from cnc_station.engine.views.accounts import AccountRow, Here, LimitsState, Person
from cnc_station.engine.views.audit import AuditEntry, AuditFilter


@dataclass(frozen=True, slots=True)
class WhoIsHere(Query[Here]):
    """Who asks, and what they may do."""


@dataclass(frozen=True, slots=True)
class WhoMaySignOn(Query[tuple[Person, ...]]):
    """Those who may sign on at this station's window, by name."""


@dataclass(frozen=True, slots=True)
class ListAccounts(Query[tuple[AccountRow, ...]]):
    """Every account, by name."""


@dataclass(frozen=True, slots=True)
class AccountById(Query[AccountRow | None]):
    """One account, None if there is none."""

    account_id: int


@dataclass(frozen=True, slots=True)
class LimitsNow(Query[LimitsState]):
    """How much of its limits the principal's account has used. `tenants`: whose jobs it is about;
    empty: those of the principal."""

    tenants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditTrail(Query[tuple[AuditEntry, ...]]):
    """What people and programs did, newest first: the `limit` entries before the event `before`
    (None: the newest ones). Nothing that services did by themselves."""

    chosen: AuditFilter = field(default_factory=AuditFilter)
    before: int | None = None
    limit: int = 200
