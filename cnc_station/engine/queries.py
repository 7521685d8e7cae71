"""Everything that only looks, as frozen values: `await door.ask(JobById(7))`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from cnc_station.engine.domain.distribution import Distribution
from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.event_cursor import EventCursor
from cnc_station.engine.domain.schedule import Schedule
from cnc_station.engine.views import (
    About,
    Charts,
    DriverInfo,
    DueRow,
    ExportPart,
    Floor,
    FoundController,
    ImportPreview,
    JobCounts,
    JobDetail,
    JobFilter,
    JobPage,
    JobRow,
    JobsPart,
    Link,
    MachineRow,
    Message,
    ProgramDetail,
    ProgramRow,
    RunDetail,
    RunFilter,
    RunInHand,
    RunRow,
    SchedulePreview,
    ScheduleRow,
    ScheduleRun,
    Sort,
    StationRow,
    Status,
    Telemetry,
    Toolpath,
)
from cnc_station.engine.views.alerts import (
    AlertPage,
    AlertRow,
    AlertRuleRow,
    AlertsToPresent,
    SentAlert,
)
from cnc_station.engine.views.backups import Backups
from cnc_station.engine.views.event_feed import EventFeed
from cnc_station.engine.views.metrics import (
    ExecutionGroup,
    ExecutionStats,
    Exposition,
    JobMetrics,
)
from cnc_station.engine.views.webhooks import (
    DeliveryCounts,
    DeliveryDetail,
    DeliveryFilter,
    DeliveryPage,
    WebhookRow,
)

T_co = TypeVar("T_co", covariant=True)


class Query(Generic[T_co]):
    """A question that changes nothing, as a frozen value; `T_co` is what the door answers."""

    __slots__ = ()


class LiveQuery(Query[T_co]):
    """A question that the station answers from memory, at once."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ListJobs(Query[JobPage]):
    """A page of the jobs that `chosen` selects. `with_next`: with the next step of each in words,
    which costs more than all the rest."""

    chosen: JobFilter
    order: Sequence[Sort]
    offset: int
    limit: int
    with_next: bool = False


@dataclass(frozen=True, slots=True)
class JobsById(Query[tuple[JobRow, ...]]):
    """The rows of these jobs; those that do not exist are left out. `with_next` as in
    `ListJobs`."""

    ids: Sequence[int]
    with_next: bool = False


@dataclass(frozen=True, slots=True)
class CountJobs(Query[JobCounts]):
    """Counts per state of the jobs that `chosen` selects, its own `states` and `late` left out, so
    that every filter chip can carry its number; `narrowed`: not left out."""

    chosen: JobFilter
    narrowed: bool = False


@dataclass(frozen=True, slots=True)
class JobById(Query[JobDetail | None]):
    """Everything about one job but its events."""

    job_id: int


@dataclass(frozen=True, slots=True)
class ExportJobs(Query[bytes]):
    """The jobs that `chosen` selects as `csv` or `json`, UTF-8."""

    chosen: JobFilter
    order: Sequence[Sort]
    form: str


@dataclass(frozen=True, slots=True)
class ExportJobsAfter(Query[ExportPart]):
    """The next jobs of an export as CSV in the order of their ids, after the job `after`; 0: the
    first ones. All parts in a row are one file, however many jobs it has."""

    chosen: JobFilter
    after: int = 0


@dataclass(frozen=True, slots=True)
class ListJobsAfter(Query[JobsPart]):
    """As `ExportJobsAfter`, as rows."""

    chosen: JobFilter
    after: int = 0


@dataclass(frozen=True, slots=True)
class ListEvents(Query[tuple[Event, ...]]):
    """Events oldest first; the first `limit` after `after`, or with `newest` the last. Without
    `types` of any type."""

    job_id: int | None = None
    machine_id: int | None = None
    after: int = 0
    limit: int = 500
    newest: bool = False
    types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EventsSince(Query[EventFeed]):
    """The events after a cursor, each once, those of a job in the order of its changes; None: none,
    but the cursor of the present end. At most `limit`, and none after `until`, a later cursor."""

    after: EventCursor | None = None
    until: EventCursor | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRuns(RunFilter, Query[tuple[RunRow, ...]]):
    """The latest runs that the filter selects, newest first, without the first `offset`."""

    limit: int = 200
    offset: int = 0

    @classmethod
    def of(cls, chosen: RunFilter, limit: int) -> "ListRuns":
        """The latest runs of this filter."""
        return cls(
            **{field.name: getattr(chosen, field.name) for field in fields(RunFilter)}, limit=limit
        )


@dataclass(frozen=True, slots=True)
class CountRuns(Query[int]):
    """The number of all runs that `chosen` selects."""

    chosen: RunFilter


@dataclass(frozen=True, slots=True)
class RunById(Query[RunDetail | None]):
    """One run with its output, also while it runs: at this station as it is now, at another one the
    end of it some seconds ago."""

    run_id: int


@dataclass(frozen=True, slots=True)
class ListMachines(Query[tuple[MachineRow, ...]]):
    """Every machine of the shop, in the order they were added."""


@dataclass(frozen=True, slots=True)
class ListDrivers(LiveQuery[tuple[DriverInfo, ...]]):
    """The drivers a machine can have, by name."""


@dataclass(frozen=True, slots=True)
class FindControllers(Query[tuple[FoundController, ...]]):
    """What this station could drive: the serial ports of this computer and a LinuxCNC on it, or
    with `address` what answers there. Serial ports are listed and never opened, network ports are
    connected to and closed: nothing is sent. Takes at most 3 s. Raises InvalidInput for an address
    that can't be one."""

    address: str = ""


@dataclass(frozen=True, slots=True)
class ControllerStatus(LiveQuery[Status | None]):
    """What a machine's controller reports; None for a machine of another station."""

    machine_id: int


@dataclass(frozen=True, slots=True)
class MachineLog(LiveQuery[tuple[Message, ...]]):
    """The latest messages between this station and a machine's controller, oldest first."""

    machine_id: int


@dataclass(frozen=True, slots=True)
class LatestTelemetry(LiveQuery[Telemetry | None]):
    """The latest telemetry of a machine at work."""

    machine_id: int


@dataclass(frozen=True, slots=True)
class ListActiveRuns(LiveQuery[tuple[RunInHand, ...]]):
    """The runs that this station drives, and what closing the station would do to each."""


@dataclass(frozen=True, slots=True)
class ListPrograms(Query[tuple[ProgramRow, ...]]):
    """The stored programs whose name contains `text`."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class ProgramByHash(Query[ProgramDetail | None]):
    """A program with its text and findings."""

    sha256: str


@dataclass(frozen=True, slots=True)
class ProgramContent(Query[bytes | None]):
    """The exact bytes of a program."""

    sha256: str


@dataclass(frozen=True, slots=True)
class ToolpathByHash(Query[Toolpath | None]):
    """A program's path for drawing."""

    sha256: str


@dataclass(frozen=True, slots=True)
class PreviewImport(Query[ImportPreview]):
    """Read a CSV or XLSX table without storing anything. `mapping`: which column is which field;
    None: as the column names say. `reading` is a name for `ReadingProgress`."""

    name: str
    content: bytes = field(repr=False)
    mapping: Mapping[str, str] | None = None
    reading: str = ""


@dataclass(frozen=True, slots=True)
class ReadingProgress(LiveQuery[float | None]):
    """The part of a table that is read, from 0 to 1; None if no table is being read under this
    name. Cancelling what reads it ends the reading at once."""

    reading: str


@dataclass(frozen=True, slots=True)
class FloorNow(Query[Floor]):
    """The shop floor from one snapshot."""


@dataclass(frozen=True, slots=True)
class FloorCharts(Query[Charts]):
    """The charts of the floor from `since` on, in buckets of `step` (ms)."""

    since: int
    step: int


@dataclass(frozen=True, slots=True)
class ListStations(Query[tuple[StationRow, ...]]):
    """The stations of the fleet, this one included."""


@dataclass(frozen=True, slots=True)
class ListWebhooks(Query[tuple[WebhookRow, ...]]):
    """The endpoints, in the order they were added."""


@dataclass(frozen=True, slots=True)
class ListDeliveries(Query[DeliveryPage]):
    """A page of the deliveries that `chosen` selects, newest first."""

    chosen: DeliveryFilter = field(default_factory=DeliveryFilter)
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class CountDeliveries(Query[DeliveryCounts]):
    """Counts per state of the deliveries that `chosen` selects, its own `states` left out, and how
    many of those that it selects can be replayed."""

    chosen: DeliveryFilter = field(default_factory=DeliveryFilter)


@dataclass(frozen=True, slots=True)
class DeliveryById(Query[DeliveryDetail | None]):
    """A delivery with what is sent, and its attempts."""

    delivery_id: int


@dataclass(frozen=True, slots=True)
class VerifyWebhook(Query[bool]):
    """Whether a body with these headers was signed by one of the shop's endpoints, lately."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredSettings(Query[Mapping[str, Any]]):
    """The settings stored with `SaveSettings`, by name."""


@dataclass(frozen=True, slots=True)
class AboutStation(LiveQuery[About]):
    """Which station this is, and its settings that can't be changed at run time."""


@dataclass(frozen=True, slots=True)
class ListLinks(LiveQuery[tuple[Link, ...]]):
    """The state of each dependency (database, Redis)."""


@dataclass(frozen=True, slots=True)
class BackupsNow(LiveQuery[Backups]):
    """The back-ups of this station as it knows them, and the one that is being made."""


@dataclass(frozen=True, slots=True)
class ListSchedules(Query[tuple[ScheduleRow, ...]]):
    """Every schedule by name."""


@dataclass(frozen=True, slots=True)
class ScheduleById(Query[ScheduleRow | None]):
    """One schedule with all its warnings."""

    schedule_id: int


@dataclass(frozen=True, slots=True)
class ScheduleRuns(Query[tuple[ScheduleRun, ...]]):
    """The due times of a schedule that have passed, newest first; with `before` (ms) those due
    earlier."""

    schedule_id: int
    limit: int = 100
    before: int | None = None


@dataclass(frozen=True, slots=True)
class PreviewSchedule(Query[SchedulePreview]):
    """The next times of a schedule that need not be stored, in words and with warnings. Raises
    InvalidInput."""

    spec: Schedule


@dataclass(frozen=True, slots=True)
class UpcomingRuns(Query[tuple[DueRow, ...]]):
    """When the schedules that are not paused are due within so many hours (at most a year), in
    order; at most `limit` times. Raises InvalidInput."""

    hours: float = 24.0
    limit: int = 2000


@dataclass(frozen=True, slots=True)
class ListOpenAlerts(Query[tuple[AlertRow, ...]]):
    """The open alerts, worst first, then oldest first."""


@dataclass(frozen=True, slots=True)
class ListAlerts(Query[AlertPage]):
    """A page of all alerts, open or ended, newest first."""

    offset: int = 0
    limit: int = 50
    machine_id: int | None = None
    job_id: int | None = None


@dataclass(frozen=True, slots=True)
class AlertHistory(Query[tuple[SentAlert, ...]]):
    """What was told of an alert, by which rule, oldest first."""

    alert_id: int


@dataclass(frozen=True, slots=True)
class NewAlertMessages(Query[AlertsToPresent]):
    """What the channels window, desktop and sound have to present since `after`, a former `last`;
    None: nothing, but the place to start from. Ask again at a notice of ALERTS_TOLD."""

    after: int | None = None


@dataclass(frozen=True, slots=True)
class ListAlertRules(Query[tuple[AlertRuleRow, ...]]):
    """The rules, in the order they were added."""


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
