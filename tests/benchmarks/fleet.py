"""What a fleet on PostgreSQL and Redis takes and gives."""

from collections.abc import Callable

from tests.benchmarks.figures import Effort, Figure
from tests.benchmarks.fleet_rates import peers, stations

FLEET: dict[str, Callable[[Effort], list[Figure]]] = {
    "fleet-peers": peers,
    "fleet-stations": stations,
}
