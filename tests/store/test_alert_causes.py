"""What asks for a person: the causes of alerts, and which of them covers others."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.alert_rules import Channel
from cnc_station.engine.domain.alerts import AlertKind, Severity
from cnc_station.engine.domain.schedule import Overlap
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import WebhookEvent
from cnc_station.engine.store import schema
from cnc_station.engine.store.alert_messages import OWN_FAILURE
from cnc_station.engine.store.deliveries import DEAD, ClaimDeliveries, RecordAttempt
from cnc_station.engine.store.queries import alerts as rows
from cnc_station.engine.store.readiness import RecordReach, SetReadiness
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.store.webhooks import CreateWebhook, DeleteWebhook
from tests.store import schedules
from tests.store.alerts import ENDPOINT, Without, is_open, messages, rule, sent, step
from tests.store.shop import Shop, mill


@pytest.fixture(autouse=True)
async def no_rules(shop: Shop) -> None:
    await shop.write(Without())


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
        heard = {"name": name, "heard_at": shop.clock.ms}
        await shop.write(_Insert(schema.station, {**values, **heard}))
    await shop.write(_Wire("B"))
    shop.later(29)  # no station hears of an outage of the database
    await step(shop)
    assert len(is_open(shop)) == 2
    shop.later(2)
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


async def test_a_machine_that_is_not_ready_alerts_while_a_job_waits_for_it(shop: Shop) -> None:
    spec = mill("Mill 1")
    machine_id = await shop.machine(spec)
    await shop.write(SetReadiness(machine_id, "door open", "A", spec))
    shop.later(60)
    await step(shop)
    assert is_open(shop) == ()
    job_id = await shop.job()
    await step(shop)
    (one,) = is_open(shop)
    assert one.text == "Mill 1 has not been ready for the next job for 1 min: door open."
    await shop.act(JobAction.CANCEL, job_id)
    await step(shop)
    assert is_open(shop) == ()
