"""Deliveries to phones, chats and templates: what is sent, when again, and what is never shown."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import (
    CreateWebhook,
    EditWebhook,
    RotateWebhookSecret,
    TestWebhook,
)
from cnc_station.engine.domain.alerts import AlertKind, AlertMessage, AlertState, Severity
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.message_formats.options import (
    FormatOptions,
    MessageFormat,
    Template,
)
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.door import Door
from cnc_station.engine.queries import ListEvents, ListWebhooks
from cnc_station.engine.store.deliveries import queue_alert_delivery
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.views.webhooks import DeliveryRow, DeliveryState
from tests.engine.conftest import Station
from tests.engine.hooks import COMPLETED, delay, deliveries, detail, receiver
from tests.until import until

DEAD, DELIVERED, PENDING = DeliveryState.DEAD, DeliveryState.DELIVERED, DeliveryState.PENDING
TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
HIDDEN = "T0/B0/hidden-part-of-it"


async def add(
    door: Door,
    kind: str,
    url: str,
    secret: str | None = None,
    events: Sequence[str] = COMPLETED,
    **options: Any,
) -> int:
    spec = WebhookSpec(url, events, format=MessageFormat(kind), options=FormatOptions(**options))
    made = await door.execute(CreateWebhook(spec, secret))
    assert made.secret is None
    return made.id


async def everything_shown(door: Door) -> str:
    rows = await deliveries(door)
    details = [await detail(door, row.id) for row in rows]
    shown = (await door.ask(ListWebhooks()), await door.ask(ListEvents()), details)
    return repr(shown)


async def test_telegram_is_sent_the_message_again_when_it_says(
    station: Station, quick: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    floor = await station(quick)
    async with receiver(lambda number: 429 if number == 1 else 200) as bot:
        bot.text = '{"ok": false, "parameters": {"retry_after": 0.7}}'
        webhook_id = await add(
            floor.door, "telegram", bot.url.removesuffix("/hook"), TOKEN, chat="-100123"
        )
        job_id = await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DELIVERED))
        assert [request.path for request in bot.received] == [f"/bot{TOKEN}/sendMessage"] * 2
        assert bot.received[1].content["chat_id"] == "-100123"
        text = bot.received[1].content["text"]
        assert text.startswith(f"Job wait (#{job_id}) was completed\nRun time")
        first, second = (await detail(floor.door, row.id)).attempts
        assert first.error == "The receiver answered 429."
        assert second.at - first.at >= 700
        assert first.url.endswith("/bot•••/sendMessage")
        await floor.door.execute(RotateWebhookSecret(webhook_id, TOKEN.replace("AAH", "BBH")))
        await floor.door.execute(TestWebhook(webhook_id))
        assert bot.received[-1].path == f"/bot{TOKEN.replace('AAH', 'BBH')}/sendMessage"
        shown = await everything_shown(floor.door)
    assert "dqTcvCH1vGWJxfSeofSAs0K5PALDsaw" not in shown + caplog.text


async def test_a_busy_receiver_is_left_alone_and_counts_no_failure(
    station: Station, quick: Config
) -> None:
    floor = await station(quick)
    async with receiver(lambda number: 429 if number <= 6 else 200) as hook:
        hook.headers = {"Retry-After": "0"}
        await add(floor.door, "ntfy", f"{hook.url}/topic")
        await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DELIVERED), 20)
    assert row.tries == 7  # the fourth failure would have been its last


async def test_an_address_that_is_a_secret_is_shown_by_its_server(
    station: Station, quick: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    floor = await station(quick)
    async with receiver(lambda _: 404) as chat:
        server = chat.url.removesuffix("/hook")
        chat.text = f"no_service for {HIDDEN}"
        long = "x" * 400  # as the addresses of Teams are
        webhook_id = await add(floor.door, "slack", f"{server}/services/{HIDDEN}?sig={long}")
        (endpoint,) = await floor.door.ask(ListWebhooks())
        assert endpoint.url == f"{server}/…"
        await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DEAD))
        assert (row.tries, row.due_at, row.url) == (1, None, f"{server}/…")
        assert row.last_error.startswith("The receiver answered 404: no_service")
        assert row.last_error.endswith("It is not tried again: the answer would be the same.")
        chat.status, chat.text = (lambda _: 200), "ok"
        spec = WebhookSpec(endpoint.url, COMPLETED, format=MessageFormat.SLACK)
        await floor.door.execute(EditWebhook(webhook_id, replace(spec, enabled=False)))
        await floor.door.execute(EditWebhook(webhook_id, spec))
        tested = await floor.door.execute(TestWebhook(webhook_id))
        assert tested.row.state is DELIVERED
        assert chat.received[-1].path == f"/services/{HIDDEN}?sig={long}"
        moved = replace(spec, url=f"{server}/services/T0/B0/another")
        await floor.door.execute(EditWebhook(webhook_id, moved))
        await floor.door.execute(TestWebhook(webhook_id))
        assert chat.received[-1].path == "/services/T0/B0/another"
        with pytest.raises(InvalidInput, match="none to rotate"):
            await floor.door.execute(RotateWebhookSecret(webhook_id))
        with pytest.raises(InvalidInput, match="stays so"):
            await floor.door.execute(EditWebhook(webhook_id, replace(spec, format="teams")))  # type: ignore[arg-type]
        shown = await everything_shown(floor.door)
    assert "hidden-part-of-it" not in shown + caplog.text


async def test_a_template_sends_what_it_says_and_hides_its_secret(
    station: Station, quick: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    floor = await station(quick)
    template = Template(
        "PUT",
        {"Authorization": "Bearer {secret}", "X-Title": "{title}"},
        body='{"message": "{title}: {text}", "id": "{id}"}',
    )
    async with receiver() as hook:
        secret = "tk_very/secret&more=1"
        hook.text = f"hello {secret}"
        url = f"{hook.url}/{{job}}/{{secret}}?key={{secret}}"
        await add(floor.door, "template", url, secret, template=template)
        job_id = await delay(floor.door)
        (row,) = await until(lambda: deliveries(floor.door, DELIVERED))
        (request,) = hook.received
        path, _, query = request.path.partition("?")
        assert path == f"/hook/%23{job_id}/tk_very%2Fsecret&more=1"
        assert parse_qs(query) == {"key": [secret]}
        assert request.headers["Authorization"] == f"Bearer {secret}"
        assert request.headers["X-Title"] == f"Job wait (#{job_id}) was completed"
        assert request.content["id"] == row.key
        (attempt,) = (await detail(floor.door, row.id)).attempts
        assert attempt.response == "hello •••"
        shown = await everything_shown(floor.door)
    assert "tk_very" not in shown + caplog.text


@pytest.mark.parametrize(
    ("kind", "url", "secret", "options", "words"),
    [
        ("telegram", "https://api.telegram.org", None, {"chat": "1"}, "the receiver makes it"),
        ("telegram", "https://api.telegram.org", "12345678", {"chat": "1"}, "token of a bot"),
        ("slack", "https://hooks.slack.com/a", "a secret", {}, "none besides its address"),
        ("email", "mailto:a@b.example", "a secret", {}, "none besides its address"),
        ("ntfy", "https://ntfy.sh/a", "with space", {}, "without spaces"),
        (
            *("template", "https://x.example/{secret}", None),
            {"template": Template()},
            "the receiver makes it",
        ),
    ],
)
async def test_an_endpoint_without_its_secret_is_refused(
    station: Station, kind: str, url: str, secret: str | None, options: dict[str, Any], words: str
) -> None:
    floor = await station()
    with pytest.raises(InvalidInput, match=words):
        await add(floor.door, kind, url, secret, **options)


async def test_what_people_read_arrives_in_order(station: Station, quick: Config) -> None:
    floor = await station(quick)
    async with receiver() as hook:
        hook.takes_s = 0.05  # the next ones are queued meanwhile
        await add(floor.door, "ntfy", f"{hook.url}/topic", events=(WebhookEvent.CREATED,))
        jobs = [await delay(floor.door) for _ in range(9)]
        await until(lambda: len(hook.received) == 9)
        assert hook.most_at_once == 1
    titles = [request.content["title"] for request in hook.received]
    assert titles == [f"Job wait (#{job_id}) was created" for job_id in jobs]


@dataclass(frozen=True, slots=True)
class _Tell(OneByOne[int | None]):
    webhook_id: int
    message: AlertMessage

    def write(self, tx: Tx) -> int | None:
        return queue_alert_delivery(tx, self.webhook_id, self.message)


async def test_an_alert_is_delivered_like_any_other_news(station: Station, quick: Config) -> None:
    floor = await station(quick)
    message = AlertMessage(
        alert_id=7,
        kind=AlertKind.MACHINE_WAITING,
        severity=Severity.CRITICAL,
        title="Mill 3: clear it",
        text="Mill 3 has waited 10 min for clearing.",
        machine="Mill 3",
        job_id=None,
        tenant=None,
        raised_at=1_795_000_000_000,
        state=AlertState.RAISED,
    )
    async with receiver(lambda number: 500 if number == 1 else 200) as hook:
        url = f"{hook.url}/topic"
        webhook_id = await add(floor.door, "ntfy", url, events=())
        delivery_id = await floor.writer.write(_Tell(webhook_id, message))
        (row,) = await until(lambda: delivered_rows(floor.door))
        assert (row.id, row.event, row.tries) == (delivery_id, "alert", 2)
        assert hook.received[1].content == {
            "topic": "topic",
            "title": "Mill 3: clear it",
            "message": "Mill 3 has waited 10 min for clearing.",
            "priority": 5,
            "tags": ["rotating_light"],
        }
        off = WebhookSpec(url, (), enabled=False, format=MessageFormat.NTFY)
        await floor.door.execute(EditWebhook(webhook_id, off))
        assert await floor.writer.write(_Tell(webhook_id, message)) is None


async def delivered_rows(door: Door) -> list[DeliveryRow]:
    return await deliveries(door, DELIVERED)
