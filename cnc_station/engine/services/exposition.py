"""The text that Prometheus reads. Loaded at the first scrape: most stations have none.

No label is a job, a user or an address, and every label that people name is bounded.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from cnc_station.engine.domain.distribution import Distribution
from cnc_station.engine.domain.webhooks import JobStatus
from cnc_station.engine.services.metrics import BoundedNames, StationFigures
from cnc_station.engine.store.queries.fleet_figures import FleetFigures
from cnc_station.engine.views.metrics import Exposition

MOST_MACHINES = 2_000
_OPEN = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.FAILED)
_Values = Iterable[tuple[Sequence[str], float]]  # the values of the labels, and that of the series


@dataclass(frozen=True, slots=True, eq=False)
class Scrape(Collector):
    """What is true at one moment. `links` by name, with whether they answer; `fleet` is None unless
    this station leads and the database answers."""

    station: str
    version: str
    leads: bool
    links: Mapping[str, bool]
    own: StationFigures
    fleet: FleetFigures | None
    requests: Mapping[tuple[str, str, str], Distribution]

    def text(self, *, open_metrics: bool) -> Exposition:
        """Return it in Prometheus' text format, or in OpenMetrics."""
        registry = CollectorRegistry()
        registry.register(self)
        ProcessCollector(registry=registry)
        if open_metrics:
            content: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
            return Exposition(content, openmetrics.CONTENT_TYPE_LATEST)
        return Exposition(generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4)

    def collect(self) -> Iterable[Metric]:
        """The series of this station, then those of the fleet."""
        names = [((self.version, self.station), 1.0)]
        yield _gauge("build_info", "Version and name of the station", names, "version", "station")
        yield _gauge("leader", "Whether this station leads the fleet", [((), self.leads)])
        links = [((name,), up) for name, up in self.links.items()]
        yield _gauge("link_up", "Whether a dependency answers", links, "name")
        yield from self._counters()
        own = self.own
        about = "From when a job can be claimed to the start of its run"
        yield _histogram("pickup_seconds", about, [((), own.pickup_s)])
        yield _histogram("run_seconds", "From the start of a run to its end", [((), own.run_s)])
        lag = [((), own.lag_s)]
        yield _histogram("loop_lag_seconds", "How late the engine's loop wakes up", lag)
        about = "From the header of a request to the end of its answer"
        took = self.requests.items()
        yield _histogram("http_request_seconds", about, took, "route", "method", "status")
        if self.fleet is not None:
            yield from _of_fleet(self.fleet)

    def _counters(self) -> Iterable[Metric]:
        own = self.own
        submitted = own.submitted.items()
        yield _counter("jobs_submitted", "Jobs created here", submitted, "tenant", "handler")
        about = "Runs whose end this station wrote"
        yield _counter("runs", about, own.runs.items(), "outcome", "handler", "machine_type")
        yield _counter("retries", "Failed runs that are retried", _keyed(own.retries), "handler")
        dead = [((), own.dead_lettered)]
        yield _counter("dead_lettered", "Jobs that began to need attention", dead)
        about = "Attempts to deliver to an endpoint"
        yield _counter("webhook_deliveries", about, _keyed(own.deliveries), "outcome")
        yield _counter("limit_hits", "Requests refused by a limit", _keyed(own.limit_hits), "limit")


def _of_fleet(fleet: FleetFigures) -> Iterable[Metric]:
    types = BoundedNames()
    jobs = [*_bounded(fleet.jobs, types), *_none_yet(fleet.jobs)]
    yield _gauge("jobs", "Open jobs", jobs, "status", "machine_type")
    waiting = _bounded(fleet.waiting, types)
    yield _gauge("waiting_jobs", "Waiting jobs by reason", waiting, "reason", "machine_type")
    yield _gauge("late_jobs", "Open jobs past their due date", [((), fleet.late_jobs)])
    machines = [(one, 1.0) for one in fleet.machines[:MOST_MACHINES]]
    yield _gauge("machine_state", "1 for each machine's state", machines, "machine", "state")
    yield _gauge("webhook_backlog", "Deliveries to be tried", [((), fleet.backlog)])
    yield _gauge("dead_deliveries", "Deliveries that were given up", [((), fleet.dead_deliveries)])
    about = "For how long the schedule that is due first has been due"
    yield _gauge("schedule_lateness_seconds", about, [((), fleet.schedule_late_s)])


def _none_yet(jobs: Mapping[tuple[str, str], int]) -> _Values:
    """A zero for each status without jobs: a rule can't compare with a series that is missing."""
    known = {status for status, _ in jobs}
    return [((str(status), ""), 0.0) for status in _OPEN if status not in known]


def _bounded(counts: Mapping[tuple[str, str], int], types: BoundedNames) -> _Values:
    found: Counter[tuple[str, str]] = Counter()
    for (first, machine_type), count in counts.items():
        found[first, types(machine_type)] += count
    return found.items()


def _keyed(counts: Mapping[str, int]) -> _Values:
    return [((name,), count) for name, count in counts.items()]


def _gauge(name: str, about: str, values: _Values, *labels: str) -> Metric:
    family = GaugeMetricFamily(f"cnc_{name}", about, labels=labels)
    for of, value in values:
        family.add_metric(of, float(value))
    return family


def _counter(name: str, about: str, values: _Values, *labels: str) -> Metric:
    family = CounterMetricFamily(f"cnc_{name}", about, labels=labels)
    for of, value in values:
        family.add_metric(of, float(value))
    return family


def _histogram(
    name: str, about: str, values: Iterable[tuple[Sequence[str], Distribution]], *labels: str
) -> Metric:
    family = HistogramMetricFamily(f"cnc_{name}", about, labels=labels)
    for of, found in values:
        family.add_metric(of, found.buckets(), found.total)
    return family
