"""What a shop tells of its alerts, for the pictures: rules of several channels, and an endpoint."""

from cnc_station.engine.commands import AcknowledgeAlerts, CreateAlertRule, CreateWebhook
from cnc_station.engine.domain.alert_rules import AlertRule, Channel, QuietHours
from cnc_station.engine.domain.alerts import AlertKind, Severity
from cnc_station.engine.domain.webhooks import WebhookSpec
from cnc_station.engine.door import Door
from cnc_station.engine.queries import ListOpenAlerts

_NIGHT = QuietHours(20 * 60, 6 * 60, "Europe/Berlin")


async def add_rules(door: Door) -> None:
    """Add an endpoint and rules, and acknowledge one alert."""
    endpoint = await door.execute(CreateWebhook(WebhookSpec("https://chat.example/shift-lead")))
    waits = AlertRule(
        "Shift lead after 10 min",
        Channel.ENDPOINT,
        kinds=(AlertKind.MACHINE_WAITING,),
        after_s=600.0,
        repeat_s=900.0,
        webhook_id=endpoint.id,
        quiet=_NIGHT,
    )
    worst = AlertRule(
        "Critical alerts on the desktop",
        Channel.DESKTOP,
        least_severity=Severity.CRITICAL,
        tells_end=True,
        enabled=False,
    )
    for rule in (waits, worst):
        await door.execute(CreateAlertRule(rule))
    rows = await door.ask(ListOpenAlerts())
    if rows:
        await door.execute(AcknowledgeAlerts([rows[-1].id]))
