"""What a query must know of the shop beside its database, to say what comes next."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection

from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.views import KEPT, Abilities

SIMULATOR = "simulator"
_UNKNOWN = Abilities()

# The settings of a driver as a view may carry them: passwords replaced.
Shown = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


def all_hidden(_driver: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where nobody says which settings are passwords, every one may be."""
    return dict.fromkeys(settings, KEPT)


@dataclass(frozen=True, slots=True)
class QueryContext:
    """`zone` is that of the clock on the wall, None for this computer's own; `pace` how many
    seconds of a program a simulated machine runs in one on that clock; `abilities` are those
    of the drivers, by name, `handlers` the names of the handlers that are installed here. `station`
    is the one that asks, `clock` the database's, by which stations are heard; without it every
    station counts as there. `shown` hides the passwords among the settings of a driver."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    zone: tzinfo | None = None
    pace: float = 1.0
    abilities: Mapping[str, Abilities] = field(default_factory=dict)
    handlers: Set[str] = frozenset()
    station: str = ""
    clock: Callable[[Connection], int] | None = None
    shown: Shown = all_hidden

    def pace_of(self, driver: str) -> float:
        """How fast a machine's programs pass."""
        return self.pace if driver == SIMULATOR else 1.0

    def sets_up(self, driver: str, *, operator_starts: bool) -> bool:
        """Whether a job waits at such a machine until a person has set it up."""
        return operator_starts or self.watches(driver)

    def can(self, driver: str) -> Abilities:
        """What can be asked of a machine; everything, where nobody knows its driver."""
        return self.abilities.get(driver, _UNKNOWN)

    def watches(self, driver: str) -> bool:
        """Whether such a machine is started and stopped at its own panel only."""
        return not self.can(driver).starts


STANDALONE = QueryContext()
