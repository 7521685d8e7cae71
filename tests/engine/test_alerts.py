"""Alerts of stations at work: opened once in a fleet, told by rules, ended when they are over."""

from dataclasses import replace

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import (
    AcknowledgeAlerts,
    ActOnMachine,
    CreateAlertRule,
    DeleteAlertRule,
    EditAlertRule,
    TestAlertRule,
)
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.alert_rules import AlertRule, Channel
from cnc_station.engine.domain.alerts import AlertKind, AlertState
from cnc_station.engine.domain.errors import Conflict, InvalidInput, NotPermitted
from cnc_station.engine.domain.notice import ABOUT_ALERTS, Notice
from cnc_station.engine.domain.principal import Principal, Role
from cnc_station.engine.domain.webhooks import WebhookEvent
from cnc_station.engine.door import Door
from cnc_station.engine.queries import (
    AlertHistory,
    ListAlertRules,
    ListAlerts,
    ListOpenAlerts,
    NewAlertMessages,
)
from cnc_station.engine.services.leadership import Leadership
from cnc_station.engine.views.alerts import AlertRow, SentAlert
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf, service_of
from tests.engine.hooks import listen, receiver
from tests.until import until

WINDOW = AlertRule("Quick", Channel.WINDOW, tells_end=True)


async def opened(door: Door) -> AlertRow:
    """Wait until an alert is open. There must be no other."""
    (one,) = await until(lambda: door.ask(ListOpenAlerts()))
    return one


async def told(door: Door, alert_id: int, *states: AlertState) -> tuple[SentAlert, ...]:
    """Wait until a rule of this file has told an alert so."""

    async def there() -> tuple[SentAlert, ...] | None:
        found = await door.ask(AlertHistory(alert_id))
        own = tuple(one for one in found if one.rule_name == WINDOW.name)
        return own if [one.message.state for one in own] == list(states) else None

    found = await until(there)
    assert found is not None
    return found


async def waiting_mill(floor: FloorOf) -> int:
    """A mill that waits for clearing."""
    machine_id = await floor.mill("Mill 3", operator_clears=True)
    await floor.job()
    return machine_id


async def test_an_alert_comes_to_the_window_and_goes_when_its_cause_is_over(
    station: Station,
) -> None:
    floor = await station()
    news: list[Notice] = []
    floor.engine.subscribe(news.append)
    place = (await floor.door.ask(NewAlertMessages())).last
    await floor.door.execute(CreateAlertRule(WINDOW))
    machine_id = await waiting_mill(floor)
    one = await opened(floor.door)
    assert (one.kind, one.machine_id) == (AlertKind.MACHINE_WAITING, machine_id)
    await told(floor.door, one.id, AlertState.RAISED)
    assert any(notice.tells_of(ABOUT_ALERTS) for notice in news)
    (message,) = (await floor.door.ask(NewAlertMessages(place))).messages
    assert message.message.text == "Mill 3 waits for clearing."
    (answer,) = await floor.door.execute(AcknowledgeAlerts((one.id,), "on my way"))
    assert answer.applied
    await floor.door.execute(ActOnMachine(MachineAction.CLEAR, machine_id))
    await told(floor.door, one.id, AlertState.RAISED, AlertState.WITHDRAWN)
    assert await floor.door.ask(ListOpenAlerts()) == ()
    page = await floor.door.ask(ListAlerts())
    assert (page.total, page.rows[0].acknowledged_reason) == (1, "on my way")


async def test_an_alert_reaches_its_endpoint(station: Station) -> None:
    floor = await station()
    async with receiver() as hook:
        webhook_id, _ = await listen(floor.door, hook.url, WebhookEvent.CANCELLED)
        rule_id = await floor.door.execute(
            CreateAlertRule(replace(WINDOW, channel=Channel.ENDPOINT, webhook_id=webhook_id))
        )
        test = await floor.door.execute(TestAlertRule(rule_id))
        assert test.message.state is AlertState.TEST
        await waiting_mill(floor)
        await until(lambda: len(hook.received) == 2)
        first, second = (received.content for received in hook.received)
    assert first["event"] == second["event"] == "alert"
    assert "Mill 3 waits for clearing." in str(second)


async def test_who_may_change_rules_and_who_takes_care(station: Station) -> None:
    floor = await station()
    ask = floor.engine.door
    viewer, operator, supervisor = (
        ask(Principal(role, frozenset({role}), tenants=None))
        for role in (Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR)
    )
    with pytest.raises(NotPermitted):
        await viewer.execute(AcknowledgeAlerts((1,)))
    (answer,) = await operator.execute(AcknowledgeAlerts((1,)))
    assert answer.error == "There is no alert 1."
    with pytest.raises(NotPermitted):
        await operator.execute(CreateAlertRule(WINDOW))
    rule_id = await supervisor.execute(CreateAlertRule(WINDOW))
    customer = ask(Principal("c", frozenset({Role.SUPERVISOR}), frozenset({"acme"})))
    assert await customer.ask(ListAlertRules()) == ()
    for command in (
        EditAlertRule(rule_id, replace(WINDOW, tenant="acme")),
        DeleteAlertRule(rule_id),
        TestAlertRule(rule_id),
    ):
        with pytest.raises(Conflict, match="There is no alert rule"):
            await customer.execute(command)
    with pytest.raises(InvalidInput, match="one of yours"):
        await customer.execute(CreateAlertRule(WINDOW))
    await customer.execute(CreateAlertRule(replace(WINDOW, tenant="acme")))
    assert len(await customer.ask(ListAlertRules())) == 1


@pytest.fixture
async def fleet(config: Config, shop_url: str, station: Station) -> tuple[FloorOf, FloorOf]:
    shared = replace(config, database_url=shop_url, leader_lease_s=1.0, lease_s=6.0)
    return await station(shared), await station(replace(shared, station="B"))


async def test_a_fleet_opens_one_alert_and_goes_on_with_it_when_its_leader_is_gone(
    fleet: tuple[FloorOf, FloorOf],
) -> None:
    a, b = fleet
    await b.door.execute(CreateAlertRule(WINDOW))
    machine_id = await waiting_mill(b)
    one = await opened(a.door)
    await told(b.door, one.id, AlertState.RAISED)
    await a.engine.stop()
    await until(lambda: service_of(b.engine, Leadership).term)
    await b.door.execute(ActOnMachine(MachineAction.CLEAR, machine_id))
    await told(b.door, one.id, AlertState.RAISED, AlertState.WITHDRAWN)
    assert (await b.door.ask(ListAlerts())).total == 1
