"""What a query must know of the shop beside its database, to say what comes next."""

from dataclasses import dataclass, field
from datetime import tzinfo

from cnc_station.engine.domain.retry import RetryPolicy

SIMULATOR = "simulator"


@dataclass(frozen=True, slots=True)
class House:
    """`zone` is that of the clock on the wall, None for this computer's own; `pace` how many
    seconds of a program a simulated machine runs in one on that clock; `watching` names the
    drivers that only report: their machines are started and stopped at the panel."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    zone: tzinfo | None = None
    pace: float = 1.0
    watching: frozenset[str] = frozenset()

    def pace_of(self, driver: str) -> float:
        """How fast a machine's programs pass."""
        return self.pace if driver == SIMULATOR else 1.0

    def sets_up(self, driver: str, *, operator_starts: bool) -> bool:
        """Whether a job waits at such a machine until a person has set it up."""
        return operator_starts or driver in self.watching


ALONE = House()
