"""What the log tells of a request, and what it never tells."""

from pathlib import Path

from cnc_station.config import Config
from cnc_station.engine.commands import CreateWebhook, SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.message_formats.options import MessageFormat
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ListDeliveries
from tests.tools.servers import Postgres
from tests.tools.station_log import logged, logging_into
from tests.until import until
from tests.web.api_client import Client

CREATED = (WebhookEvent.CREATED,)
FIELDS = {"timestamp", "level", "service", "station", "message", "logger"} | {
    *("event", "method", "route", "status", "duration_ms", "user_id", "trace_id", "bytes"),
}


async def test_a_request_is_one_line_without_its_query_its_body_and_its_token(
    api: Client, tmp_path: Path
) -> None:
    headers = {"Authorization": "Bearer canary-token", "X-Trace-Id": "t-1"}
    with logging_into(tmp_path / "log", aloud=False):
        async with api.session.get("/api/v1/jobs/7?q=canary-query", headers=headers) as answer:
            content = await answer.read()
        body = {"name": "canary-body\n", "handler": "test.echo"}
        async with api.session.post("/api/v1/jobs", json=body, headers=headers):
            pass
        async with api.session.get("/api/v1/canary-path/%0d%0aforged", headers=headers):
            pass
    first, *_, last = [line for line in logged(tmp_path / "log") if line.get("event") == "http"]
    assert first.keys() == FIELDS
    assert (first["method"], first["route"], first["trace_id"]) == (
        *("GET", "/api/v1/jobs/{id}"),
        "t-1",
    )
    assert (first["status"], first["bytes"]) == (answer.status, len(content))
    assert first["duration_ms"] > 0
    assert first["user_id"]
    assert (last["status"], last["route"]) == (404, "-")
    text = next((tmp_path / "log" / "logs").iterdir()).read_text("utf-8")
    assert "canary" not in text


async def test_a_streamed_answer_is_logged_with_its_bytes_when_it_ends(
    api: Client, tmp_path: Path
) -> None:
    await api("POST", "/jobs", {"name": "Bracket", "machine_type": "mill"})
    with logging_into(tmp_path / "log", aloud=False):
        sizes = []
        for form in ("json", "csv"):
            async with api.session.get(f"/api/v1/jobs/export?form={form}") as answer:
                sizes.append(len(await answer.read()))
        async with api.session.head("/api/v1/jobs/export"):  # after the streams: on one connection
            pass
    lines = [line for line in logged(tmp_path / "log") if line.get("event") == "http"]
    assert [line["bytes"] for line in lines if line["method"] == "GET"] == sizes
    assert all(line.keys() == FIELDS for line in lines)
    assert [line["bytes"] for line in lines if line["method"] == "HEAD"] == [0]


async def test_no_password_or_secret_of_the_settings_reaches_the_log(
    postgres: Postgres, shop_url: str, tmp_path: Path
) -> None:
    with logging_into(tmp_path / "log", aloud=False):
        config = Config(
            tmp_path / "data",
            shop_url,
            redis_url="redis://user:canary-redis@127.0.0.1:1",
            station="A",
            lease_s=5.0,
            webhook_url="http://127.0.0.1:1/canary-hook?token=canary-token",
            webhook_secret="canary-secret",
            http_proxy="http://user:canary-proxy@127.0.0.1:1",
            smtp_host="127.0.0.1",
            smtp_port=1,
            smtp_security="none",
            smtp_user="station",
            smtp_password="canary-mail",
            smtp_from="cnc@shop.example",
        )
        engine = StationEngine(config)
        await engine.start()
        door = engine.local_door
        mail = WebhookSpec("mailto:anna@shop.example", CREATED, format=MessageFormat.EMAIL)
        for spec in (WebhookSpec("http://127.0.0.1:1/canary-path", CREATED), mail):
            await door.execute(CreateWebhook(spec))
        await door.execute(SubmitJobs([JobSpec("canary", handler="test.echo")]))

        async def are_tried() -> bool:
            rows = (await door.ask(ListDeliveries())).rows
            return len(rows) >= 2 and all(row.last_error for row in rows)

        await until(are_tried)
        await engine.stop()
    lines = logged(tmp_path / "log")
    assert any("redis is not reachable" in line["message"] for line in lines)
    secrets = ("canary", postgres.password)
    assert not [line for line in lines if any(secret in str(line) for secret in secrets)]
