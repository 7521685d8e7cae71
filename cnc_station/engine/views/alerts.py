"""Alerts: what asks for a person, who was told, and the rules for that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnc_station.engine.domain.alert_rules import AlertRule, Channel
from cnc_station.engine.domain.alerts import AlertKind, AlertMessage, Severity


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert with its sentences as of now. `args` are those of its kind, for other languages.

    `since` is when its cause began, `waited_s` how long it has lasted or did last. `told` is how
    often it was told to anybody. `ended_at` None: it is open.
    """

    id: int
    kind: AlertKind
    severity: Severity
    title: str
    text: str
    args: Mapping[str, Any]
    machine_id: int | None
    machine: str | None
    job_id: int | None
    tenant: str | None
    since: int
    raised_at: int
    waited_s: float
    acknowledged_at: int | None
    acknowledged_by: str | None
    acknowledged_reason: str | None
    ended_at: int | None
    told: int


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Some rows of all alerts, newest first, and their total number."""

    rows: tuple[AlertRow, ...]
    offset: int
    total: int


@dataclass(frozen=True, slots=True)
class AlertRuleRow:
    """A rule. `endpoint` is the address it sends to, without what may be secret; `fault` says why
    it can tell nothing now, "" if it can."""

    id: int
    version: int
    rule: AlertRule
    endpoint: str | None
    fault: str
    created_at: int
    created_by: str


@dataclass(frozen=True, slots=True)
class SentAlert:
    """One message of a rule. `sound` is the name of a file, "" for the sound of the program.
    `delivery_id` is the delivery to an endpoint; `error` says why there is none."""

    id: int
    at: int
    rule_id: int
    rule_name: str
    channel: Channel
    message: AlertMessage
    sound: str
    delivery_id: int | None
    error: str


@dataclass(frozen=True, slots=True)
class AlertsToPresent:
    """What a window, a desktop or a speaker has to present now, oldest first. `last` is the place
    to go on from."""

    last: int
    messages: tuple[SentAlert, ...]
