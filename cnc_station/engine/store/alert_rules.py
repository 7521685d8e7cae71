"""Alert rules: their changes."""

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from cnc_station.engine import codec
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.alert_rules import AlertRule
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.store.alert_tables import alert_rule, alert_step
from cnc_station.engine.store.before_after import before_after
from cnc_station.engine.store.schema import machine
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.store.webhooks import exists


class AlertRuleCommand(OneByOne[Any]):
    """A command about a rule; their order is kept."""

    __slots__ = ()

    @property
    def touches(self) -> Sequence[Hashable]:
        return ("alert_rules",)


def rule_of(row: Row[Any]) -> AlertRule:
    """The rule stored in a row."""
    return codec.load(AlertRule, row.rule.encode())


def stored_rules(connection: Connection) -> Mapping[int, AlertRule]:
    """Every rule by its id, in the order they were added."""
    query = select(alert_rule).order_by(alert_rule.c.id)
    return {row.id: rule_of(row) for row in connection.execute(query)}


def rule_exists(connection: Connection, rule_id: int) -> bool:
    """Whether there is a rule of this id that the reader may see."""
    query = select(alert_rule.c.id).where(alert_rule.c.id == rule_id)
    return connection.execute(query).scalar() is not None


def _columns(rule: AlertRule) -> dict[str, Any]:
    return {"tenant": rule.tenant, "rule": codec.dump(AlertRule, rule).decode()}


@dataclass(frozen=True, slots=True)
class CreateAlertRule(AlertRuleCommand):
    """Store a validated rule. Returns its id. Raises InvalidInput if its machine or its endpoint
    does not exist."""

    rule: AlertRule
    actor: str

    def write(self, tx: Tx) -> int:
        _check_references(tx, self.rule)
        (rule_id,) = tx.dialect.reserve(tx.connection, alert_rule, 1)
        tx.connection.execute(
            insert(alert_rule).values(
                id=rule_id,
                version=1,
                created_at=tx.now,
                created_by=self.actor,
                **_columns(self.rule),
            )
        )
        _record(tx, rule_id, self.rule, self.actor, "added", (None, self.rule))
        return rule_id


@dataclass(frozen=True, slots=True)
class EditAlertRule(AlertRuleCommand):
    """Replace a rule by a validated one; with `version`, only if nobody changed it since. Raises
    Conflict, InvalidInput."""

    rule_id: int
    rule: AlertRule
    actor: str
    version: int | None = None

    def write(self, tx: Tx) -> None:
        row = _locked(tx, self.rule_id)
        if self.version not in {None, row.version}:
            raise Conflict("The rule was changed by somebody else meanwhile. Open it again.")
        _check_references(tx, self.rule)
        tx.connection.execute(
            update(alert_rule)
            .where(alert_rule.c.id == self.rule_id)
            .values(version=alert_rule.c.version + 1, **_columns(self.rule))
        )
        _record(tx, self.rule_id, self.rule, self.actor, "changed", (rule_of(row), self.rule))


@dataclass(frozen=True, slots=True)
class DeleteAlertRule(AlertRuleCommand):
    """Delete a rule; what it told stays. Raises Conflict if it does not exist."""

    rule_id: int
    actor: str

    def write(self, tx: Tx) -> None:
        row = _locked(tx, self.rule_id)
        tx.connection.execute(delete(alert_rule).where(alert_rule.c.id == self.rule_id))
        tx.connection.execute(delete(alert_step).where(alert_step.c.rule_id == self.rule_id))
        rule = rule_of(row)
        _record(tx, self.rule_id, rule, self.actor, "deleted", (rule, None))


def _locked(tx: Tx, rule_id: int) -> Row[Any]:
    query = select(alert_rule).where(alert_rule.c.id == rule_id).with_for_update()
    if (row := tx.connection.execute(query).one_or_none()) is None:
        raise Conflict(f"There is no alert rule {rule_id}.")
    return row


def _check_references(tx: Tx, rule: AlertRule) -> None:
    errors = []
    if rule.machine_id is not None:
        query = select(machine.c.id).where(machine.c.id == rule.machine_id, ~machine.c.removed)
        if tx.connection.execute(query).scalar() is None:
            errors.append(FieldError("machine_id", f"there is no machine {rule.machine_id}"))
    if rule.webhook_id is not None and not exists(tx.connection, rule.webhook_id):
        errors.append(FieldError("webhook_id", f"there is no webhook {rule.webhook_id}"))
    if errors:
        raise InvalidInput(*errors)


def _record(
    tx: Tx,
    rule_id: int,
    rule: AlertRule,
    actor: str,
    what: str,
    change: tuple[AlertRule | None, AlertRule | None],
) -> None:
    before, after = (None if one is None else _told(one) for one in change)
    tx.record(
        t.ALERT_RULES_CHANGED,
        actor=actor,
        reason=f"{rule.name} {what}",
        details={"rule": rule_id, **before_after(before, after)},
        tenant=rule.tenant,
    )


def _told(rule: AlertRule) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(codec.dump(AlertRule, rule))
    return told
