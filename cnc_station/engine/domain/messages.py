"""What a person reads about a delivery: a title, a text, and how bad it is."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.alerts import AlertState, Severity
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.domain.time_text import countdown
from cnc_station.engine.domain.webhooks import (
    ALERT_EVENT,
    TEST_EVENT,
    DeliveryContent,
    JobStatus,
    WebhookEvent,
)

MOST_TITLE = 200
MOST_TEXT = 3_000


@dataclass(frozen=True, slots=True)
class Message:
    """`title` is one line, `text` may have several; neither has a character that is not allowed.

    `state` is that of an alert or of a job; `machine` and `job` are "" if it is about none.
    """

    title: str
    text: str
    severity: Severity
    state: str
    event: str
    machine: str
    job: str
    customer: str
    at: int

    @property
    def urgency(self) -> Severity:
        """How loudly it is told: what is over disturbs nobody."""
        return Severity.INFO if self.state == AlertState.WITHDRAWN else self.severity

    @property
    def time(self) -> str:
        """When it happened, by RFC 3339."""
        moment = dt.datetime.fromtimestamp(self.at / 1000, tz=dt.UTC)
        return moment.isoformat(timespec="seconds").replace("+00:00", "Z")

    @property
    def sentence(self) -> str:
        """Title and text for where there is one text only."""
        return f"{self.title}\n{self.text}" if self.text else self.title


def message_of(content: DeliveryContent) -> Message:
    """Return what a person reads about a delivery."""
    if content.event == ALERT_EVENT:
        return _of_alert(content)
    if content.event == TEST_EVENT:
        title, text = "Test of CNC Station", "Messages of CNC Station arrive here."
        return _message(content, title, text, Severity.INFO, AlertState.TEST)
    return _of_job(content)


def _message(
    content: DeliveryContent, title: str, text: str, severity: Severity, state: str
) -> Message:
    return Message(
        title=visible(" ".join(title.split()), MOST_TITLE),
        text=visible(text.strip(), MOST_TEXT, lines=True),
        severity=severity,
        state=state,
        event=content.event,
        machine=visible(content.machine or "", MOST_TITLE),
        job="" if content.job_id is None else f"#{content.job_id}",
        customer=visible(content.tenant, MOST_TITLE),
        at=content.at,
    )


_STATES: Mapping[str, str] = {
    AlertState.REMINDER: "Reminder: ",
    AlertState.ESCALATED: "Escalated: ",
}


def _of_alert(content: DeliveryContent) -> Message:
    stored = json_text.stored_object(content.payload)
    state = str(stored.get("state", ""))
    severity = str(stored.get("severity", ""))
    return _message(
        content,
        _STATES.get(state, "") + str(stored.get("title", "")),
        str(stored.get("text", "")),
        Severity(severity) if severity in frozenset(Severity) else Severity.WARNING,
        state,
    )


_HAPPENED: Mapping[str, tuple[str, Severity]] = {
    WebhookEvent.CREATED: ("was created", Severity.INFO),
    WebhookEvent.COMPLETED: ("was completed", Severity.INFO),
    WebhookEvent.FAILED: ("failed", Severity.WARNING),
    WebhookEvent.MOVED_TO_DLQ: ("needs attention", Severity.WARNING),
    WebhookEvent.CANCELLED: ("was cancelled", Severity.INFO),
}
_STATUSES: Mapping[str, str] = {
    JobStatus.PENDING: "waits",
    JobStatus.RUNNING: "is running",
    JobStatus.COMPLETED: "was completed",
    JobStatus.FAILED: "failed or was interrupted",
    JobStatus.CANCELLED: "was cancelled",
}


def _of_job(content: DeliveryContent) -> Message:
    happened, severity = _HAPPENED.get(
        content.event, (_STATUSES.get(content.status, content.status), Severity.INFO)
    )
    where = f" on {content.machine}" if content.machine else ""
    title = f"Job {content.name} (#{content.job_id}) {happened}{where}"
    lines = [content.reason or ""]
    if content.event == WebhookEvent.COMPLETED and content.run_ms is not None:
        lines.append(f"Run time {countdown(content.run_ms)}.")
    return _message(content, title, "\n".join(filter(None, lines)), severity, content.status)
