"""Which benchmarks there are, how many figures each must give, and how long it may take."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.benchmarks.figures import Effort, Figure

BUNDLE = Path(__file__).parents[2] / "dist/cnc-station/cnc-station"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`where` is a module of this package and a function of it, imported where it runs. `limit_s`
    is what it may take at full size with three repeats: some five times what it takes. `needs` is a
    file that not everybody has built."""

    where: str
    figures: int
    limit_s: float = 300.0
    needs: Path | None = None

    @property
    def lacks(self) -> str:
        """Why it is left out here, or ""."""
        if self.needs is None or self.needs.exists():
            return ""
        return f"{self.needs.name} is not built: ./dev installer"

    def run(self, effort: Effort) -> list[Figure]:
        """In this process."""
        module, _, name = self.where.partition(".")
        function: Callable[[Effort], list[Figure]] = getattr(
            import_module(f"tests.benchmarks.{module}"), name
        )
        return function(effort)


BENCHMARKS = {
    "throughput": Benchmark("throughput.throughput", 2),
    "pickup": Benchmark("pickup.pickup", 2),
    "claims": Benchmark("claims.claims", 4),
    "lag": Benchmark("lag.lag", 3, 600.0),
    "standstill": Benchmark("standstill.standstill", 3),
    "messages": Benchmark("messages.message_costs", 3),
    "lists": Benchmark("lists.lists", 7),
    "api-lists": Benchmark("api_list.lists", 1),
    "start": Benchmark("start.start", 3),
    "bundle": Benchmark("bundle.bundle", 2, 900.0, needs=BUNDLE),
    "streaming": Benchmark("streaming.streaming", 2),
    "webhooks": Benchmark("webhooks.webhooks", 3, 900.0),
    "websocket": Benchmark("websocket.websocket", 2, 600.0),
    "bulk": Benchmark("bulk.bulk", 3, 600.0),
    "importing": Benchmark("importing.importing", 2),
    "polling": Benchmark("polling.polling", 2),
    "schedules": Benchmark("schedules.schedule_lateness", 3),
    "years": Benchmark("years.years", 12, 3600.0),
    "api": Benchmark("api.api", 8, 600.0),
    "fleet-peers": Benchmark("fleet_rates.peers", 2, 600.0),
    "fleet-stations": Benchmark("fleet_rates.stations", 9, 900.0),
    "fleet-pick-up": Benchmark("fleet_latency.pick_up", 3, 900.0),
    "fleet-notices": Benchmark("fleet_latency.notices", 1),
    "fleet-claims": Benchmark("claims.fleet_claims", 4, 600.0),
    "fleet-webhooks": Benchmark("webhooks.fleet_webhooks", 1, 900.0),
    "fleet-years": Benchmark("years.fleet_years", 12, 7200.0),
    "fleet-rounds": Benchmark("fleet_rounds.rounds", 10, 600.0),
}
