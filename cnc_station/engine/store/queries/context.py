"""What a query needs to know of the shop besides its database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection

from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.store.claims import ServedJobs
from cnc_station.engine.views import KEPT, Abilities

SIMULATOR = "simulator"
_UNKNOWN = Abilities()

# Replaces the passwords in a driver's settings, for a view.
Shown = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


def all_hidden(_driver: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Hide every setting: without a driver's form, each may be a password."""
    return dict.fromkeys(settings, KEPT)


@dataclass(frozen=True, slots=True)
class QueryContext:
    """`zone` is that of the shop's clock, None for this computer's; `pace` the program seconds per
    real second of a simulated machine; `abilities` those of the drivers, by name; `served` the
    jobs for handlers that this station runs. `station` is the one that asks, `clock` the
    database's, by which signs of life are timed; without it every station counts as present.
    `shown` hides the passwords in a driver's settings."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    zone: tzinfo | None = None
    pace: float = 1.0
    abilities: Mapping[str, Abilities] = field(default_factory=dict)
    served: frozenset[ServedJobs] = frozenset()
    station: str = ""
    clock: Callable[[Connection], int] | None = None
    shown: Shown = all_hidden

    def pace_of(self, driver: str) -> float:
        return self.pace if driver == SIMULATOR else 1.0

    def sets_up(self, driver: str, *, operator_starts: bool) -> bool:
        """Whether a job at such a machine waits until a person has set it up."""
        return operator_starts or not self.can(driver).starts

    def can(self, driver: str) -> Abilities:
        """The abilities of a driver; all of them for an unknown one."""
        return self.abilities.get(driver, _UNKNOWN)


STANDALONE = QueryContext()
