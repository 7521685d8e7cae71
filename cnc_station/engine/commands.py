"""Everything that changes something, as frozen values: `await door.execute(DuplicateJob(7))`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from cnc_station.engine.domain.actions import JobAction, MachineAction, ScheduleAction
from cnc_station.engine.domain.admission import FILE_NAME, REASON, TRACE, Text
from cnc_station.engine.domain.alert_rules import AlertRule
from cnc_station.engine.domain.fleet import FleetServers
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.domain.schedule import Schedule
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import WebhookSpec
from cnc_station.engine.views import (
    AddedProgram,
    Answer,
    BulkCursor,
    BulkStep,
    ConnectionReport,
    FleetReport,
    JobFilter,
    Undo,
)
from cnc_station.engine.views.alerts import SentAlert
from cnc_station.engine.views.webhooks import DeliveryDetail, DeliveryFilter, NewWebhook

T_co = TypeVar("T_co", covariant=True)
MOST_IN_BATCH = 500  # jobs in a transaction: others wait for as long as it takes


class Command(Generic[T_co]):
    """Something to be changed, as a frozen value; `T_co` is what the door answers.

    The door checks its texts (`domain.admission`): `TEXTS` names those that are not a line of text.
    The door raises InvalidInput, Conflict, Fenced, Unavailable or NotPermitted. A command over
    many items answers for each item instead.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SubmitJobs(Command[tuple[int, ...]]):
    """Store new jobs, all or none; the answer is their ids in order. Raises InvalidInput.

    `trace_id`, here and in the other commands that create jobs, is the trace that they keep for
    life; "": each job gets a new one.
    """

    TEXTS: ClassVar = {"trace_id": TRACE}

    specs: Sequence[JobSpec]
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class EditJob(Command[None]):
    """Change fields of a job that is not at a machine (names: `domain.job.EDITABLE`). With
    `version`, refused if somebody changed the job meanwhile. With `retry`, the job is retried in
    the same transaction: if one of the two is refused, nothing is changed."""

    job_id: int
    changes: Mapping[str, Any]
    version: int | None = None
    retry: bool = False


@dataclass(frozen=True, slots=True)
class DuplicateJob(Command[int]):
    """Store a copy of a job, waiting as if it came in now; the answer is its id."""

    TEXTS: ClassVar = {"trace_id": TRACE}

    job_id: int
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class ActOnJobs(Command[tuple[Answer, ...]]):
    """Do one thing to many jobs; an answer for each, in order. `JobAction` says which action takes
    which of the fields after `reason`."""

    TEXTS: ClassVar = {"reason": REASON}

    action: JobAction
    job_ids: Sequence[int]
    reason: str = ""
    before: int | None = None
    machine_id: int | None = None
    until: int | None = None
    state: JobState | None = None


@dataclass(frozen=True, slots=True)
class ActOnMatchingJobs(Command[BulkStep]):
    """Do one of `domain.actions.BULK_ACTIONS` to the jobs that `chosen` selects, one batch of at
    most `limit` jobs in a transaction; `engine.bulk` does them all. The first batch has no
    `cursor`: if `chosen` selects another number of jobs than `expected_count`, it raises Conflict
    and changes nothing. Each later one takes the cursor of the step before. Raises InvalidInput
    for a filter that selects every job, or another action."""

    TEXTS: ClassVar = {"reason": REASON}

    action: JobAction
    chosen: JobFilter
    expected_count: int
    reason: str = ""
    machine_id: int | None = None
    until: int | None = None
    state: JobState | None = None
    cursor: BulkCursor | None = None
    limit: int = MOST_IN_BATCH


@dataclass(frozen=True, slots=True)
class UndoJobActions(Command[tuple[Answer, ...]]):
    """Take back what `ActOnJobs` did, where the job has not changed since; an answer for each."""

    steps: Sequence[Undo]


@dataclass(frozen=True, slots=True)
class AddMachine(Command[int]):
    """Add a machine to this station; the answer is its id. Raises InvalidInput."""

    spec: MachineSpec


@dataclass(frozen=True, slots=True)
class EditMachine(Command[None]):
    """Raises Conflict for another driver, or other settings of it, while the machine is at work;
    it gets no work from then on until that driver reports that it is ready."""

    machine_id: int
    spec: MachineSpec


@dataclass(frozen=True, slots=True)
class ActOnMachine(Command[None]):
    """With CLEAR, `good`, `scrap` and `rework` count the parts of the machine's last run: all that
    a completed run made, at most the quantity of another; None: unknown. InvalidInput says what
    they add up to. UNLOCK asks the controller, whichever station it is connected to; Conflict says
    what has to be done first."""

    TEXTS: ClassVar = {"reason": REASON}

    action: MachineAction
    machine_id: int
    reason: str = ""
    good: int | None = None
    scrap: int | None = None
    rework: int | None = None


@dataclass(frozen=True, slots=True)
class MoveMachine(Command[None]):
    """Move a machine that is not at work to another station, which connects to it. Maintenance or
    an alarm goes on there, and a part on it still has to be cleared."""

    machine_id: int
    station: str


@dataclass(frozen=True, slots=True)
class TryMachine(Command[ConnectionReport]):
    """Connect as `spec` says, report what was found, and disconnect; nothing is stored or moved.
    Where it says `KEPT`, the stored passwords of the machine `machine_id` count. Raises
    InvalidInput."""

    spec: MachineSpec
    machine_id: int | None = None


@dataclass(frozen=True, slots=True)
class AddProgram(Command[AddedProgram]):
    """Store a program by content: the same bytes give the same row, new bytes under a known name a
    new revision. Raises InvalidInput with lines where the program is wrong."""

    name: str
    source: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImportJobs(Command[tuple[int, ...]]):
    """Import every row of a CSV or XLSX table or none; `mapping` and `reading` as in
    `PreviewImport`. The answer is the ids of the jobs. Raises InvalidInput."""

    TEXTS: ClassVar = {"name": FILE_NAME, "trace_id": TRACE}

    name: str
    content: bytes = field(repr=False)
    mapping: Mapping[str, str] | None = None
    reading: str = ""
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class CreateWebhook(Command[NewWebhook]):
    """Add an endpoint that gets the events from now on. Without a `secret` one is made; the answer
    is the only place where it is shown. Raises InvalidInput."""

    spec: WebhookSpec
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class EditWebhook(Command[None]):
    """Replace what an endpoint is; its secret stays. Raises InvalidInput, Conflict."""

    webhook_id: int
    spec: WebhookSpec


@dataclass(frozen=True, slots=True)
class DeleteWebhook(Command[None]):
    """Send nothing more to an endpoint; what was sent stays on record. Raises Conflict."""

    webhook_id: int


@dataclass(frozen=True, slots=True)
class RotateWebhookSecret(Command[NewWebhook]):
    """Give an endpoint a new secret. For `overlap_s` everything is signed with both."""

    webhook_id: int
    secret: str | None = field(default=None, repr=False)
    overlap_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class TestWebhook(Command[DeliveryDetail]):
    """Send a test to an endpoint once, and answer what came of it. Raises Conflict."""

    __test__ = False  # of no test runner

    webhook_id: int


@dataclass(frozen=True, slots=True)
class ReplayDeliveries(Command[int]):
    """Send deliveries again, by their ids or by a filter with the number that it is expected to
    choose. The answer is their number. Raises InvalidInput; Conflict if the number is another."""

    ids: Sequence[int] | None = None
    chosen: DeliveryFilter | None = None
    expected_count: int | None = None


@dataclass(frozen=True, slots=True)
class SaveSettings(Command[None]):
    """Store settings by name; the others stay as they are. Raises InvalidInput."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AcceptDatabase(Command[None]):
    """Agree that the machines of a database file that was moved or copied are run from this
    computer: they are released and connected. Only if no other computer runs them. Without a hold
    it does nothing. The same for the machines of a database that was restored on a server; raises
    Conflict if none of those is held."""


@dataclass(frozen=True, slots=True)
class TryDatabase(Command[None]):
    """Write to the database now. Raises Unavailable with the reason why that is not possible."""


@dataclass(frozen=True, slots=True)
class SetBackupPlan(Command[None]):
    """Choose the folder of the daily back-ups ("": none are made) and the time of the day at which
    they are made, such as `02:00`. Raises InvalidInput, and Conflict where the settings outside the
    window name a folder."""

    TEXTS: ClassVar = {"folder": Text(1_000)}

    folder: str
    clock: str


@dataclass(frozen=True, slots=True)
class BackUpNow(Command[str]):
    """Make a back-up in the chosen folder; the answer is its path. Raises Conflict, Unavailable."""


@dataclass(frozen=True, slots=True)
class TryFleet(Command[FleetReport]):
    """Ask both servers of a fleet whether this station could work on them. Nothing is stored.
    Raises InvalidInput with the fields of `FleetServers` that are wrong, and why."""

    servers: FleetServers


@dataclass(frozen=True, slots=True)
class JoinFleet(Command[FleetReport]):
    """As `TryFleet`; if both work, store their addresses in the settings file and the passwords
    where passwords are stored. Counts from the next start. What this PC has stored alone stays in
    its file. Raises InvalidInput, Conflict while a run is active, Unavailable."""

    servers: FleetServers


@dataclass(frozen=True, slots=True)
class CreateSchedule(Command[int]):
    """Store a schedule; the answer is its id. Raises InvalidInput."""

    spec: Schedule


@dataclass(frozen=True, slots=True)
class EditSchedule(Command[None]):
    """Replace a schedule, paused or not as it is. With `version`, refused if somebody changed it
    meanwhile. A change of its times counts from now on. Raises InvalidInput."""

    schedule_id: int
    spec: Schedule
    version: int | None = None


@dataclass(frozen=True, slots=True)
class PauseSchedule(Command[tuple[int, ...]]):
    """Pause a schedule; None: all of them. The answer is the ids of those that changed."""

    TEXTS: ClassVar = {"reason": REASON}

    schedule_id: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResumeSchedule(Command[tuple[int, ...]]):
    """Resume a paused schedule with its first time that is still to come; None: all of them. The
    answer is the ids of those that changed."""

    schedule_id: int | None = None


@dataclass(frozen=True, slots=True)
class TriggerSchedule(Command[int]):
    """Make a job of a schedule now; the answer is its id. Raises Conflict if a job of it is open
    and its overlap policy does not allow another one."""

    TEXTS: ClassVar = {"trace_id": TRACE}

    schedule_id: int
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class ActOnSchedules(Command[tuple[Answer, ...]]):
    """Do one thing to many schedules; an answer for each, in order."""

    TEXTS: ClassVar = {"reason": REASON, "trace_id": TRACE}

    action: ScheduleAction
    schedule_ids: Sequence[int]
    reason: str = ""
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class DeleteSchedule(Command[None]):
    """Delete a schedule with its history; its jobs stay."""

    schedule_id: int


@dataclass(frozen=True, slots=True)
class AcknowledgeAlerts(Command[tuple[Answer, ...]]):
    """A person takes care of alerts: no reminder and no escalation follows until they are over. An
    answer for each; an alert that is acknowledged already stays with the first person."""

    TEXTS: ClassVar = {"reason": REASON}

    alert_ids: Sequence[int]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CreateAlertRule(Command[int]):
    """Store a rule; the answer is its id. It also counts for the open alerts. Raises
    InvalidInput."""

    rule: AlertRule


@dataclass(frozen=True, slots=True)
class EditAlertRule(Command[None]):
    """Replace a rule. With `version`, refused if somebody changed it meanwhile. What it has told is
    not told again. Raises InvalidInput."""

    rule_id: int
    rule: AlertRule
    version: int | None = None


@dataclass(frozen=True, slots=True)
class DeleteAlertRule(Command[None]):
    """Delete a rule. What it told stays on record."""

    rule_id: int


@dataclass(frozen=True, slots=True)
class TestAlertRule(Command[SentAlert]):
    """Tell a test by the channel of a rule, also of a disabled one and in its quiet hours. The
    answer names the delivery to an endpoint; what comes of it is asked with `DeliveryById`."""

    __test__ = False  # of no test runner

    rule_id: int
