"""Queries about accounts, and about who is signed on."""

from dataclasses import dataclass

from cnc_station.engine.queries.base import Query
from cnc_station.engine.views.accounts import AccountRow, Here, LimitsState, Person


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
    """How far who asks has used the limits that count for jobs of these tenants."""

    tenants: tuple[str, ...] = ()
