"""Alerts in the store: one for each cause, told by the leader as the rules say."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Table

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.alert_rules import Channel, QuietHours
from cnc_station.engine.domain.alerts import AlertKind, AlertState, Severity
from cnc_station.engine.domain.errors import Conflict, Fenced, InvalidInput
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import receiver_of
from cnc_station.engine.store.alert_messages import NO_ENDPOINT, TellTest
from cnc_station.engine.store.alert_rules import DeleteAlertRule, EditAlertRule
from cnc_station.engine.store.alert_tables import alert, alert_message, alert_step
from cnc_station.engine.store.alerts import AcknowledgeAlerts, UpdateAlerts
from cnc_station.engine.store.queries import alerts as rows
from cnc_station.engine.store.retention_records import DeleteEndedAlerts
from cnc_station.engine.store.stations import Lead
from cnc_station.engine.store.tenants import for_tenants
from cnc_station.engine.store.webhook_tables import delivery
from cnc_station.engine.store.webhooks import CreateWebhook, DeleteWebhook
from cnc_station.engine.views.alerts import AlertsToPresent
from tests.store.alerts import (
    CONTEXT,
    ENDPOINT,
    MINUTE,
    Without,
    is_open,
    messages,
    rule,
    sent,
    states,
    step,
    waiting_mill,
)
from tests.store.shop import FOR_EVER_S, Shop, mill


@pytest.fixture(autouse=True)
async def no_rules(shop: Shop) -> None:
    await shop.write(Without())


async def test_a_cause_opens_one_alert_and_ends_it_when_it_is_over(shop: Shop) -> None:
    await rule(shop, tells_end=True)
    machine_id = await waiting_mill(shop)
    assert await step(shop) is None
    (one,) = is_open(shop)
    assert (one.kind, one.title) == (AlertKind.MACHINE_WAITING, "Mill 3: clear it")
    shop.later(10 * MINUTE)
    await step(shop)
    (still,) = is_open(shop)
    assert still.id == one.id
    assert still.text == "Mill 3 has waited 10 min for clearing."
    assert states(shop) == ["Window raised"]
    await shop.move_machine(t.CLEARED, machine_id)
    await step(shop)
    assert is_open(shop) == ()
    assert states(shop) == ["Window raised", "Window withdrawn"]
    page = shop.database.read(
        partial(rows.all_alerts, now=shop.clock.ms, offset=0, limit=9, machine_id=machine_id)
    )
    assert [(row.id, row.waited_s, row.told) for row in page.rows] == [(one.id, 600.0, 2)]
    await shop.job(pinned_machine_id=machine_id)
    await shop.run_to(t.COMPLETED, await shop.claim_one())
    await step(shop)
    (again,) = is_open(shop)
    assert (again.id, again.waited_s) == (2, 0.0)


async def test_a_cause_that_is_over_and_comes_again_unseen_is_another_alert(shop: Shop) -> None:
    machine_id = await waiting_mill(shop)
    await step(shop)
    await shop.write(AcknowledgeAlerts((1,), "", "anna"))
    shop.later(MINUTE)
    await shop.move_machine(t.CLEARED, machine_id)
    await shop.job(pinned_machine_id=machine_id)
    await shop.run_to(t.COMPLETED, await shop.claim_one())
    await step(shop)
    assert [(row.id, row.acknowledged_by) for row in is_open(shop)] == [(2, None)]


async def test_only_the_leader_writes_alerts(shop: Shop) -> None:
    await waiting_mill(shop)
    term = await shop.write(Lead("shop", FOR_EVER_S))
    for incarnation, of in (("shop", term - 1), ("other", term)):
        with pytest.raises(Fenced):
            await shop.write(UpdateAlerts(incarnation, of, CONTEXT))
    assert is_open(shop) == ()


async def test_reminders_and_the_escalation_stop_when_a_person_takes_care(shop: Shop) -> None:
    webhook_id = await shop.write(CreateWebhook(ENDPOINT, "a secret", "anna"))
    await rule(shop, repeat_s=5 * MINUTE)
    await rule(
        shop,
        name="Boss",
        channel=Channel.ENDPOINT,
        webhook_id=webhook_id,
        after_s=10 * MINUTE,
        tells_end=True,
    )
    machine_id = await waiting_mill(shop)
    assert await step(shop) == 5 * MINUTE
    for _ in range(2):
        shop.later(5 * MINUTE)
        assert await step(shop) == 5 * MINUTE
    assert states(shop) == [
        "Window raised",
        "Window reminder",
        "Window reminder",
        "Boss escalated",
    ]
    assert messages(shop)[-1].message.text == "Mill 3 has waited 10 min for clearing."
    (queued,) = sent(shop)
    assert (queued.event, queued.webhook_id) == ("alert", webhook_id)
    assert messages(shop)[-1].delivery_id == queued.id
    escalated = shop.events(machine_id=machine_id)[-1]
    assert escalated["type"] == "alert_escalated"
    assert escalated["reason"] == "Boss: Mill 3 has waited 10 min for clearing."
    assert await shop.write(AcknowledgeAlerts((1, 7), "on my way", "bert")) == (
        "",
        "There is no alert 7.",
    )
    assert await shop.write(AcknowledgeAlerts((1,), "", "anna")) == (
        "bert has acknowledged alert 1 already.",
    )
    shop.later(60 * MINUTE)
    assert await step(shop) is None
    assert len(messages(shop)) == 4
    assert is_open(shop)[0].acknowledged_by == "bert"
    assert shop.told(machine_id=machine_id)[-1] == "alert_acknowledged"
    await shop.move_machine(t.CLEARED, machine_id)
    await step(shop)
    assert states(shop)[4:] == ["Boss withdrawn"]
    assert len(sent(shop)) == 2
    assert await shop.write(AcknowledgeAlerts((1,), "", "anna")) == ("Alert 1 is over.",)


async def test_a_clock_that_is_set_delays_no_reminder(shop: Shop) -> None:
    await rule(shop, after_s=10 * MINUTE, repeat_s=10 * MINUTE)
    await waiting_mill(shop)
    await step(shop)
    shop.later(-3600)
    assert await step(shop) == 10 * MINUTE
    shop.later(10 * MINUTE)
    await step(shop)
    assert states(shop) == ["Window raised"]
    shop.later(-3600)
    assert await step(shop) == 10 * MINUTE
    shop.later(10 * 3600)
    await step(shop)
    assert states(shop) == ["Window raised", "Window reminder"]


async def test_an_end_in_quiet_hours_is_told_when_they_are_over(shop: Shop) -> None:
    quiet = QuietHours(16 * 60, 17 * 60, "UTC")  # it is 15:10
    await rule(shop, tells_end=True, quiet=quiet)
    await rule(shop, name="Silent")
    machine_id = await waiting_mill(shop)
    await step(shop)
    shop.later(3600)
    await shop.move_machine(t.CLEARED, machine_id)
    assert await step(shop) == 50 * MINUTE
    await shop.expire(DeleteEndedAlerts, 0)
    shop.later(50 * MINUTE)
    assert await step(shop) is None
    assert states(shop) == ["Window raised", "Silent raised", "Window withdrawn"]
    shop.later(1)
    assert await shop.expire(DeleteEndedAlerts, 0) == 1
    for table in (alert, alert_step, alert_message):
        assert not shop.database.read(partial(_all_of, table=table))


def _all_of(connection: Connection, table: Table) -> Sequence[Any]:
    return connection.execute(table.select()).all()


async def test_a_window_gets_what_is_to_be_presented_after_its_place(shop: Shop) -> None:
    loud = {Severity.WARNING: "horn.wav"}
    await rule(shop, name="Horn", channel=Channel.SOUND, sounds=loud)
    webhook_id = await shop.write(CreateWebhook(ENDPOINT, "a secret", "anna"))
    await rule(shop, name="Chat", channel=Channel.ENDPOINT, webhook_id=webhook_id)
    place = shop.database.read(partial(rows.to_present, after=None))
    assert place == AlertsToPresent(0, ())
    await waiting_mill(shop)
    await step(shop)
    told = {event.type for notice in shop.notices for event in notice.events}
    assert {t.ALERTS_TOLD.name, Topic.ALERTS_CHANGED, Topic.DELIVERIES_QUEUED} <= told
    news = shop.database.read(partial(rows.to_present, after=0))
    (horn,) = news.messages
    assert (horn.sound, horn.message.machine, horn.message.severity) == (
        "horn.wav",
        "Mill 3",
        Severity.WARNING,
    )
    assert shop.database.read(partial(rows.to_present, after=news.last)).messages == ()


async def test_an_alert_about_a_job_is_delivered_with_the_trace_of_the_job(shop: Shop) -> None:
    webhook_id = await shop.write(CreateWebhook(ENDPOINT, "a secret", "anna"))
    await rule(shop, name="Chat", channel=Channel.ENDPOINT, webhook_id=webhook_id)
    job_id = await shop.job()
    await shop.override(job_id, JobState.NEEDS_ATTENTION)
    await step(shop)
    (queued,) = sent(shop)
    row = shop.row(delivery, queued.id)
    assert (row.job_id, row.trace_id) == (job_id, shop.job_row(job_id).trace_id)


async def test_a_rule_of_one_machine_severity_or_tenant_tells_nothing_else(shop: Shop) -> None:
    machine_id = await shop.machine(mill("Mill 1"))
    other = await shop.machine(mill("Mill 2"))
    await rule(shop, name="machine", machine_id=machine_id)
    await rule(shop, name="critical", least_severity=Severity.CRITICAL)
    await rule(shop, name="tenant", tenant="acme")
    await rule(shop, name="kind", kinds=(AlertKind.MACHINE_ALARM,))
    await rule(shop, name="off", enabled=False)
    await shop.move_machine(t.ALARMED, machine_id)
    await shop.move_machine(t.ALARMED, other)
    for tenant in ("acme", "bolt"):
        job_id = await shop.job(tenant=tenant)
        await shop.override(job_id, JobState.NEEDS_ATTENTION)
    await step(shop)
    told = {row.title: states(shop, row.id) for row in is_open(shop)}
    assert told == {
        "Mill 1: alarm": ["machine raised", "critical raised", "kind raised"],
        "Mill 2: alarm": ["critical raised", "kind raised"],
        "Job 1 (bracket): failed": ["tenant raised"],
        "Job 2 (bracket): failed": [],
    }


async def test_a_principal_of_a_tenant_sees_its_alerts_and_the_machines(shop: Shop) -> None:
    await rule(shop)
    await rule(shop, name="acme", tenant="acme")
    await waiting_mill(shop)
    for tenant in ("acme", "bolt"):
        job_id = await shop.job(tenant=tenant)
        await shop.override(job_id, JobState.NEEDS_ATTENTION)
    await step(shop)
    acme = frozenset({"acme"})
    assert {row.title for row in is_open(shop, acme)} == {
        "Mill 3: clear it",
        "Job 2 (bracket): failed",
    }
    read = for_tenants(partial(rows.to_present, after=0), acme)
    assert {one.message.title for one in shop.database.read(read).messages} == {
        "Mill 3: clear it",
        "Job 2 (bracket): failed",
    }
    of_acme = shop.database.read(for_tenants(rows.rules, acme))
    assert [row.rule.name for row in of_acme] == ["acme"]
    for job_id, titles in ((2, ["Job 2 (bracket): failed"]), (3, [])):
        of_job = partial(rows.all_alerts, now=0, offset=0, limit=9, job_id=job_id)
        page = shop.database.read(for_tenants(of_job, acme))
        assert ([row.title for row in page.rows], page.total) == (titles, len(titles))


async def test_rules_are_changed_and_tested_with_what_they_refer_to(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="there is no webhook 9"):
        await rule(shop, channel=Channel.ENDPOINT, webhook_id=9)
    with pytest.raises(InvalidInput, match="there is no machine 4"):
        await rule(shop, machine_id=4)
    webhook_id = await shop.write(CreateWebhook(ENDPOINT, "a secret", "anna"))
    rule_id = await rule(shop, channel=Channel.ENDPOINT, webhook_id=webhook_id)
    message_id = await shop.write(TellTest(rule_id, "anna"))
    await shop.expire(DeleteEndedAlerts, 1)
    test = shop.database.read(partial(rows.one_message, message_id=message_id))
    assert test.message.state is AlertState.TEST
    (queued,) = sent(shop)
    assert test.delivery_id == queued.id
    (row,) = shop.database.read(rows.rules)
    assert (row.endpoint, row.fault, row.version) == ("chat.example", "", 1)
    assert receiver_of("mailto:anna@shop.example") == "anna@shop.example"
    changed = replace(row.rule, after_s=60.0)
    await shop.write(EditAlertRule(rule_id, changed, "anna", 1))
    with pytest.raises(Conflict, match="somebody else"):
        await shop.write(EditAlertRule(rule_id, changed, "anna", 1))
    await shop.write(DeleteWebhook(webhook_id, "anna"))
    (row,) = shop.database.read(rows.rules)
    assert (row.rule, row.fault) == (changed, NO_ENDPOINT)
    with pytest.raises(Conflict, match="disabled or was deleted"):
        await shop.write(TellTest(rule_id, "anna"))
    await shop.write(DeleteAlertRule(rule_id, "anna"))
    with pytest.raises(Conflict, match="There is no alert rule"):
        await shop.write(TellTest(rule_id, "anna"))
