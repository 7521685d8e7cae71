"""Words to work with alerts in the tests of the store."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import delete

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.alert_rules import AlertRule, Channel
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.store.alert_causes import CauseContext
from cnc_station.engine.store.alert_rules import CreateAlertRule
from cnc_station.engine.store.alert_tables import alert_rule
from cnc_station.engine.store.alerts import UpdateAlerts, look
from cnc_station.engine.store.queries import alerts as rows
from cnc_station.engine.store.queries.webhooks import deliveries
from cnc_station.engine.store.stations import Lead
from cnc_station.engine.store.tenants import for_tenants
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.views.alerts import AlertRow, SentAlert
from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryRow
from tests.store.shop import FOR_EVER_S, Shop, mill

CONTEXT = CauseContext("A", frozenset({"reporter"}))
WINDOW = AlertRule("Window", Channel.WINDOW)
ENDPOINT = WebhookSpec("https://chat.example/secret-token", (WebhookEvent.CANCELLED,))
MINUTE = 60.0


class Without(OneByOne[None]):
    """Delete the rules of a new shop."""

    def write(self, tx: Tx) -> None:
        tx.connection.execute(delete(alert_rule))


async def rule(shop: Shop, spec: AlertRule = WINDOW, **changes: Any) -> int:
    made: int = await shop.write(CreateAlertRule(replace(spec, **changes).validated(), "anna"))
    return made


async def step(shop: Shop, context: CauseContext = CONTEXT) -> float | None:
    """Do what the service of the leader does once. Return when it would look again."""
    due: float | None = shop.database.read(lambda c: look(c, shop.clock.ms, context))
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
