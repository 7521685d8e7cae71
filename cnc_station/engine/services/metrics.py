"""What a station counts and measures of its own work, for Prometheus.

Fed from the notices of its own commits. It costs the hot path a few additions: the text is made
only for those who ask (`exposition`).
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.distribution import Distribution
from cnc_station.engine.domain.job import MACHINE_PROGRAM
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.states import LIVE_RUNS, UNDECIDED_JOBS
from cnc_station.engine.services.service import Service, When
from cnc_station.engine.store.deliveries import DEAD, DELIVERED
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.webhook_listeners import PENDING

MOST_NAMES = 50
OTHER = "other"
UNKNOWN = "unknown"
LIMITS = ("create", "active", "run")
LAG_EVERY_S = 0.5

_CREATIONS = frozenset({t.CREATED.name, t.DRAFTED.name})
_OUTCOMES: Mapping[str, str] = {
    name: row.run.target.value
    for name, row in t.TRANSITIONS.items()
    if row.run is not None and row.run.target is not None and row.run.target not in LIVE_RUNS
}
_RETRIES = frozenset({t.FAILED_RETRY.name, t.LOST_RETRY.name})
_DEAD_LETTERS = frozenset(
    name
    for name, row in t.TRANSITIONS.items()
    if row.job is not None and row.job.target in UNDECIDED_JOBS
)


_Kind = tuple[str, str]  # of runs: their handler and machine type


class BoundedNames:
    """The values of a label that people name: the first `most` as they are, `OTHER` for all later
    ones."""

    def __init__(self, most: int = MOST_NAMES) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, name: str) -> str:
        if name in self._known:
            return name
        if len(self._known) >= self._most:
            return OTHER
        self._known.add(name)
        return name


def _zeros(*names: str) -> Counter[str]:
    """Prometheus sees no increase in a series that begins with one."""
    return Counter(dict.fromkeys(names, 0))


def _pickup() -> Distribution:
    return Distribution.of(0.005, 0.025, 0.1, 0.5, 1, 5, 30, 60, 300, 900, 3_600, 14_400, 86_400)


def _run() -> Distribution:
    return Distribution.of(0.1, 1, 5, 30, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400)


def _lag() -> Distribution:
    return Distribution.of(0.001, 0.004, 0.016, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)


@dataclass(slots=True)
class StationFigures:
    """Since the start of the station. The keys are the values of the labels: tenant and handler;
    outcome, handler and machine type; handler; outcome; limit."""

    submitted: Counter[tuple[str, str]] = field(default_factory=Counter)
    runs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    dead_lettered: int = 0
    deliveries: Counter[str] = field(default_factory=lambda: _zeros(DELIVERED, PENDING, DEAD))
    limit_hits: Counter[str] = field(default_factory=lambda: _zeros(*LIMITS))
    pickup_s: Distribution = field(default_factory=_pickup)
    run_s: Distribution = field(default_factory=_run)
    lag_s: Distribution = field(default_factory=_lag)

    def copy(self) -> "StationFigures":
        """As they are now, for another thread."""
        return StationFigures(
            self.submitted.copy(),
            self.runs.copy(),
            self.retries.copy(),
            self.dead_lettered,
            self.deliveries.copy(),
            self.limit_hits.copy(),
            self.pickup_s.copy(),
            self.run_s.copy(),
            self.lag_s.copy(),
        )


@dataclass(slots=True)
class _ActiveRun:
    """A run that this station drives. `started` is None until its start is known here."""

    kind: _Kind
    waited_s: float
    taken: float
    started: float | None


class StationMetrics:
    """Counts on the engine's loop."""

    def __init__(self) -> None:
        self.figures = StationFigures()
        self._tenants, self._handlers, self._types = BoundedNames(), BoundedNames(), BoundedNames()
        self._kinds: set[_Kind] = set()
        self._active: dict[int, _ActiveRun] = {}

    def taken(self, claimed: Claimed, *, reattached: bool = False) -> None:
        """A run is driven here from now on."""
        now = time.monotonic()
        begun = claimed.begun and not reattached
        kind = (
            self._handlers(claimed.handler or MACHINE_PROGRAM),
            self._types(claimed.machine_type),
        )
        self._active[claimed.run_id] = _ActiveRun(
            kind, claimed.waited_s, now, now if begun else None
        )
        if kind not in self._kinds:
            self._begin_counting(kind)
        if begun:
            self.figures.pickup_s.add(claimed.waited_s)

    def _begin_counting(self, kind: _Kind) -> None:
        """Export a zero for each outcome, as `_zeros`."""
        self._kinds.add(kind)
        for outcome in frozenset(_OUTCOMES.values()):
            self.figures.runs[(outcome, *kind)] += 0
        self.figures.retries[kind[0]] += 0

    def dropped(self, run_id: int) -> None:
        """A run is not driven here any more."""
        self._active.pop(run_id, None)

    def committed(self, notice: Notice) -> None:
        """Count what a commit of this station did."""
        of = notice.columns
        for kind, run_id, machine_id, tenant, handler in zip(
            of.type, of.run_id, of.machine_id, of.tenant, of.handler, strict=True
        ):
            if kind in _CREATIONS:
                self.figures.submitted[
                    self._tenants(tenant or ""), self._handlers(handler or "")
                ] += 1
            elif run_id is None:
                self.figures.dead_lettered += kind in _DEAD_LETTERS
            elif kind == t.STARTED.name:
                self._started(run_id)
            elif kind in _OUTCOMES:
                self._ended(kind, run_id, machine_id)

    def _started(self, run_id: int) -> None:
        run = self._active.get(run_id)
        if run is not None:  # otherwise it began with its claim
            run.started = time.monotonic()
            self.figures.pickup_s.add(run.waited_s + run.started - run.taken)

    def _ended(self, kind: str, run_id: int, machine_id: int | None) -> None:
        figures, run = self.figures, self._active.get(run_id)
        if run is None:  # of a station that is gone, or of an earlier life of this one
            handler = UNKNOWN if machine_id is None else MACHINE_PROGRAM
            machine_type = "" if machine_id is None else UNKNOWN
        else:
            handler, machine_type = run.kind
            if run.started is not None:
                figures.run_s.add(time.monotonic() - run.started)
        figures.runs[_OUTCOMES[kind], handler, machine_type] += 1
        figures.dead_lettered += kind in _DEAD_LETTERS
        if kind in _RETRIES:
            figures.retries[handler] += 1

    def delivery_tried(self, outcome: str) -> None:
        """An endpoint was tried: `delivered`, `pending` (it is tried again later) or `dead`."""
        self.figures.deliveries[outcome] += 1

    def limit_hit(self, limit: str) -> None:
        """A request was refused by one of `LIMITS`."""
        self.figures.limit_hits[limit] += 1


class LoopLag(Service):
    """Measures how late the loop wakes up."""

    when = When.ALWAYS

    def __init__(self, metrics: StationMetrics) -> None:
        super().__init__()
        self._metrics = metrics
        self._due: float | None = None

    async def run_once(self) -> float:
        """Record the lag of the last rest."""
        now = time.monotonic()
        if self._due is not None:
            self._metrics.figures.lag_s.add(now - self._due)
        self._due = now + LAG_EVERY_S
        return LAG_EVERY_S
