"""Changes of alerts and of their rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from cnc_station.engine.commands.base import Command
from cnc_station.engine.domain.admission import REASON
from cnc_station.engine.domain.alert_rules import AlertRule
from cnc_station.engine.views import Answer
from cnc_station.engine.views.alerts import SentAlert


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
