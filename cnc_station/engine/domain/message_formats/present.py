"""How a delivery is presented to its endpoint, and what the endpoint's answer means."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

from cnc_station.engine.domain import checks
from cnc_station.engine.domain.message_formats import chat, placeholders
from cnc_station.engine.domain.message_formats.base import (
    MASK,
    Endpoint,
    HttpMessage,
    Mail,
    Present,
    masked,
)
from cnc_station.engine.domain.message_formats.options import (
    CONTENT_TYPES,
    BodyKind,
    MessageFormat,
    Template,
    recipients,
)
from cnc_station.engine.domain.messages import Message, message_of
from cnc_station.engine.domain.text_gate import visible
from cnc_station.engine.domain.trace import trace_headers
from cnc_station.engine.domain.webhook_signature import headers
from cnc_station.engine.domain.webhooks import DeliveryContent

LONGEST_WAIT_S = 3_600.0
_ASKED_TO_WAIT = frozenset({429, 503})
_TRIED_AGAIN = frozenset({407, 408, 410, 425, 429})  # 407: the proxy; 410 is a case of its own
_MOST_WORDS = 300
_FILL = {
    BodyKind.JSON: placeholders.in_json,
    BodyKind.FORM: placeholders.in_form,
    BodyKind.TEXT: placeholders.in_text,
}


def present(
    endpoint: Endpoint, content: DeliveryContent, key: str, now_s: int
) -> HttpMessage | Mail:
    """Return what is sent. `key` is the delivery's, the same in every try."""
    if endpoint.format is MessageFormat.WEBHOOK:
        body = content.body()
        sent = {
            "Content-Type": "application/json",
            **headers(endpoint.secrets, key, content.event, now_s, body),
            **trace_headers(content.trace_id),
        }
        return HttpMessage("POST", endpoint.address, sent, body)
    return _PRESENT[endpoint.format](endpoint, message_of(content), key)


def shown_body(endpoint: Endpoint, content: DeliveryContent, key: str) -> str:
    """Return what people are shown of the content that is sent: never a secret."""
    if endpoint.format is MessageFormat.WEBHOOK:
        return content.body().decode()
    sent = present(replace(endpoint, secrets=(MASK,)), content, key, 0)
    if isinstance(sent, Mail):
        return f"To: {', '.join(sent.recipients)}\nSubject: {sent.subject}\n\n{sent.text}"
    return sent.body.decode()


def _email(endpoint: Endpoint, message: Message, key: str) -> Mail:
    facts = {"Machine": message.machine, "Job": message.job, "Customer": message.customer}
    lines = [f"{name}: {value}" for name, value in facts.items() if value]
    text = "\n".join([message.text or message.title, "", *lines, f"Time: {message.time}"])
    return Mail(recipients(endpoint.url), message.title, text, key, message.at)


def _template(endpoint: Endpoint, message: Message, key: str) -> HttpMessage:
    template = endpoint.options.template or Template()
    names = ("title", "text", "state", "event", "machine", "job", "customer", "time")
    values = {name: str(getattr(message, name)) for name in names}
    values |= {"severity": message.severity.value, "id": key, "secret": endpoint.secret}
    filled = {
        name: placeholders.in_header(value, values) for name, value in template.headers.items()
    }
    body = _FILL[template.kind](template.body, values).encode() if template.body else b""
    if body:
        filled["Content-Type"] = CONTENT_TYPES[template.kind]
    return HttpMessage(template.method, placeholders.in_url(endpoint.address, values), filled, body)


_PRESENT: Mapping[MessageFormat, Present] = {
    MessageFormat.NTFY: chat.ntfy,
    MessageFormat.SLACK: chat.slack,
    MessageFormat.TEAMS: chat.teams,
    MessageFormat.TELEGRAM: chat.telegram,
    MessageFormat.EMAIL: _email,
    MessageFormat.TEMPLATE: _template,
}


def is_final(endpoint: Endpoint, status: int) -> bool:
    """Return whether this answer would be the same at the next try. A receiver of webhooks may be
    mended, so there every failure is tried again."""
    if endpoint.format is MessageFormat.WEBHOOK:
        return False
    return 400 <= status < 500 and status not in _TRIED_AGAIN


def refusal(endpoint: Endpoint, status: int, body: bytes) -> str:
    """Return the receiver's own words about a failure, "" if it has none."""
    if endpoint.format is MessageFormat.WEBHOOK or status < 400:
        return ""
    text = body.decode(errors="replace")
    told = _object(text)
    words = told.get("description") or told.get("error") or told.get("message")
    if isinstance(words, dict):  # Teams
        words = words.get("message")
    if not isinstance(words, str):
        words = "" if told or text.lstrip().startswith("<") else text
    moved = _object(told.get("parameters")).get("migrate_to_chat_id")
    new_chat = f" The chat has a new number: {moved}." if isinstance(moved, int) else ""
    words = masked(words, endpoint.secrets)
    return visible(" ".join(words.split()), _MOST_WORDS) + new_chat


def wait_s(status: int, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> float | None:
    """Return for how long the receiver asks not to be sent anything, None if it does not ask."""
    if status not in _ASKED_TO_WAIT:
        return None
    lower = {name.lower(): value for name, value in headers.items()}
    asked = _seconds(lower.get("retry-after", "").strip(), now)
    if asked is None:
        told = _object(_object(body.decode(errors="replace")).get("parameters"))
        found = told.get("retry_after")
        if isinstance(found, int | float) and checks.number(found):
            asked = float(found)
    return None if asked is None else min(max(asked, 0.0), LONGEST_WAIT_S)


def _seconds(text: str, now: dt.datetime) -> float | None:
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):  # as older versions raise
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return (aware - now).total_seconds()


def _object(value: object) -> dict[str, Any]:
    """A JSON object from a receiver, or an empty one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
