"""Tell alerts: queue them for an endpoint, or for the windows, desktops and speakers to present."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from cnc_station.engine import codec
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.alert_rules import AlertRule, Channel, Step
from cnc_station.engine.domain.alerts import (
    Alert,
    AlertKind,
    AlertMessage,
    AlertState,
    message,
)
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.store.alert_rules import stored_rules
from cnc_station.engine.store.alert_tables import alert_message, alert_step
from cnc_station.engine.store.deliveries import queue_alert_delivery
from cnc_station.engine.store.transaction import OneByOne, Tx

ACTOR = "alerts"
NO_ENDPOINT = "The endpoint is disabled or was deleted."
OWN_FAILURE = "Not sent to the endpoint that has failed."


@dataclass(frozen=True, slots=True)
class Telling:
    """A rule tells an alert now; `step` is what it has told before."""

    alert: Alert
    rule_id: int
    rule: AlertRule
    step: Step
    state: AlertState


def tell(tx: Tx, tellings: Sequence[Telling]) -> None:
    """Write the messages, and count them for the next time."""
    if not tellings:
        return
    rows = [_row(tx, one) for one in tellings]
    tx.connection.execute(insert(alert_message), rows)
    _count(tx, tellings)
    if any(one.rule.channel is not Channel.ENDPOINT for one in tellings):
        tx.record(t.ALERTS_TOLD, actor=ACTOR)


def _row(tx: Tx, one: Telling) -> dict[str, Any]:
    text = message(one.alert, one.state, tx.now)
    delivery_id, error = None, ""
    if (endpoint := one.rule.webhook_id) is not None:
        about = one.alert.cause
        if about.kind is AlertKind.DELIVERY_DEAD and about.args.get("webhook") == endpoint:
            error = OWN_FAILURE
        elif (delivery_id := queue_alert_delivery(tx, endpoint, text)) is None:
            error = NO_ENDPOINT
    if one.state is AlertState.ESCALATED:
        tx.record(
            t.ALERT_ESCALATED,
            actor=ACTOR,
            machine_id=one.alert.cause.machine_id,
            reason=f"{one.rule.name}: {text.text}",
            details={"alert": one.alert.id, "rule": one.rule_id},
            tenant=text.tenant,
        )
    return _stored(tx, one.rule_id, one.rule, text, delivery_id, error)


def _stored(
    tx: Tx, rule_id: int, rule: AlertRule, text: AlertMessage, delivery_id: int | None, error: str
) -> dict[str, Any]:
    return {
        "at": tx.now,
        "alert_id": text.alert_id or None,
        "rule_id": rule_id,
        "rule_name": rule.name,
        "channel": rule.channel.value,
        "sound": rule.sounds.get(text.severity, ""),
        "delivery_id": delivery_id,
        "error": error,
        "tenant": text.tenant,
        "message": codec.dump(AlertMessage, text).decode(),
    }


def _count(tx: Tx, tellings: Sequence[Telling]) -> None:
    new = [one for one in tellings if not one.step.sent]
    if new:
        rows = [{**_ids(one), "sent": 1, "sent_at": tx.now, "done": False} for one in new]
        tx.connection.execute(insert(alert_step), rows)
    if again := [one for one in tellings if one.step.sent]:
        tx.connection.execute(
            update(alert_step)
            .where(alert_step.c.alert_id == bindparam("alert"))
            .where(alert_step.c.rule_id == bindparam("rule"))
            .values(sent=alert_step.c.sent + 1, sent_at=tx.now, done=bindparam("over")),
            [
                {
                    "alert": one.alert.id,
                    "rule": one.rule_id,
                    "over": one.state is AlertState.WITHDRAWN,
                }
                for one in again
            ],
        )


def _ids(one: Telling) -> dict[str, Any]:
    return {"alert_id": one.alert.id, "rule_id": one.rule_id}


@dataclass(frozen=True, slots=True)
class TellTest(OneByOne[int]):
    """Tell a test by the channel of a rule; returns the id of the message. Raises Conflict if there
    is no such rule, or if its endpoint is disabled or gone."""

    rule_id: int
    actor: str

    def write(self, tx: Tx) -> int:
        rule = stored_rules(tx.connection).get(self.rule_id)
        if rule is None:
            raise Conflict(f"There is no alert rule {self.rule_id}.")
        text = AlertMessage(
            alert_id=0,
            kind=rule.kinds[0] if rule.kinds else AlertKind.MACHINE_WAITING,
            severity=rule.least_severity,
            title="Test of an alert",
            text=f"{self.actor} tests the rule {rule.name}. Nothing has to be done.",
            machine=None,
            job_id=None,
            tenant=rule.tenant,
            raised_at=tx.now,
            state=AlertState.TEST,
        )
        delivery_id = None
        if rule.webhook_id is not None:
            delivery_id = queue_alert_delivery(tx, rule.webhook_id, text)
            if delivery_id is None:
                raise Conflict(NO_ENDPOINT)
        (message_id,) = tx.dialect.reserve(tx.connection, alert_message, 1)
        row = _stored(tx, self.rule_id, rule, text, delivery_id, "")
        tx.connection.execute(insert(alert_message).values(id=message_id, **row))
        if rule.webhook_id is None:
            tx.record(t.ALERTS_TOLD, actor=self.actor)
        return message_id


def newest_message(connection: Connection) -> int:
    """Return the id of the last message; 0 if there is none."""
    query = select(alert_message.c.id).order_by(alert_message.c.id.desc()).limit(1)
    return connection.execute(query).scalar() or 0
