"""Queries about alerts and their rules."""

from dataclasses import dataclass

from cnc_station.engine.queries.base import Query
from cnc_station.engine.views.alerts import (
    AlertPage,
    AlertRow,
    AlertRuleRow,
    AlertsToPresent,
    SentAlert,
)


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
