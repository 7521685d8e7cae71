"""`alert` and `alert-rule`: what asks for a person, and who is told of it."""

import re
from dataclasses import replace
from typing import Any

from cnc_station.cli.client import client, machine_id
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import clock, print_fields, print_json, print_table, say
from cnc_station.cli.schedule import zone_of
from cnc_station.engine.commands import (
    AcknowledgeAlerts,
    CreateAlertRule,
    DeleteAlertRule,
    EditAlertRule,
    TestAlertRule,
)
from cnc_station.engine.domain import table_values
from cnc_station.engine.domain.alert_rules import AlertRule, Channel, QuietHours
from cnc_station.engine.domain.alerts import AlertKind, Severity
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.time_text import DAYS, span
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import AlertHistory, ListAlertRules, ListAlerts, ListOpenAlerts
from cnc_station.engine.views.alerts import AlertRow, AlertRuleRow

_ALL = "all"
_QUIET = re.compile(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)")


async def alerts(call: Call) -> int:
    """Print the open alerts, or all."""
    args = call.args
    async with client(call.config) as door:
        if args.all or args.machine or args.job is not None:
            wanted = await machine_id(door, args.machine) if args.machine else None
            every = ListAlerts(limit=max(1, args.limit), machine_id=wanted, job_id=args.job)
            rows = (await door.ask(every)).rows
        else:
            rows = await door.ask(ListOpenAlerts())
    if call.json:
        print_json({"alerts": rows})
        return Exit.OK
    print_table(
        ["ID", "SEVERITY", "SINCE", "LASTS", "STATE", "ALERT"],
        [
            [
                str(row.id),
                row.severity,
                clock(row.since, call.config.time_zone),
                span(round(row.waited_s * 1000)),
                _state(row),
                row.text,
            ]
            for row in rows
        ],
        right="ID",
    )
    return Exit.OK


def _state(row: AlertRow) -> str:
    if row.ended_at is not None:
        return "over"
    return f"{row.acknowledged_by} takes care" if row.acknowledged_by else "open"


async def alert(call: Call) -> int:
    """Print what was told of an alert."""
    async with client(call.config) as door:
        found = await door.ask(AlertHistory(call.args.id))
    if call.json:
        print_json({"messages": found})
        return Exit.OK
    print_table(
        ["AT", "RULE", "CHANNEL", "STATE", "DELIVERY", "TEXT", "ERROR"],
        [
            [
                clock(one.at, call.config.time_zone),
                one.rule_name,
                one.channel,
                one.message.state,
                "" if one.delivery_id is None else str(one.delivery_id),
                one.message.text,
                one.error,
            ]
            for one in found
        ],
        right="DELIVERY",
    )
    return Exit.OK


async def acknowledge(call: Call) -> int:
    """Take care of alerts: those named, or all open ones."""
    args = call.args
    if bool(args.ids) == args.all:
        raise InvalidInput(FieldError("id", "name alerts, or give --all"))
    async with client(call.config) as door:
        ids = tuple(args.ids)
        if args.all:
            rows = await door.ask(ListOpenAlerts())
            ids = tuple(row.id for row in rows if row.acknowledged_at is None)
        answers = await door.execute(AcknowledgeAlerts(ids, args.reason))
    if call.json:
        print_json({"alerts": answers})
    for answer in () if call.json else answers:
        say(answer.error or f"Alert {answer.id} acknowledged.")
    return Exit.OK if all(answer.applied for answer in answers) else Exit.REFUSED


async def rules(call: Call) -> int:
    """Print the rules."""
    async with client(call.config) as door:
        rows = await door.ask(ListAlertRules())
    if call.json:
        print_json({"rules": rows})
        return Exit.OK
    print_table(
        ["ID", "NAME", "BY", "FROM", "AFTER", "REPEAT", "QUIET", "STATE", "ABOUT"],
        [
            [
                str(row.id),
                row.rule.name,
                row.endpoint or row.rule.channel,
                row.rule.least_severity,
                span(round(row.rule.after_s * 1000)),
                span(round(row.rule.repeat_s * 1000)) if row.rule.repeat_s else "",
                _quiet_words(row.rule.quiet),
                row.fault or ("enabled" if row.rule.enabled else "disabled"),
                " ".join(row.rule.kinds) or "everything",
            ]
            for row in rows
        ],
        right="ID",
    )
    return Exit.OK


def _quiet_words(quiet: QuietHours | None) -> str:
    if quiet is None:
        return ""
    times = (f"{at // 60:02}:{at % 60:02}" for at in (quiet.start_min, quiet.end_min))
    days = " ".join(DAYS[day] for day in quiet.weekdays)
    return " ".join(("-".join(times), days)).strip()


async def add_rule(call: Call) -> int:
    """Store a new rule."""
    async with client(call.config) as door:
        fields = await _fields(door, call)
        fields.setdefault("channel", Channel.WINDOW)
        rule_id = await door.execute(CreateAlertRule(AlertRule(name=call.args.rule, **fields)))
    return _done(call, rule_id, "added")


async def edit_rule(call: Call) -> int:
    """Change the fields that were given."""
    async with client(call.config) as door:
        row = await _found(door, call)
        fields = await _fields(door, call)
        if call.args.rename:
            fields["name"] = call.args.rename
        await door.execute(EditAlertRule(row.id, replace(row.rule, **fields), row.version))
    return _done(call, row.id, "changed")


async def enable_rule(call: Call) -> int:
    """Use a rule again."""
    return await _switch(call, enabled=True)


async def disable_rule(call: Call) -> int:
    """Do not use a rule for now."""
    return await _switch(call, enabled=False)


async def _switch(call: Call, *, enabled: bool) -> int:
    async with client(call.config) as door:
        row = await _found(door, call)
        await door.execute(EditAlertRule(row.id, replace(row.rule, enabled=enabled), row.version))
    return _done(call, row.id, "enabled" if enabled else "disabled")


async def delete_rule(call: Call) -> int:
    """Delete a rule."""
    async with client(call.config) as door:
        row = await _found(door, call)
        await door.execute(DeleteAlertRule(row.id))
    return _done(call, row.id, "deleted")


async def test_rule(call: Call) -> int:
    """Tell a test by the channel of a rule."""
    async with client(call.config) as door:
        row = await _found(door, call)
        told = await door.execute(TestAlertRule(row.id))
    if call.json:
        print_json(told)
        return Exit.OK
    delivery = "" if told.delivery_id is None else f"delivery {told.delivery_id}"
    print_fields([("Rule", told.rule_name), ("By", told.channel), ("Queued", delivery)])
    return Exit.OK


async def _found(door: Asks, call: Call) -> AlertRuleRow:
    """Return the rule of this number or name. Raises Conflict, InvalidInput."""
    wanted = call.args.rule
    rows = await door.ask(ListAlertRules())
    found = [row for row in rows if str(row.id) == wanted] or [
        row for row in rows if row.rule.name == wanted
    ]
    if len(found) > 1:
        numbers = ", ".join(str(row.id) for row in found)
        raise InvalidInput(FieldError("rule", f"{wanted} is the name of several: {numbers}"))
    if not found:
        raise Conflict(f"There is no alert rule {wanted}.")
    return found[0]


async def _fields(door: Asks, call: Call) -> dict[str, Any]:
    """Return the fields of the rule that were given. Raises InvalidInput."""
    args = call.args
    found: dict[str, Any] = {
        name: value
        for name in ("tells_end", "critical_breaks_quiet")
        if (value := getattr(args, name)) is not None
    }
    if args.channel:
        found |= {"channel": Channel(args.channel), "webhook_id": None}
    if args.webhook is not None:
        found |= {"channel": Channel.ENDPOINT, "webhook_id": args.webhook}
    if args.sound:
        found["sounds"] = dict(map(_sound, args.sound))
    return found | await _about(door, call) | _times(call)


async def _about(door: Asks, call: Call) -> dict[str, Any]:
    args = call.args
    found: dict[str, Any] = {}
    if args.kind:
        found["kinds"] = () if _ALL in args.kind else tuple(map(_kind, args.kind))
    if args.severity:
        found["least_severity"] = Severity(args.severity)
    if args.machine:
        one = args.machine != _ALL
        found["machine_id"] = await machine_id(door, args.machine) if one else None
    if args.tenant is not None:
        found["tenant"] = None if args.tenant == _ALL else args.tenant
    return found


def _times(call: Call) -> dict[str, Any]:
    args = call.args
    found: dict[str, Any] = {
        name: _seconds(name, text)
        for name in ("after_s", "repeat_s")
        if (text := getattr(args, name)) is not None
    }
    if args.quiet:
        found["quiet"] = None if args.quiet == "none" else _quiet(call)
    elif args.quiet_day or args.time_zone:
        raise InvalidInput(FieldError("quiet", "must be given too, with --quiet"))
    return found


def _kind(text: str) -> AlertKind:
    try:
        return AlertKind(text)
    except ValueError as error:
        known = ", ".join(AlertKind)
        raise InvalidInput(FieldError("kind", f"must be one of all, {known}")) from error


def _seconds(name: str, text: str) -> float:
    try:
        return table_values.seconds(text)
    except ValueError as error:
        raise InvalidInput(FieldError(name, str(error))) from error


def _quiet(call: Call) -> QuietHours:
    parts = _QUIET.fullmatch(call.args.quiet.strip())
    if parts is None:
        raise InvalidInput(FieldError("quiet", "must be hours such as 22:00-06:00, or none"))
    start_h, start, end_h, end = map(int, parts.groups())
    days = tuple(map(_day, call.args.quiet_day))
    zone = call.args.time_zone or zone_of(call)
    return QuietHours(start_h * 60 + start, end_h * 60 + end, zone, days)


def _day(text: str) -> int:
    name = text.strip().capitalize()[:3]
    if name not in DAYS:
        raise InvalidInput(FieldError("quiet_day", f"must be one of {', '.join(DAYS)}"))
    return DAYS.index(name)


def _sound(text: str) -> tuple[Severity, str]:
    severity, _, name = text.partition("=")
    if severity not in tuple(Severity) or not name:
        raise InvalidInput(FieldError("sound", "must be SEVERITY=FILE: critical=horn.wav"))
    return Severity(severity), name


def _done(call: Call, rule_id: int, what: str) -> int:
    if call.json:
        print_json({"id": rule_id, "result": what})
    else:
        say(f"Alert rule {rule_id} {what}.")
    return Exit.OK
