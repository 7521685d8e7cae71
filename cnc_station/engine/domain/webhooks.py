"""Endpoints: the events that they listen to, what is sent, and when it is tried again."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import urlsplit

from cnc_station.engine.domain import checks, ecmascript_json, json_text
from cnc_station.engine.domain.admission import Text
from cnc_station.engine.domain.alerts import Severity
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.message_formats.options import (
    FormatOptions,
    MessageFormat,
    address_errors,
    option_errors,
)
from cnc_station.engine.domain.states import LIVE_JOBS, JobState, RunState
from cnc_station.engine.domain.time_text import rfc3339
from cnc_station.engine.domain.transitions import JOB_TRANSITIONS, Transition

MOST_URL = 2_000
MOST_SECRET = 200
LEAST_SECRET = 8
RETRY_S = (1.0, 2.0, 4.0)
HOUR_S = 3600.0
JITTER = 0.2  # a pause is longer by up to this share
GONE = 410
TOO_MANY = 429
_SCHEMES = ("http", "https")


class JobStatus(StrEnum):
    """The state of a job in a few words, for other programs."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_STATUS: Mapping[JobState, JobStatus] = {
    **dict.fromkeys(JobState, JobStatus.PENDING),
    JobState.RUNNING: JobStatus.RUNNING,
    JobState.HELD: JobStatus.RUNNING,
    JobState.COMPLETED: JobStatus.COMPLETED,
    JobState.NEEDS_ATTENTION: JobStatus.FAILED,
    JobState.INTERRUPTED: JobStatus.FAILED,
    JobState.CANCELLED: JobStatus.CANCELLED,
}


def status_of(state: JobState) -> JobStatus:
    """Return what other programs are told of a state."""
    return _STATUS[state]


class WebhookEvent(StrEnum):
    """What an endpoint may listen to. One change of a job may be several of them."""

    CREATED = "job:created"
    STATUS_UPDATED = "job:status:updated"
    COMPLETED = "job:completed"
    FAILED = "job:failed"  # a run failed or was interrupted, whether it is retried or not
    MOVED_TO_DLQ = "job:movedToDLQ"
    CANCELLED = "job:cancelled"


TEST_EVENT = "webhook:test"
ALERT_EVENT = "alert"
DEFAULT_EVENTS = (WebhookEvent.COMPLETED, WebhookEvent.FAILED, WebhookEvent.MOVED_TO_DLQ)


def _told_by(row: Transition) -> Iterable[WebhookEvent]:
    """The events of a transition, in the order in which they are sent."""
    assert row.job is not None
    target = row.job.target
    if not row.job.sources:
        yield WebhookEvent.CREATED
        return
    if target is not None and {status_of(source) for source in row.job.sources} != {
        _STATUS[target]
    }:
        yield WebhookEvent.STATUS_UPDATED
    if target is JobState.COMPLETED:
        yield WebhookEvent.COMPLETED
    if target is JobState.CANCELLED:
        yield WebhookEvent.CANCELLED
    run_failed = row.run is not None and row.run.target is RunState.FAILED
    if run_failed or (target is JobState.INTERRUPTED and row.job.sources == LIVE_JOBS):
        yield WebhookEvent.FAILED
    if target is JobState.NEEDS_ATTENTION:
        yield WebhookEvent.MOVED_TO_DLQ


TOLD_BY: Mapping[str, tuple[WebhookEvent, ...]] = {
    name: told for name, row in JOB_TRANSITIONS.items() if (told := tuple(_told_by(row)))
}
"""By transition: the events that it is."""


def transitions_of(events: Iterable[str]) -> Mapping[str, tuple[WebhookEvent, ...]]:
    """Those of `TOLD_BY` that tell at least one of these events."""
    wanted = frozenset(events)
    found = {name: tuple(e for e in told if e in wanted) for name, told in TOLD_BY.items()}
    return {name: told for name, told in found.items() if told}


@dataclass(frozen=True, slots=True)
class WebhookSpec:
    """An endpoint as a person describes it. `tenant` None: the jobs of all tenants. Without
    `events`, which the format `webhook` needs, it is told of alerts only."""

    TEXTS: ClassVar = {"url": Text(MOST_URL), "tenant": Text(80)}

    url: str
    events: Sequence[str] = DEFAULT_EVENTS
    tenant: str | None = None
    enabled: bool = True
    format: MessageFormat = MessageFormat.WEBHOOK
    options: FormatOptions = field(default_factory=FormatOptions)

    def validated(self) -> "WebhookSpec":
        """Return the spec, each event once. Raises InvalidInput with every invalid field."""
        errors = tuple(_errors(self))
        if errors:
            raise InvalidInput(*errors)
        chosen = tuple(event.value for event in WebhookEvent if event in self.events)
        return replace(self, url=self.url.strip(), events=chosen)


def _errors(spec: WebhookSpec) -> Iterable[FieldError]:
    url = spec.url.strip()
    unfit = tuple(_url_errors(spec.format, spec.url))
    yield from unfit or option_errors(spec.format, url, spec.options, Severity)
    known = frozenset(WebhookEvent)
    events = list(spec.events)
    if not events and spec.format is MessageFormat.WEBHOOK:
        yield FieldError("events", "at least one")
    for event in events:
        if event not in known:
            yield FieldError("events", f"{event!r} is not one of {', '.join(WebhookEvent)}")
    if spec.tenant is not None:
        yield from checks.text("tenant", spec.tenant, spec.TEXTS["tenant"].most)


def _url_errors(kind: MessageFormat, url: str) -> Iterable[FieldError]:
    unfit = tuple(checks.text("url", url, MOST_URL, wanted=True))
    if unfit:
        yield from unfit
    elif kind is MessageFormat.EMAIL:
        yield from address_errors(url.strip())
    elif reason := url_fault(url.strip()):
        yield FieldError("url", reason)


def url_fault(url: str) -> str | None:
    """Return why an endpoint cannot have this address."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is not a valid address"
    if parts.scheme.lower() not in _SCHEMES or not host or not url.isprintable() or " " in url:
        return "must be an address such as https://erp.example/hooks"
    if parts.username is not None or parts.password is not None:
        return "must not contain a name or password: others see the address"
    return None


def receiver_of(url: str) -> str:
    """Return the receiver in an address for everybody: its host, or its mailboxes. The rest of an
    address may be a secret."""
    parts = urlsplit(url)
    return parts.path if parts.scheme.lower() == "mailto" else parts.hostname or "an endpoint"


def secret_errors(secret: str) -> Iterable[FieldError]:
    """What is wrong with a secret that a person chose."""
    if not LEAST_SECRET <= len(secret) <= MOST_SECRET or not secret.isprintable():
        yield FieldError("secret", f"must have {LEAST_SECRET} to {MOST_SECRET} characters")
    else:
        yield from checks.text("secret", secret, MOST_SECRET)


@dataclass(frozen=True, slots=True)
class DeliveryContent:
    """What a delivery tells: the job as it was after the change, or an alert. `payload` is JSON as
    stored, `attempt` the number of the job's run, so that every try sends the same bytes. `reason`
    and `machine` are for people."""

    event: str
    job_id: int | None
    name: str
    priority: int
    status: str
    payload: str
    completed_at: int | None
    run_ms: int | None
    attempt: int
    tenant: str
    trace_id: str
    at: int
    machine: str | None
    reason: str | None

    def body(self) -> bytes:
        """Return the exact bytes that are sent and signed by the format `webhook`."""
        return ecmascript_json.dump(self._alert() if self.event == ALERT_EVENT else self._job())

    def _job(self) -> Mapping[str, Any]:
        return {
            "jobId": self.job_id,
            "name": self.name,
            "taskName": self.name,
            "priority": self.priority,
            "status": self.status,
            "payload": json_text.stored(self.payload),
            "completedAt": rfc3339(self.completed_at),
            "runDurationMs": self.run_ms,
            "event": self.event,
            "attempt": self.attempt,
            "tenantId": self.tenant,
            "traceId": self.trace_id,
        }

    def _alert(self) -> Mapping[str, Any]:
        stored = json_text.stored_object(self.payload)
        names = ("kind", "severity", "state", "title", "text", "machine")
        return {
            "event": self.event,
            "alertId": stored.get("alert_id"),
            **{name: stored.get(name) for name in names},
            "jobId": self.job_id,
            "tenantId": self.tenant,
            "raisedAt": rfc3339(stored.get("raised_at")),
        }


def pause_s(tries: int) -> float | None:
    """Return the pause after `tries` failures of the first round; None when the round is over."""
    if tries > len(RETRY_S):
        return None
    return RETRY_S[tries - 1] * random.uniform(1.0, 1.0 + JITTER)


def is_success(status: int) -> bool:
    """A redirect is a failure: what is sent goes only where a person sent it."""
    return 200 <= status < 300
