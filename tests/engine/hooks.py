"""A receiver of webhooks for tests, and jobs that are told to it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from cnc_station.config import Config
from cnc_station.engine.commands import CreateWebhook, SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.door import Door
from cnc_station.engine.queries import DeliveryById, ListDeliveries
from cnc_station.engine.views.webhooks import (
    DeliveryDetail,
    DeliveryFilter,
    DeliveryRow,
    DeliveryState,
)

COMPLETED = (WebhookEvent.COMPLETED,)


@dataclass(frozen=True, slots=True)
class Received:
    headers: dict[str, str]
    body: bytes
    path: str = "/hook"

    @property
    def content(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Receiver:
    """`status` gives the answer to each request by its number from 1; None hangs. `text` and
    `headers` are those of every answer."""

    url: str = ""
    takes_s: float = 0.0
    received: list[Received] = field(default_factory=list)
    answering: int = 0
    most_at_once: int = 0
    status: Callable[[int], int | None] = lambda _: 200
    text: str = "noted"
    headers: dict[str, str] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.Response:
        self.received.append(
            Received(dict(request.headers), await request.read(), request.raw_path)
        )
        status = self.status(len(self.received))
        self.answering += 1
        self.most_at_once = max(self.most_at_once, self.answering)
        await asyncio.sleep(self.takes_s)
        self.answering -= 1
        if status is None:
            await asyncio.Event().wait()
        return web.Response(status=status or 200, text=self.text, headers=self.headers)

    @property
    def jobs(self) -> list[int]:
        return [received.content["jobId"] for received in self.received]


@asynccontextmanager
async def receiver(
    status: Callable[[int], int | None] = lambda _: 200, port: int = 0
) -> AsyncIterator[Receiver]:
    made = Receiver(status=status)
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.01, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield made
    finally:
        await runner.cleanup()


async def listen(door: Door, url: str, *events: str, **values: Any) -> tuple[int, str]:
    """Add an endpoint. Returns its id and the secret that was made for it."""
    made = await door.execute(CreateWebhook(WebhookSpec(url, events or COMPLETED, **values)))
    return made.id, made.secret or ""


async def delay(door: Door, payload: dict[str, Any] | None = None, **values: Any) -> int:
    """Submit a job that is done at once."""
    spec = JobSpec(
        "wait", handler="test.delay", payload={"durationMs": 0, **(payload or {})}, **values
    )
    (job_id,) = await door.execute(SubmitJobs([spec]))
    return job_id


async def deliveries(door: Door, *states: DeliveryState, **chosen: Any) -> list[DeliveryRow]:
    """The deliveries in these states, newest first."""
    page = await door.ask(
        ListDeliveries(DeliveryFilter(states=frozenset(states), **chosen), limit=1000)
    )
    return list(page.rows)


async def detail(door: Door, delivery_id: int) -> DeliveryDetail:
    found = await door.ask(DeliveryById(delivery_id))
    assert found is not None
    return found


def environment(config: Config) -> dict[str, str]:
    """The settings of a station in a process of its own."""
    return {
        **os.environ,
        "CNC_DATA_FOLDER": str(config.data_folder),
        "CNC_DATABASE_URL": config.database_url,
        "CNC_STATION": config.station,
        "CNC_HEALTH_PORT": "0",
        "CNC_SYNCHRONOUS": "NORMAL",
        "CNC_RETRY_INITIAL_S": "0.05",
        "CNC_RETRY_AUTOMATION_LIMIT": "100",
    }


@asynccontextmanager
async def serving(environ: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A station in a process of its own, killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cnc_station", "serve", env=environ
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
