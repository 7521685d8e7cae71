"""What a fleet on PostgreSQL and Redis takes and gives."""

from collections.abc import Callable

from tests.benchmarks.figures import Effort, Figure
from tests.benchmarks.fleet_claims import claims, rounds
from tests.benchmarks.fleet_latency import notices, pick_up
from tests.benchmarks.fleet_rates import peers, stations

FLEET: dict[str, Callable[[Effort], list[Figure]]] = {
    "fleet-peers": peers,
    "fleet-stations": stations,
    "fleet-pick-up": pick_up,
    "fleet-notices": notices,
    "fleet-claims": claims,
    "fleet-rounds": rounds,
}
