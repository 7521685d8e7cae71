"""Endpoints and deliveries in words."""

import json
from urllib.parse import urlsplit

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain.webhooks import ALERT_EVENT, TEST_EVENT, WebhookEvent
from cnc_station.engine.views.webhooks import (
    DeliveryAttempt,
    DeliveryRow,
    DeliveryState,
    WebhookRow,
)
from cnc_station.ui import formatting
from cnc_station.ui.widgets.state_look import (
    DELIVERY_LOOKS,
    ENDPOINT_DISABLED,
    ENDPOINT_OFF,
    ENDPOINT_ON,
    StateLook,
)


def endpoint_name(url: str) -> str:
    """`erp.example/hooks`: an address without its scheme and its query; the recipients of mail."""
    if url.startswith("mailto:"):
        return url.removeprefix("mailto:").replace(",", ", ")
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".rstrip("/") or url


def look_of_endpoint(row: WebhookRow) -> StateLook:
    """Whether a person has switched it off, or the station has."""
    if row.enabled:
        return ENDPOINT_ON
    return ENDPOINT_DISABLED if row.disabled_reason else ENDPOINT_OFF


def look_of_delivery(row: DeliveryRow) -> StateLook:
    """Whether it waits, was delivered or is dead."""
    return DELIVERY_LOOKS[row.state]


def event_words() -> dict[str, str]:
    """What happened, by the name of the event."""
    return {
        WebhookEvent.CREATED: _tr("Job created"),
        WebhookEvent.STATUS_UPDATED: _tr("Status changed"),
        WebhookEvent.COMPLETED: _tr("Job completed"),
        WebhookEvent.FAILED: _tr("Run failed"),
        WebhookEvent.MOVED_TO_DLQ: _tr("Job needs attention"),
        WebhookEvent.CANCELLED: _tr("Job cancelled"),
        ALERT_EVENT: _tr("Alert"),
        TEST_EVENT: _tr("Test"),
    }


def event_word(event: str) -> str:
    """One of `event_words`, or the name of an event that another version has sent."""
    return event_words().get(event, event)


def last_delivery(row: WebhookRow, now: int) -> str:
    """`14:07:51 · Delivered`, or that there was none yet."""
    last = row.last
    if last is None:
        return _tr("none yet")
    at = formatting.moment(last.ended_at or last.at, now)
    return f"{at} · {look_of_delivery(last).word}"


def what_came(row: DeliveryRow, now: int) -> str:
    """`500 · again 14:07:51`: the answer, or why there was none, and when it is tried again."""
    answer = row.last_error.rstrip(".") if row.last_status is None else str(row.last_status)
    at = tried_again_at(row)
    again = _tr("again {time}").format(time=formatting.moment(at, now)) if at else ""
    return " · ".join(part for part in (answer, again) if part)


def tried_again_at(row: DeliveryRow) -> int | None:
    """When it is tried again; None if it is not, or was not tried yet."""
    return row.due_at if row.tries and row.state is not DeliveryState.DELIVERED else None


def outcome(attempt: DeliveryAttempt) -> str:
    """`200 in 0.12 s`, or why there was no answer."""
    seconds = _tr("{seconds:.2f} s").format(seconds=attempt.duration_s)
    if attempt.status is None:
        return f"{attempt.error} ({seconds})"
    return _tr("{status} in {seconds}").format(status=attempt.status, seconds=seconds)


def transcript(attempt: DeliveryAttempt) -> str:
    """The request without its body, and the answer as far as it was kept."""
    lines = [_tr("Sent to {address}").format(address=attempt.url)]
    lines += [f"{name}: {value}" for name, value in attempt.request_headers.items()]
    answer = _tr("Answer: {outcome}") if attempt.status else _tr("No answer: {outcome}")
    lines += ["", answer.format(outcome=outcome(attempt))]
    lines += [f"{name}: {value}" for name, value in attempt.response_headers.items()]
    if attempt.response:
        lines += ["", attempt.response]
    if attempt.truncated:
        lines += [_tr("[… cut here: only the beginning of the answer is kept …]")]
    return "\n".join(lines)


def readable(body: str) -> str:
    """A body with its JSON indented; another one as it is sent."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def _tr(english: str) -> str:
    return QCoreApplication.translate("Webhook", english)
