"""The notice of a commit: its events in order, which wake the services and refresh the window."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import compress
from operator import add
from typing import NamedTuple, TypeVar

from cnc_station.engine.domain import transitions as t

T = TypeVar("T")

MOST_EVENTS = 4_000  # with more, reading everything again is cheaper


class Topic(StrEnum):
    """Facts of a notice without a stored event, because other rows store them."""

    ALERTS_CHANGED = "alerts_changed"  # opened, ended, acknowledged, or their text is another one
    DELIVERIES_QUEUED = "deliveries_queued"
    DELIVERIES_TRIED = "deliveries_tried"
    JOB_UNBLOCKED = "job_unblocked"
    MACHINE_REWIRED = "machine_rewired"  # its driver or its station was changed
    JOB_EXPIRED = "job_expired"  # deleted with its history, or only its old runs
    PROGRAMS_EXPIRED = "programs_expired"  # deleted, since nothing names them
    PARTS_COUNTED = "parts_counted"
    REACH_CHANGED = "reach_changed"  # a machine's controller became reachable or unreachable
    REMOTE_COMMAND_ASKED = "remote_command_asked"
    REMOTE_COMMAND_COMPLETED = "remote_command_completed"
    LINKS_CHANGED = "links_changed"  # for this station's window only
    ACCOUNTS_READ = "accounts_read"  # likewise: the accounts or their tokens are others now
    PRESENCE_CHANGED = "presence_changed"  # likewise: a station became silent or is back


class NoticeEvent(NamedTuple):
    """One fact of a notice. `type` is a transition's name or a `Topic`; `station` wrote it.

    The states are those after it, None if that subject was not touched. `machine_type` is set if a
    job becomes claimable, `due_at` if a job waits until then, `frees_machine` if a machine may take
    a job now, `handler` if a job is new. A tuple: thousands a second are made, and a frozen
    dataclass takes five times as long.
    """

    type: str
    station: str = ""
    job_id: int | None = None
    run_id: int | None = None
    machine_id: int | None = None
    tenant: str | None = None
    job_state: str | None = None
    run_state: str | None = None
    machine_state: str | None = None
    machine_type: str | None = None
    due_at: int | None = None
    frees_machine: bool = False
    handler: str | None = None


class NoticeColumns(NamedTuple):
    """The events of a notice, field by field. Most who hear one ask for one field of them all, and
    an event a value takes four times as long to parse."""

    type: tuple[str, ...] = ()
    station: tuple[str, ...] = ()
    job_id: tuple[int | None, ...] = ()
    run_id: tuple[int | None, ...] = ()
    machine_id: tuple[int | None, ...] = ()
    tenant: tuple[str | None, ...] = ()
    job_state: tuple[str | None, ...] = ()
    run_state: tuple[str | None, ...] = ()
    machine_state: tuple[str | None, ...] = ()
    machine_type: tuple[str | None, ...] = ()
    due_at: tuple[int | None, ...] = ()
    frees_machine: tuple[bool, ...] = ()
    handler: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Notice:
    """The events of one commit or of several. `missed`: others may have been lost, so everything
    must be read again; it then has no events of its own."""

    columns: NoticeColumns
    missed: bool = False

    @classmethod
    def of(cls, *events: NoticeEvent) -> "Notice":
        return cls(NoticeColumns(*zip(*events, strict=True)))

    @property
    def events(self) -> tuple[NoticeEvent, ...]:
        return tuple(map(NoticeEvent._make, zip(*self.columns, strict=True)))

    def __len__(self) -> int:
        return len(self.columns.type)

    def __bool__(self) -> bool:
        return self.missed or len(self) > 0

    def __or__(self, other: "Notice") -> "Notice":
        """Both in this order; MISSED if they are too many to read."""
        if self.missed or other.missed or len(self) + len(other) > MOST_EVENTS:
            return MISSED
        return Notice(NoticeColumns(*map(add, self.columns, other.columns)))

    @cached_property
    def jobs(self) -> frozenset[int]:
        return _known(self.columns.job_id)

    @cached_property
    def machines(self) -> frozenset[int]:
        return _known(self.columns.machine_id)

    @cached_property
    def types(self) -> frozenset[str]:
        return frozenset(self.columns.type)

    @cached_property
    def claimable(self) -> Mapping[str, int]:
        """How many jobs have become claimable, by machine type."""
        counts = Counter(self.columns.machine_type)
        return {name: count for name, count in counts.items() if name is not None}

    @cached_property
    def freed_machines(self) -> frozenset[int]:
        """The machines that may take a job now."""
        return _known(compress(self.columns.machine_id, self.columns.frees_machine))

    def claimable_by(self, station: str) -> frozenset[str]:
        """The machine types of the jobs that this station has made claimable."""
        if not self.claimable:  # as most notices of others
            return frozenset()
        own = (name == station for name in self.columns.station)
        return _known(compress(self.columns.machine_type, own))

    def tells_of(self, types: Collection[str]) -> bool:
        """Whether it has an event of these types, or may have lost one."""
        return self.missed or not self.types.isdisjoint(types)


NO_EVENTS = Notice.of()
MISSED = Notice(NoticeColumns(), missed=True)

Predicate = Callable[[Notice], bool]

ABOUT_STATIONS = frozenset(
    {t.STATION_JOINED.name, t.STATION_LEFT.name, t.LEADER_CHANGED.name, Topic.PRESENCE_CHANGED}
)
ABOUT_PROGRAMS = frozenset({t.PROGRAM_ADDED.name, Topic.PROGRAMS_EXPIRED})
ABOUT_SET_UPS = frozenset({t.FILE_ATTACHED.name, t.FILE_REMOVED.name, t.SET_UP_SHEET_CHANGED.name})
ABOUT_SCHEDULES = frozenset(name for name in t.TRANSITIONS if name.startswith("schedule_"))
ABOUT_ALERTS = frozenset({Topic.ALERTS_CHANGED, t.ALERTS_TOLD.name, t.ALERT_RULES_CHANGED.name})
ABOUT_WEBHOOKS = frozenset(
    {t.WEBHOOKS_CHANGED.name, Topic.DELIVERIES_QUEUED, Topic.DELIVERIES_TRIED}
)
ABOUT_LINKS = frozenset({Topic.LINKS_CHANGED})


def local(topic: Topic) -> Notice:
    """A notice for this station's window only."""
    return Notice.of(NoticeEvent(topic))


def one_of(*types: t.Transition | Topic) -> Predicate:
    """Match the notices with an event of these types."""
    names = frozenset(kind if isinstance(kind, Topic) else kind.name for kind in types)
    return lambda notice: not notice.types.isdisjoint(names)


def is_due(notice: Notice) -> bool:
    """Whether a job waits for a time."""
    return bool(_known(notice.columns.due_at))


def _known(values: Iterable[T | None]) -> frozenset[T]:
    return frozenset(value for value in set(values) if value is not None)
