"""Answers about alerts and their rules. A principal of some tenants changes their rules only."""

from dataclasses import replace
from functools import partial

from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain import checks
from cnc_station.engine.domain.alert_rules import AlertRule
from cnc_station.engine.domain.checks import refuse
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.store import alert_messages, alert_rules, alerts, webhooks
from cnc_station.engine.store.queries import alerts as rows
from cnc_station.engine.views import Answer
from cnc_station.engine.views.alerts import (
    AlertPage,
    AlertRow,
    AlertRuleRow,
    AlertsToPresent,
    SentAlert,
)

MOST_IDS = 1_000
MOST_ROWS = 1_000


async def acknowledge_alerts(
    context: AnswerContext, command: commands.AcknowledgeAlerts, actor: str
) -> tuple[Answer, ...]:
    """See `AcknowledgeAlerts`."""
    ids = tuple(dict.fromkeys(command.alert_ids))
    if len(ids) > MOST_IDS:
        raise InvalidInput(FieldError("alert_ids", f"at most {MOST_IDS:,} at once"))
    refuse(e for one in ids for e in checks.whole("alert_ids", one, 1, checks.MOST_ID))
    seen = await context.reader.read(partial(rows.visible_alerts, ids=frozenset(ids)))
    known = tuple(one for one in ids if one in seen)
    done = await context.writer.write(alerts.AcknowledgeAlerts(known, command.reason, actor))
    errors = dict(zip(known, done, strict=True))
    return tuple(Answer(one, errors.get(one, f"There is no alert {one}.")) for one in ids)


async def create_alert_rule(
    context: AnswerContext, command: commands.CreateAlertRule, actor: str
) -> int:
    """See `CreateAlertRule`."""
    rule = await _checked(context, command.rule)
    return await context.writer.write(alert_rules.CreateAlertRule(rule, actor))


async def edit_alert_rule(
    context: AnswerContext, command: commands.EditAlertRule, actor: str
) -> None:
    """See `EditAlertRule`."""
    await _refuse_hidden(context, command.rule_id)
    rule = await _checked(context, command.rule)
    edit = alert_rules.EditAlertRule(command.rule_id, rule, actor, command.version)
    await context.writer.write(edit)


async def delete_alert_rule(
    context: AnswerContext, command: commands.DeleteAlertRule, actor: str
) -> None:
    """See `DeleteAlertRule`."""
    await _refuse_hidden(context, command.rule_id)
    await context.writer.write(alert_rules.DeleteAlertRule(command.rule_id, actor))


async def send_test(
    context: AnswerContext, command: commands.TestAlertRule, actor: str
) -> SentAlert:
    """See `TestAlertRule`."""
    await _refuse_hidden(context, command.rule_id)
    message_id = await context.writer.write(alert_messages.TellTest(command.rule_id, actor))
    return await context.reader.read(partial(rows.one_message, message_id=message_id))


async def list_open_alerts(
    context: AnswerContext, _query: queries.ListOpenAlerts
) -> tuple[AlertRow, ...]:
    """See `ListOpenAlerts`."""
    return await context.reader.read_now(rows.open_alerts)


async def list_alerts(context: AnswerContext, query: queries.ListAlerts) -> AlertPage:
    """See `ListAlerts`."""
    limit, offset = min(max(query.limit, 1), MOST_ROWS), max(query.offset, 0)
    return await context.reader.read_now(
        partial(
            rows.all_alerts,
            offset=offset,
            limit=limit,
            machine_id=query.machine_id,
            job_id=query.job_id,
        )
    )


async def alert_history(
    context: AnswerContext, query: queries.AlertHistory
) -> tuple[SentAlert, ...]:
    """See `AlertHistory`."""
    return await context.reader.read(partial(rows.messages_of, alert_id=query.alert_id))


async def new_alert_messages(
    context: AnswerContext, query: queries.NewAlertMessages
) -> AlertsToPresent:
    """See `NewAlertMessages`."""
    return await context.reader.read(partial(rows.to_present, after=query.after))


async def list_alert_rules(
    context: AnswerContext, _query: queries.ListAlertRules
) -> tuple[AlertRuleRow, ...]:
    """See `ListAlertRules`."""
    return await context.reader.read(rows.rules)


async def _checked(context: AnswerContext, rule: AlertRule) -> AlertRule:
    rule = replace(rule, kinds=tuple(rule.kinds)).validated()
    if context.tenants is None:
        return rule
    if rule.tenant not in context.tenants:
        raise InvalidInput(FieldError("tenant", "must be one of yours"))
    if rule.webhook_id is not None and not await context.reader.read(
        partial(webhooks.exists, webhook_id=rule.webhook_id)
    ):
        raise InvalidInput(FieldError("webhook_id", f"there is no webhook {rule.webhook_id}"))
    return rule


async def _refuse_hidden(context: AnswerContext, rule_id: int) -> None:
    refuse(checks.whole("rule_id", rule_id, 1, checks.MOST_ID))
    if not await context.reader.read(partial(alert_rules.rule_exists, rule_id=rule_id)):
        raise Conflict(f"There is no alert rule {rule_id}.")
