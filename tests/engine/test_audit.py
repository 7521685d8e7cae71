"""The audit: who did what to what, from what to what, and from where; no secret in it."""

from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from cnc_station.config import Config
from cnc_station.engine import commands as c
from cnc_station.engine.domain.accounts import Account, Credentials, Proof
from cnc_station.engine.domain.alert_rules import AlertRule, Channel
from cnc_station.engine.domain.alerts import Severity
from cnc_station.engine.domain.audit import AuditKind
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.message_formats.options import (
    FormatOptions,
    MessageFormat,
    Template,
)
from cnc_station.engine.domain.principal import Principal, Role, local_principal
from cnc_station.engine.domain.webhooks import WebhookSpec
from cnc_station.engine.door import Door
from cnc_station.engine.queries import AuditTrail, ListEvents, ListMachines
from cnc_station.engine.services import secret_hashes
from cnc_station.engine.views.audit import AuditEntry, AuditFilter
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf

WINDOW = local_principal("Ada", "window", present=True)
CANARY = "squirrel-bridge-94"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(secret_hashes, "HASHER", cheap)


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, config: Config) -> Config:
    if request.param == "sqlite":
        return config
    return replace(config, database_url=request.getfixturevalue("shop_url"))


def window(floor: FloorOf) -> Door:
    return floor.engine.door(WINDOW)


async def trail(door: Door, **chosen: object) -> tuple[AuditEntry, ...]:
    return await door.ask(AuditTrail(AuditFilter(**chosen)))  # type: ignore[arg-type]


async def last(door: Door) -> tuple[object, object]:
    """What the newest entry tells: before and after."""
    details = (await trail(door))[0].event.details
    return details.get("before"), details.get("after")


async def job(door: Door, **more: object) -> int:
    spec = replace(JobSpec("Flange", "lathe", estimated_s=1.0), **more)  # type: ignore[arg-type]
    (job_id,) = await door.execute(c.SubmitJobs([spec]))
    return job_id


async def test_each_change_is_told_from_what_to_what(station: Station) -> None:
    floor = await station()
    door = window(floor)
    job_id = await job(door, priority=20)
    await door.execute(c.EditJob(job_id, {"priority": 70}))
    assert await last(door) == ({"priority": 20}, {"priority": 70})
    await door.execute(c.SaveSettings({"floor.target": 4, "same": 1}))
    await door.execute(c.SaveSettings({"floor.target": 9, "same": 1}))
    assert await last(door) == ({"floor.target": 4}, {"floor.target": 9})
    rule = AlertRule("Night", Channel.SOUND)
    rule_id = await door.execute(c.CreateAlertRule(rule))
    louder = replace(rule, least_severity=Severity.CRITICAL)
    await door.execute(c.EditAlertRule(rule_id, louder))
    assert await last(door) == ({"least_severity": "warning"}, {"least_severity": "critical"})
    spec = WebhookSpec("https://mes.example/in")
    webhook_id = (await door.execute(c.CreateWebhook(spec, None))).id
    await door.execute(c.EditWebhook(webhook_id, replace(spec, enabled=False)))
    assert await last(door) == ({"enabled": True}, {"enabled": False})
    await floor.mill()
    (mill,) = await door.ask(ListMachines())
    await door.execute(c.EditMachine(mill.id, replace(mill.spec, model="VF-2")))
    assert await last(door) == ({"model": mill.spec.model}, {"model": "VF-2"})


async def test_credentials_of_endpoints_are_not_told(station: Station) -> None:
    floor = await station()
    door = window(floor)
    headers = {"X-Line": CANARY}
    options = FormatOptions(template=Template(headers=headers, body='{"text": "{title}"}'))
    spec = WebhookSpec("https://mes.example/in", format=MessageFormat.TEMPLATE, options=options)
    webhook_id = (await door.execute(c.CreateWebhook(spec, None))).id
    slack = WebhookSpec(f"https://hooks.slack.com/services/{CANARY}", format=MessageFormat.SLACK)
    await door.execute(c.CreateWebhook(slack, None))
    await door.execute(c.EditWebhook(webhook_id, replace(spec, enabled=False)))
    told = await trail(door)
    assert len(told) == 3
    assert CANARY not in repr(told)
    assert told[-1].event.details["after"]["options"] == ["template"]


async def test_the_audit_has_what_people_did_and_nothing_else_newest_first(
    station: Station,
) -> None:
    floor = await station()
    await floor.mill()  # by a test that has no place, and connected by a service
    door = window(floor)
    first, second = await job(door), await job(door)
    found = await trail(door)
    assert [(one.event.job_id, one.about) for one in found] == [
        (second, "Flange"),
        (first, "Flange"),
    ]
    assert {one.event.origin for one in found} == {"window"}
    older = await door.ask(AuditTrail(before=found[0].event.id, limit=1))
    assert [one.event.job_id for one in older] == [first]
    everything = await door.ask(ListEvents())
    assert len(everything) > len(found)


async def test_filters_choose_a_person_a_kind_and_a_time(station: Station) -> None:
    floor = await station()
    ada = window(floor)
    await ada.execute(c.TurnOnAccounts(Account("Ada", Role.ADMINISTRATOR), CANARY))
    await ada.sign_on(Credentials(Proof.PASSWORD, CANARY, "Ada"))
    await ada.execute(c.CreateAccount(Account("Ben", Role.OPERATOR), {Proof.PIN: "4711"}))
    await ada.execute(c.CreateAccount(Account("Bens", Role.OPERATOR), {Proof.PIN: "4712"}))
    for name, pin in (("Ben", "4711"), ("Bens", "4712")):
        door = floor.engine.door(local_principal("x", "window", present=True))
        await door.sign_on(Credentials(Proof.PIN, pin, name))
        await job(door)
        await door.execute(
            c.SaveSettings({"by": name}), word=Credentials(Proof.PASSWORD, CANARY, "Ada")
        )
    of_ben = await trail(ada, person="Ben")
    assert {one.event.actor for one in of_ben} == {"Ben", "Ada for Ben"}
    assert {one.event.type for one in await trail(ada, kind=AuditKind.JOBS)} == {"created"}
    people = {one.event.type for one in await trail(ada, kind=AuditKind.PEOPLE)}
    assert people == {"accounts_changed", "signed_on"}
    settings = await trail(ada, kind=AuditKind.SETTINGS)
    assert {one.event.type for one in settings} == {"settings_changed"}
    newest = (await trail(ada))[0].event
    assert await trail(ada, since=newest.at + 1) == ()
    assert newest in [one.event for one in await trail(ada, since=newest.at)]
    assert CANARY not in repr(await trail(ada))


async def test_a_supervisor_of_one_customer_sees_the_acts_on_its_jobs_only(
    settings: Config, station: Station
) -> None:
    floor = await station(settings)
    door = window(floor)
    own, foreign = await job(door, tenant="acme"), await job(door, tenant="other")
    await door.execute(c.SaveSettings({"of the shop": CANARY}))
    await door.execute(c.CreateWebhook(WebhookSpec("https://mes.example/in", tenant="other"), None))
    eve = Principal("eve", frozenset({Role.SUPERVISOR}), tenants=frozenset({"acme"}))
    limited = floor.engine.door(eve)
    assert [one.event.job_id for one in await trail(limited)] == [own]
    events = await limited.ask(ListEvents())
    assert not {"settings_changed", "webhooks_changed"} & {one.type for one in events}
    assert foreign in [one.event.job_id for one in await trail(door)]
