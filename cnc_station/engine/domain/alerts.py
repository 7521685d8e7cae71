"""Alerts: what asks for a person, how bad it is, and the sentences that tell it.

A cause is derived from the present state of the shop. One alert is open for each cause, until the
cause is over. Who is told, and when, is decided by the rules in `alert_rules.py`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from textwrap import shorten
from typing import Any

from cnc_station.engine.domain.time_text import span

MOST_WHY = 300  # characters of a reason; an error may have many lines
MOST_ALONE = 20  # causes of a kind that get an alert each; more are told in one


class Severity(StrEnum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class AlertKind(StrEnum):
    """What an alert is about."""

    MACHINE_ALARM = "machine.alarm"
    MACHINE_UNREACHABLE = "machine.unreachable"
    MACHINE_WAITING = "machine.waiting"  # its operator: see `Waiting`
    JOB_INTERRUPTED = "job.interrupted"
    JOB_NEEDS_ATTENTION = "job.needs_attention"
    STATION_LOST = "station.lost"
    SCHEDULE_OVERRUN = "schedule.overrun"  # it was due while its job was open
    SCHEDULE_MISSED = "schedule.missed"  # or its job could not be made
    DELIVERY_DEAD = "delivery.dead"  # one for each endpoint


# Everybody may see these: the machines and stations are those of all tenants.
OF_THE_SHOP = (
    AlertKind.MACHINE_ALARM,
    AlertKind.MACHINE_UNREACHABLE,
    AlertKind.MACHINE_WAITING,
    AlertKind.STATION_LOST,
)


class Waiting(StrEnum):
    """What a machine waits for."""

    CLEARING = "clearing"
    SET_UP = "set_up"
    HELD = "held"
    POSITION = "position"  # its work zero is to be confirmed
    READY = "ready"  # it is idle and not ready, and a queued job could run on it


class AlertState(StrEnum):
    """Why a message is sent."""

    RAISED = "raised"
    REMINDER = "reminder"
    ESCALATED = "escalated"  # another rule has told it before
    WITHDRAWN = "withdrawn"  # it is over
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that asks for a person since `since` (ms). The same `key` is the same cause.

    `args` complete the sentences of its kind. `tenant` None: of the whole shop; "" is that of jobs
    without one.
    """

    key: str
    kind: AlertKind
    severity: Severity
    since: int
    args: Mapping[str, Any] = field(default_factory=dict)
    machine_id: int | None = None
    job_id: int | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is stored. `since`: when its cause began."""

    id: int
    cause: Cause
    raised_at: int
    acknowledged_at: int | None = None
    ended_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """What a person is told of an alert, in English sentences. `machine` is its name; a test has an
    `alert_id` of 0."""

    alert_id: int
    kind: AlertKind
    severity: Severity
    title: str
    text: str
    machine: str | None = None
    job_id: int | None = None
    tenant: str | None = None
    raised_at: int
    state: AlertState


def message(alert: Alert, state: AlertState, now: int) -> AlertMessage:
    """Return what is told of an alert at `now` (ms)."""
    cause = alert.cause
    title, text = sentences(cause, (alert.ended_at or now) - cause.since)
    if state is AlertState.WITHDRAWN:
        title, text = f"Over: {title}", f"Over after {span(now - cause.since)}: {title}."
    return AlertMessage(
        alert_id=alert.id,
        kind=cause.kind,
        severity=cause.severity,
        title=title,
        text=text,
        machine=cause.args.get("machine"),
        job_id=cause.job_id,
        tenant=cause.tenant or None,
        raised_at=alert.raised_at,
        state=state,
    )


_TITLES: Mapping[str, str] = {
    AlertKind.MACHINE_ALARM: "{machine}: alarm",
    AlertKind.MACHINE_UNREACHABLE: "{machine}: not reachable",
    Waiting.CLEARING: "{machine}: clear it",
    Waiting.SET_UP: "{machine}: confirm the set-up",
    Waiting.HELD: "{machine}: held",
    Waiting.POSITION: "{machine}: confirm its work zero",
    Waiting.READY: "{machine}: not ready",
    AlertKind.JOB_INTERRUPTED: "{job}: interrupted",
    AlertKind.JOB_NEEDS_ATTENTION: "{job}: failed",
    AlertKind.STATION_LOST: "Station {station}: not responding",
    AlertKind.SCHEDULE_OVERRUN: "Schedule {schedule}: its job takes too long",
    AlertKind.SCHEDULE_MISSED: "Schedule {schedule}: a run was missed",
    AlertKind.DELIVERY_DEAD: "{host}: deliveries failed",
}
# The sentence before a minute has passed, and after it.
_TEXTS: Mapping[str, tuple[str, str]] = {
    AlertKind.MACHINE_ALARM: (
        "{machine} is in alarm",
        "{machine} has been in alarm for {span}",
    ),
    AlertKind.MACHINE_UNREACHABLE: (
        "The controller of {machine} does not answer",
        "The controller of {machine} has not answered for {span}",
    ),
    Waiting.CLEARING: (
        "{machine} waits for clearing",
        "{machine} has waited {span} for clearing",
    ),
    Waiting.SET_UP: (
        "{machine} waits for its set-up",
        "{machine} has waited {span} for its set-up",
    ),
    Waiting.HELD: (
        "{machine} is held",
        "{machine} has been held for {span}",
    ),
    Waiting.POSITION: (
        "{machine} waits until its work zero is confirmed",
        "{machine} has waited {span} until its work zero is confirmed",
    ),
    Waiting.READY: (
        "{machine} is not ready for the next job",
        "{machine} has not been ready for the next job for {span}",
    ),
    AlertKind.JOB_INTERRUPTED: (
        "{job} was interrupted and waits for a decision",
        "{job} was interrupted and has waited {span} for a decision",
    ),
    AlertKind.JOB_NEEDS_ATTENTION: (
        "{job} has failed and needs attention",
        "{job} has failed and has needed attention for {span}",
    ),
    AlertKind.STATION_LOST: (
        "Station {station} does not respond. Its machines: {machines}",
        "Station {station} has not responded for {span}. Its machines: {machines}",
    ),
    AlertKind.SCHEDULE_OVERRUN: (
        "Schedule {schedule} was due while its job was open",
        "Schedule {schedule} was due {span} ago while its job was open",
    ),
    AlertKind.SCHEDULE_MISSED: (
        "Schedule {schedule} missed a run",
        "Schedule {schedule} missed a run {span} ago",
    ),
    AlertKind.DELIVERY_DEAD: (
        "{host} did not accept {deliveries}",
        "{host} has not accepted {deliveries} for {span}",
    ),
}
_MANY: Mapping[AlertKind, str] = {
    AlertKind.MACHINE_ALARM: "{count:,} more machines are in alarm",
    AlertKind.MACHINE_UNREACHABLE: "{count:,} more machines are not reachable",
    AlertKind.MACHINE_WAITING: "{count:,} more machines wait for an operator",
    AlertKind.JOB_INTERRUPTED: "{count:,} more jobs were interrupted",
    AlertKind.JOB_NEEDS_ATTENTION: "{count:,} more jobs have failed",
    AlertKind.STATION_LOST: "{count:,} more stations do not respond",
    AlertKind.SCHEDULE_OVERRUN: "{count:,} more schedules were due while their job was open",
    AlertKind.SCHEDULE_MISSED: "{count:,} more schedules missed a run",
    AlertKind.DELIVERY_DEAD: "{count:,} more endpoints did not accept deliveries",
}
_MINUTE_MS = 60_000


def sentences(cause: Cause, waited_ms: int) -> tuple[str, str]:
    """Return the title and the sentence of a cause that has lasted for so long."""
    args = {**cause.args, "span": span(waited_ms)}
    if "count" in args:
        title = _MANY[cause.kind].format_map(args)
        return title, f"{title}."
    form = args.get("waits_for", cause.kind)
    short, long = _TEXTS[form]
    text = (short if waited_ms < _MINUTE_MS else long).format_map(args)
    why = shorten(str(args.get("why", "")), MOST_WHY, placeholder=" …").rstrip(".")
    return _TITLES[form].format_map(args), f"{text}: {why}." if why else f"{text}."


def grouped(causes: Iterable[Cause], open_keys: frozenset[str]) -> tuple[Cause, ...]:
    """Return the causes that get an alert: of each kind and tenant at most `MOST_ALONE` alone, and
    one for all others.

    A cause keeps the alert that it has. While the alert for all others is open, it covers each
    cause without an own one, so that a person who works through a long list gets no new alerts.
    """
    by_kind: dict[tuple[AlertKind, str | None], list[Cause]] = defaultdict(list)
    for cause in causes:
        by_kind[cause.kind, cause.tenant].append(cause)
    found: list[Cause] = []
    for (kind, tenant), members in by_kind.items():
        members.sort(key=lambda cause: (cause.key not in open_keys, cause.since, cause.key))
        key = f"{kind}:many" if tenant is None else f"{kind}:many:{tenant}"
        alone = MOST_ALONE
        if key in open_keys:
            alone = sum(cause.key in open_keys for cause in members)
        found += members[:alone]
        if others := members[alone:]:
            worst = max((cause.severity for cause in others), key=lambda severity: severity.rank)
            since = min(cause.since for cause in others)
            found.append(Cause(key, kind, worst, since, {"count": len(others)}, tenant=tenant))
    return tuple(found)
