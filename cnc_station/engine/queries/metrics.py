"""Queries about figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cnc_station.engine.domain.distribution import Distribution
from cnc_station.engine.queries.base import Query
from cnc_station.engine.views.metrics import ExecutionGroup, ExecutionStats, Exposition, JobMetrics


@dataclass(frozen=True, slots=True)
class MetricsNow(Query[JobMetrics]):
    """The jobs by status, and the outcomes of the runs that ended from `since` until `until` (the
    24 hours until now). Raises InvalidInput for more than 31 days."""

    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class ExecutionsBy(Query[ExecutionStats]):
    """How the runs ended and how long they took, by `group`. See `MetricsNow`."""

    group: ExecutionGroup = ExecutionGroup.HANDLER
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class ScrapeMetrics(Query[Exposition]):
    """All metrics of this station as text, those of the fleet if it leads; for principals who may
    see all tenants. `requests` is what the server that asks has measured itself: the seconds its
    requests took, by route, method and status."""

    open_metrics: bool = False
    requests: Mapping[tuple[str, str, str], Distribution] = field(default_factory=dict)
