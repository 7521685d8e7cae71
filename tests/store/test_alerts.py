"""Alerts in the store: one for each cause, told by the leader as the rules say."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.alert_rules import AlertRule, Channel, QuietHours
from cnc_station.engine.domain.alerts import AlertKind, AlertState, Severity
from cnc_station.engine.domain.errors import Conflict, Fenced, InvalidInput
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.schedule import Overlap
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.store import schema
from cnc_station.engine.store.alert_causes import CauseContext
from cnc_station.engine.store.alert_messages import NO_ENDPOINT, OWN_FAILURE, TellTest
from cnc_station.engine.store.alert_rules import CreateAlertRule, DeleteAlertRule, EditAlertRule
from cnc_station.engine.store.alert_tables import alert, alert_message, alert_rule, alert_step
from cnc_station.engine.store.alerts import AcknowledgeAlerts, UpdateAlerts, look
from cnc_station.engine.store.deliveries import DEAD, ClaimDeliveries, RecordAttempt
from cnc_station.engine.store.queries import alerts as rows
from cnc_station.engine.store.queries.webhooks import deliveries
from cnc_station.engine.store.readiness import RecordReach
from cnc_station.engine.store.retention import DeleteEndedAlerts
from cnc_station.engine.store.stations import Lead
from cnc_station.engine.store.tenants import for_tenants
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.store.webhooks import CreateWebhook, DeleteWebhook
from cnc_station.engine.views.alerts import AlertRow, SentAlert
from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryRow
from tests.store import schedules
from tests.store.shop import FOR_EVER_S, Shop, mill

CONTEXT = CauseContext("A", frozenset({"reporter"}))
WINDOW = AlertRule("Window", Channel.WINDOW)
ENDPOINT = WebhookSpec("https://chat.example/secret-token", (WebhookEvent.CANCELLED,))
MINUTE = 60.0


class Without(OneByOne[None]):
    """Delete the rules of a new shop."""

    def write(self, tx: Tx) -> None:
        tx.connection.execute(delete(alert_rule))


@pytest.fixture(autouse=True)
async def no_rules(shop: Shop) -> None:
    await shop.write(Without())


async def rule(shop: Shop, spec: AlertRule = WINDOW, **changes: Any) -> int:
    made: int = await shop.write(CreateAlertRule(replace(spec, **changes).validated(), "anna"))
    return made


async def step(shop: Shop, context: CauseContext = CONTEXT) -> float | None:
    """Do what the service of the leader does once. Return when it would look again."""
    due = shop.database.read(lambda c: look(c, shop.clock.ms, context))
    if due is not None and due <= 0:
        term = await shop.write(Lead("shop", FOR_EVER_S))
        await shop.write(UpdateAlerts("shop", term, context))
        due = shop.database.read(lambda c: look(c, shop.clock.ms, context))
        assert due is None or due > 0, "it would write again at once"
    return due


def is_open(shop: Shop, tenants: frozenset[str] | None = None) -> tuple[AlertRow, ...]:
    read = partial(rows.open_alerts, now=shop.clock.ms)
    found: tuple[AlertRow, ...] = shop.database.read(
        read if tenants is None else for_tenants(read, tenants)
    )
    return found


def messages(shop: Shop, alert_id: int = 1) -> Sequence[SentAlert]:
    found: Sequence[SentAlert] = shop.database.read(partial(rows.messages_of, alert_id=alert_id))
    return found


def states(shop: Shop, alert_id: int = 1) -> list[str]:
    return [f"{one.rule_name} {one.message.state}" for one in messages(shop, alert_id)]


def sent(shop: Shop) -> tuple[DeliveryRow, ...]:
    page: Any = shop.database.read(
        partial(deliveries, chosen=DeliveryFilter(), offset=0, limit=100)
    )
    return tuple(reversed(page.rows))


async def waiting_mill(shop: Shop, name: str = "Mill 3") -> int:
    """A mill that waits for clearing."""
    machine_id = await shop.machine(replace(mill(name), operator_clears=True))
    await shop.job(pinned_machine_id=machine_id)
    await shop.run_to(t.COMPLETED, await shop.claim_one())
    return machine_id


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
    await shop.write(DeleteEndedAlerts(0))
    shop.later(50 * MINUTE)
    assert await step(shop) is None
    assert states(shop) == ["Window raised", "Silent raised", "Window withdrawn"]
    shop.later(1)
    assert await shop.write(DeleteEndedAlerts(0)) == 1
    for table in (alert, alert_step, alert_message):
        assert not shop.database.read(lambda c, of=table: c.execute(of.select()).all())


async def test_a_window_gets_what_is_to_be_presented_after_its_place(shop: Shop) -> None:
    loud = {Severity.WARNING: "horn.wav"}
    await rule(shop, name="Horn", channel=Channel.SOUND, sounds=loud)
    webhook_id = await shop.write(CreateWebhook(ENDPOINT, "a secret", "anna"))
    await rule(shop, name="Chat", channel=Channel.ENDPOINT, webhook_id=webhook_id)
    place = shop.database.read(partial(rows.to_present, after=None))
    assert place == rows.AlertsToPresent(0, ())
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


async def test_a_machine_out_of_reach_or_in_alarm_covers_what_follows_from_it(shop: Shop) -> None:
    spec = replace(mill("Mill 1"), operator_clears=True)
    machine_id = await shop.machine(spec)
    await shop.job()
    run = await shop.claim_one()
    await shop.run_to(t.INTERRUPTED, run, reason="drive fault")
    await shop.move_machine(t.ALARMED, machine_id, reason="drive fault.")
    await step(shop)
    (one,) = is_open(shop)
    assert (one.kind, one.severity) == (AlertKind.MACHINE_ALARM, Severity.CRITICAL)
    assert one.text == "Mill 1 is in alarm: drive fault."
    shop.later(5)
    await shop.write(RecordReach(machine_id, "no answer", spec))
    await step(shop)
    (unreached,) = is_open(shop)
    assert unreached.kind is AlertKind.MACHINE_UNREACHABLE
    await shop.write(RecordReach(machine_id, None, spec))
    await shop.move_machine(t.UNLOCKED, machine_id)
    await step(shop)
    assert [row.title for row in is_open(shop)] == [
        "Job 1 (bracket): interrupted",
        "Mill 1: clear it",
    ]


async def test_a_machine_that_a_person_starts_waits_for_its_set_up(shop: Shop) -> None:
    await shop.machine(mill("Plain"))
    await shop.machine(replace(mill("By hand"), operator_starts=True))
    await shop.machine(replace(mill("Reporter"), driver="reporter"))
    for _ in range(3):
        await shop.job()
    await shop.claim()
    await step(shop)
    titles = {row.title for row in is_open(shop)}
    assert titles == {"By hand: confirm the set-up", "Reporter: confirm the set-up"}


async def test_a_station_without_a_sign_of_life_is_one_alert_for_its_machines(shop: Shop) -> None:
    for number in (1, 2):
        machine_id = await shop.machine(mill(f"Mill {number}"))
        await shop.move_machine(t.ALARMED, machine_id)
    for name in ("A", "B"):
        values = {"incarnation": "x", "host": "", "version": "", "started_at": 0, "lag_ms": 0.0}
        await shop.write(_Insert(schema.station, {"name": name, **values, "heard_at": 0}))
    await step(shop)
    assert len(is_open(shop)) == 2
    await shop.write(_Wire("B"))
    await step(shop)
    (one,) = is_open(shop)
    assert one.kind is AlertKind.STATION_LOST
    assert one.text.endswith("Its machines: Mill 1, Mill 2.")


class _Insert(OneByOne[None]):
    def __init__(self, table: Any, values: dict[str, Any]) -> None:
        self.table, self.values = table, values

    def write(self, tx: Tx) -> None:
        tx.connection.execute(insert(self.table).values(self.values))


class _Wire(OneByOne[None]):
    """All machines belong to this station now."""

    def __init__(self, station: str) -> None:
        self.station = station

    def write(self, tx: Tx) -> None:
        tx.connection.execute(update(schema.machine).values(station=self.station))


async def test_a_schedule_that_outlasts_its_interval_alerts_until_it_fires(shop: Shop) -> None:
    await schedules.create(shop, overlap=Overlap.SKIP)
    for _ in range(2):
        schedules.next_hour(shop)
        await schedules.fire(shop)
    await step(shop)
    (one,) = is_open(shop)
    assert (one.kind, one.tenant) == (AlertKind.SCHEDULE_OVERRUN, "")
    await shop.complete(1)
    schedules.next_hour(shop)
    await schedules.fire(shop)
    await step(shop)
    assert is_open(shop) == ()


async def test_dead_deliveries_are_one_alert_that_is_not_sent_to_their_endpoint(
    shop: Shop,
) -> None:
    webhook_id = await shop.write(
        CreateWebhook(replace(ENDPOINT, events=(WebhookEvent.CREATED,)), "a secret", "anna")
    )
    await rule(shop, channel=Channel.ENDPOINT, webhook_id=webhook_id, repeat_s=60.0)
    for _ in range(2):
        await shop.job()
    for one in await shop.write(ClaimDeliveries({webhook_id: 9}, 10_000)):
        await shop.write(
            RecordAttempt(
                *(one.id, one.token, DEAD, None, "url", {}),
                *(None, {}, "", False, "no answer", 0.1),
            )
        )
    await step(shop)
    (found,) = is_open(shop)
    assert found.text == "chat.example did not accept 2 deliveries."
    assert "secret" not in str(found)
    assert [one.error for one in messages(shop)] == [OWN_FAILURE]
    assert len(sent(shop)) == 2
    await shop.write(DeleteWebhook(webhook_id, "anna"))
    await step(shop)
    assert is_open(shop) == ()


async def test_many_failed_jobs_are_told_in_one_alert(shop: Shop) -> None:
    await rule(shop)
    for job_id in [await shop.job() for _ in range(25)]:
        await shop.override(job_id, JobState.NEEDS_ATTENTION)
    await step(shop)
    assert len(is_open(shop)) == 21
    assert [row.title for row in is_open(shop) if "count" in row.args] == [
        "5 more jobs have failed"
    ]
    news = shop.database.read(partial(rows.to_present, after=0))
    assert len(news.messages) == 21


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


async def test_rules_are_changed_and_tested_with_what_they_refer_to(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="there is no webhook 9"):
        await rule(shop, channel=Channel.ENDPOINT, webhook_id=9)
    with pytest.raises(InvalidInput, match="there is no machine 4"):
        await rule(shop, machine_id=4)
    webhook_id = await shop.write(CreateWebhook(ENDPOINT, "a secret", "anna"))
    rule_id = await rule(shop, channel=Channel.ENDPOINT, webhook_id=webhook_id)
    message_id = await shop.write(TellTest(rule_id, "anna"))
    test = shop.database.read(partial(rows.one_message, message_id=message_id))
    assert test.message.state is AlertState.TEST
    (queued,) = sent(shop)
    assert test.delivery_id == queued.id
    (row,) = shop.database.read(rows.rules)
    assert (row.endpoint, row.fault, row.version) == ("chat.example", "", 1)
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
