"""Keep one open alert for each cause, and tell it as the rules say; only by the leader."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.alert_rules import UNTOLD, AlertRule, Step, due, state_of
from cnc_station.engine.domain.alerts import Alert, AlertKind, Cause, Severity, grouped
from cnc_station.engine.domain.errors import Fenced
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.store.alert_causes import CauseContext, causes
from cnc_station.engine.store.alert_messages import Telling, tell
from cnc_station.engine.store.alert_rules import stored_rules
from cnc_station.engine.store.alert_tables import alert, alert_step
from cnc_station.engine.store.stations import leads
from cnc_station.engine.store.transaction import OneByOne, Tx

_AHEAD_MS = 5_000  # a time further in the future: the clock was set back


@dataclass(frozen=True, slots=True)
class UpdateAlerts(OneByOne[None]):
    """Open an alert for each new cause, end those whose cause is over, and tell what is due.

    Raises Fenced if this station no longer leads in `term`.
    """

    incarnation: str
    term: int
    context: CauseContext

    def write(self, tx: Tx) -> None:
        if not leads(tx, self.incarnation, self.term):
            raise Fenced("another station leads")
        tx.flush()
        stored = _Stored(tx.connection)
        difference = _difference(tx.connection, tx.now, self.context, stored)
        _apply(tx, difference)
        if difference:
            stored = _Stored(tx.connection)
        tellings, over = _due_now(stored, tx.now)
        tell(tx, tellings)
        _finish(tx, over)
        if difference or tellings:
            tx.notify(Topic.ALERTS_CHANGED)


def look(connection: Connection, now: int, context: CauseContext) -> float | None:
    """Return in how many seconds there is something to write, at most 0 if there is now; None:
    nothing, as far as is known."""
    stored = _Stored(connection)
    if _difference(connection, now, context, stored):
        return 0.0
    if _due_now(stored, now) != ((), ()):
        return 0.0
    times = [at for _, _, _, at in stored.plan(now) if at is not None]
    return (min(times) - now) / 1000 if times else None


class _Stored:
    """The open alerts, those that ended and may still have to be told, and the rules."""

    def __init__(self, connection: Connection) -> None:
        steps = connection.execute(select(alert_step).where(~alert_step.c.done)).all()
        told = select(alert_step.c.alert_id).where(~alert_step.c.done)
        rows = connection.execute(
            select(alert).where(or_(alert.c.ended_at.is_(None), alert.c.id.in_(told)))
        )
        self.alerts = [alert_of(row) for row in rows.all()]
        self.rules: Mapping[int, AlertRule] = stored_rules(connection)
        self.steps: dict[int, dict[int, Step]] = defaultdict(dict)
        for row in steps:
            self.steps[row.alert_id][row.rule_id] = Step(row.sent, row.sent_at)

    @property
    def open(self) -> dict[str, Alert]:
        """The open alerts by the key of their cause."""
        return {one.cause.key: one for one in self.alerts if one.ended_at is None}

    def plan(self, now: int) -> Iterable[tuple[Alert, int, Step, int | None]]:
        """Yield when each rule tells each alert next, as far as both have to do with each other."""
        for one in self.alerts:
            steps = self.steps.get(one.id, {})
            ids = self.rules if one.ended_at is None else steps
            for rule_id in ids:
                step, rule = steps.get(rule_id, UNTOLD), self.rules.get(rule_id)
                at = None if rule is None else due(rule, one, step, now)
                yield one, rule_id, step, at


@dataclass(slots=True)
class _Difference:
    """How the stored alerts differ from the causes. `ahead`: alerts with a time in the future."""

    opened: list[Cause] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    changed: list[tuple[int, Cause]] = field(default_factory=list)
    ahead: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.opened or self.ended or self.changed or self.ahead)


def alert_of(row: Row[Any]) -> Alert:
    """The alert stored in a row."""
    cause = Cause(
        row.key,
        AlertKind(row.kind),
        Severity(row.severity),
        row.since,
        json.loads(row.args),
        row.machine_id,
        row.job_id,
        row.tenant,
    )
    return Alert(row.id, cause, row.raised_at, row.acknowledged_at, row.ended_at)


def _difference(
    connection: Connection, now: int, context: CauseContext, stored: _Stored
) -> _Difference:
    found, known = _Difference(), stored.open
    present = {
        cause.key: cause for cause in grouped(causes(connection, now, context), frozenset(known))
    }
    for key, cause in present.items():
        if (one := known.get(key)) is None:
            found.opened.append(cause)
        elif replace(one.cause, since=cause.since) != cause:
            found.changed.append((one.id, cause))
    found.ended = [one.id for key, one in known.items() if key not in present]
    latest = now + _AHEAD_MS
    for one in known.values():
        times = [one.raised_at, one.cause.since]
        times += [step.sent_at or 0 for step in stored.steps.get(one.id, {}).values()]
        if max(times) > latest:
            found.ahead.append(one.id)
    return found


def _columns(cause: Cause) -> dict[str, Any]:
    return {
        "severity": cause.severity.value,
        "machine_id": cause.machine_id,
        "job_id": cause.job_id,
        "tenant": cause.tenant,
        "args": json.dumps(dict(cause.args)),
    }


def _apply(tx: Tx, difference: _Difference) -> None:
    if difference.ended:
        tx.connection.execute(
            update(alert).where(alert.c.id.in_(difference.ended)).values(ended_at=tx.now)
        )
    for alert_id, cause in difference.changed:
        tx.connection.execute(update(alert).where(alert.c.id == alert_id).values(**_columns(cause)))
    if difference.opened:
        tx.connection.execute(
            insert(alert),
            [
                {
                    "key": cause.key,
                    "kind": cause.kind.value,
                    "since": min(cause.since, tx.now),
                    "raised_at": tx.now,
                    **_columns(cause),
                }
                for cause in difference.opened
            ],
        )
    _set_back(tx, difference.ahead)


def _set_back(tx: Tx, ids: Sequence[int]) -> None:
    """The clock was set back: what is due after some time counts from now on."""
    for column in (alert.c.since, alert.c.raised_at):
        tx.connection.execute(
            update(alert).where(alert.c.id.in_(ids), column > tx.now).values({column.name: tx.now})
        )
    tx.connection.execute(
        update(alert_step)
        .where(alert_step.c.alert_id.in_(ids), alert_step.c.sent_at > tx.now)
        .values(sent_at=tx.now)
    )


def _due_now(stored: _Stored, now: int) -> tuple[tuple[Telling, ...], tuple[tuple[int, int], ...]]:
    """Return what is to be told now, and which steps of ended alerts are over without a word."""
    tellings, over = [], []
    for one, rule_id, step, at in stored.plan(now):
        if at is None:
            if one.ended_at is not None:
                over.append((one.id, rule_id))
            continue
        if at > now:
            continue
        others = stored.steps.get(one.id, {})
        told = any(step.sent for other, step in others.items() if other != rule_id)
        state = state_of(one, step, told_by_others=told)
        tellings.append(Telling(one, rule_id, stored.rules[rule_id], step, state))
    return tuple(tellings), tuple(over)


def _finish(tx: Tx, over: Sequence[tuple[int, int]]) -> None:
    if over:
        tx.connection.execute(
            update(alert_step)
            .where(alert_step.c.alert_id == bindparam("alert"))
            .where(alert_step.c.rule_id == bindparam("rule"))
            .values(done=True),
            [{"alert": alert_id, "rule": rule_id} for alert_id, rule_id in over],
        )


@dataclass(frozen=True, slots=True)
class AcknowledgeAlerts(OneByOne[tuple[str, ...]]):
    """A person takes care of open alerts. Returns for each the reason why that was not possible; ""
    if it was."""

    alert_ids: tuple[int, ...]
    reason: str
    actor: str

    def write(self, tx: Tx) -> tuple[str, ...]:
        query = select(alert).where(alert.c.id.in_(sorted(set(self.alert_ids)))).with_for_update()
        rows = {row.id: row for row in tx.connection.execute(query)}
        refused = {alert_id: _refusal(alert_id, rows.get(alert_id)) for alert_id in self.alert_ids}
        wanted = [alert_id for alert_id, why in refused.items() if not why]
        tx.connection.execute(
            update(alert)
            .where(alert.c.id.in_(wanted))
            .values(
                acknowledged_at=tx.now,
                acknowledged_by=self.actor,
                acknowledged_reason=self.reason,
            )
        )
        for alert_id in wanted:
            row = rows[alert_id]
            tx.record(
                t.ALERT_ACKNOWLEDGED,
                actor=self.actor,
                machine_id=row.machine_id,
                reason=self.reason,
                details={"alert": alert_id, "kind": row.kind},
                tenant=row.tenant,
            )
        if wanted:
            tx.notify(Topic.ALERTS_CHANGED)
        return tuple(refused[alert_id] for alert_id in self.alert_ids)


def _refusal(alert_id: int, row: Row[Any] | None) -> str:
    if row is None:
        return f"There is no alert {alert_id}."
    if row.ended_at is not None:
        return f"Alert {alert_id} is over."
    if row.acknowledged_at is not None:
        return f"{row.acknowledged_by} has acknowledged alert {alert_id} already."
    return ""
