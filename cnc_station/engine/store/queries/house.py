"""What a query must know of the shop beside its database, to say what comes next."""

from dataclasses import dataclass, field
from datetime import tzinfo

from cnc_station.engine.domain.retry import RetryPolicy

SIMULATOR = "simulator"


@dataclass(frozen=True, slots=True)
class House:
    """`zone` is that of the clock on the wall, None for this computer's own; `pace` how many
    seconds of a program a simulated machine runs in one on that clock."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    zone: tzinfo | None = None
    pace: float = 1.0

    def pace_of(self, driver: str) -> float:
        """How fast a machine's programs pass."""
        return self.pace if driver == SIMULATOR else 1.0


ALONE = House()
