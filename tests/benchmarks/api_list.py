"""What a list over HTTP costs the station's loop, beside a bare aiohttp handler doing one SQLite
read of as many rows."""

import asyncio
import json
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from http.client import HTTPConnection
from pathlib import Path

from aiohttp import web

from cnc_station.engine.engine import StationEngine
from cnc_station.web.server import WebServer
from tests.benchmarks.figures import Effort, Figure, compared
from tests.benchmarks.shop import config, fill, folder

JOBS = 100_000
REQUESTS = 300
ROWS = 20
LIST = f"/api/v1/jobs?status=pending&sort=queue&limit={ROWS}"
_HOST = "127.0.0.1"
_READ = "SELECT * FROM job WHERE finished_at IS NULL ORDER BY rank LIMIT ?"


def _bare(path: Path) -> web.Application:
    def read() -> str:
        with closing(sqlite3.connect(path / "station.db")) as db:
            db.row_factory = sqlite3.Row
            return json.dumps([dict(row) for row in db.execute(_READ, (ROWS,))])

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(text=await asyncio.to_thread(read))

    app = web.Application()
    app.router.add_get("/", answer)
    return app


@asynccontextmanager
async def _servers(path: Path) -> AsyncIterator[tuple[int, int]]:
    """The ports of the station and of the bare server, on this loop."""
    engine = StationEngine(config(path))
    await engine.start()
    server = WebServer(engine.local_door)
    runner = web.AppRunner(_bare(path), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, _HOST, 0).start()
    try:
        yield await server.start(_HOST, 0), runner.addresses[0][1]
    finally:
        await runner.cleanup()
        await server.stop()
        await engine.stop()


def _ask(port: int, path: str, count: int) -> None:
    """One request after another, from a thread of its own."""
    with closing(HTTPConnection(_HOST, port, timeout=60)) as connection:
        for _ in range(count):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            assert answer.read().count(b'"created_at"') == ROWS


async def _loop_ms(port: int, path: str, count: int) -> float:
    """CPU time of the loop's thread for each request."""
    await asyncio.to_thread(_ask, port, path, 10)
    begun = time.thread_time()
    await asyncio.to_thread(_ask, port, path, count)
    return (time.thread_time() - begun) * 1000 / count


async def _measured(jobs: int, requests: int, repeats: int) -> tuple[list[float], list[float]]:
    """Milliseconds of the loop for a list, and for the bare handler; they take turns."""
    ours, bare = [], []
    with folder() as path:
        fill(path, jobs, 0)
        async with _servers(path) as (station, plain):
            for _ in range(repeats):
                bare.append(await _loop_ms(plain, "/", requests))
                ours.append(await _loop_ms(station, LIST, requests))
    return ours, bare


def lists(effort: Effort) -> list[Figure]:
    """The first page of the queue."""
    counts = effort.of(JOBS), effort.of(REQUESTS, at_least=30), effort.repeats
    ours, bare = asyncio.run(_measured(*counts))
    return [
        compared(
            f"GET /jobs, {ROWS} rows: loop time",
            statistics.median(ours),
            "ms",
            statistics.median(bare),
            "bare aiohttp with one SQLite read",
            at_most=5.0,
        )
    ]
