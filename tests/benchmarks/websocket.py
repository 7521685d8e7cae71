"""How late the clients of the WebSocket hear of a new job, beside a bare broadcast of aiohttp.

The delay of the station begins before the job is written: commit, reading and sending are in it.
The clients are a process of their own, which looks for the time that each message carries.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import WSMsgType, web

from cnc_station.engine.door import Door
from tests.benchmarks.figures import Effort, Figure, compared, turns
from tests.benchmarks.product import no_op, running, submit, websockets
from tests.benchmarks.shop import config, fill, folder

CLIENTS = 200
EVENTS = 1_000
PER_SECOND = 100
LIMIT_S = 120.0
Tell = Callable[[str], Awaitable[object]]

_MESSAGE = json.dumps({"type": "EVENT", "more": "x" * 850, "job": {"name": ""}})
_LISTENERS = r"""
import asyncio, json, re, sys, time

STAMP = re.compile(rb'"name": ?"([0-9]{12,})"')
SUBSCRIBE = b'{"type":"SUBSCRIBE","topics":["jobs"]}'

class Client(asyncio.Protocol):
    def __init__(self, delays, ready):
        self.delays, self.ready, self.rest, self.begun = delays, ready, b"", False

    def connection_made(self, transport):
        transport.write(b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            + bytes([0x81, 0x80 | len(SUBSCRIBE), 0, 0, 0, 0]) + SUBSCRIBE)
        self.transport = transport

    def data_received(self, data):
        now = time.monotonic_ns()
        data = self.rest + data
        if not self.begun:
            self.begun = b"SUBSCRIBED" in data
            self.rest = data
            if self.begun:
                self.ready()
            return
        end = 0
        for found in STAMP.finditer(data):
            self.delays.append((now - int(found[1])) / 1e6)
            end = found.end()
        self.rest = data[end:]

async def main(port, clients, wanted):
    delays, left, all_ready = [], clients, asyncio.Event()
    def ready():
        nonlocal left
        left -= 1
        if not left:
            all_ready.set()
    loop = asyncio.get_running_loop()
    kept = [await loop.create_connection(lambda: Client(delays, ready), "127.0.0.1", port)
            for _ in range(clients)]
    await all_ready.wait()
    print("ready", flush=True)
    while len(delays) < wanted:
        await asyncio.sleep(0.05)
    print(json.dumps(sorted(delays)), flush=True)

asyncio.run(main(*map(int, sys.argv[1:])))
"""


async def _delays(port: int, events: int, tell: Tell) -> tuple[float, float]:
    """Median and 99th percentile, in ms."""
    arguments = (str(port), str(CLIENTS), str(CLIENTS * events))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _LISTENERS, *arguments),
        stdout=asyncio.subprocess.PIPE,
        limit=2**26,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LIMIT_S):
            await process.stdout.readline()
            begun = time.monotonic()
            for number in range(events):
                await asyncio.sleep(begun + number / PER_SECOND - time.monotonic())
                await tell(str(time.monotonic_ns()))
            found: list[float] = json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    return statistics.median(found), found[round(0.99 * (len(found) - 1))]


async def _of_station(events: int) -> tuple[float, float]:
    with folder() as path:
        fill(path, 0, 0, one_type=True)
        async with running(replace(config(path), synchronous="NORMAL")) as door:
            app = web.Application()
            websockets(door).add_to(app)
            async with _listening(app) as port:
                return await _delays(port, events, lambda stamp: _submitted(door, stamp))


async def _submitted(door: Door, stamp: str) -> None:
    await submit(door, [no_op(stamp)])


async def _bare(events: int) -> tuple[float, float]:
    sockets: set[web.WebSocketResponse] = set()

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str('{"type":"SUBSCRIBED"}')
                sockets.add(socket)
        return socket

    async def broadcast(stamp: str) -> None:
        text = _MESSAGE.replace('"name": ""', f'"name": "{stamp}"')
        for socket in sockets:
            await socket.send_str(text)

    app = web.Application()
    app.router.add_get("/ws", serve)
    async with _listening(app) as port:
        return await _delays(port, events, broadcast)


@asynccontextmanager
async def _listening(app: web.Application) -> AsyncIterator[int]:
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def websocket(effort: Effort) -> list[Figure]:
    """Two hundred clients, a hundred events a second."""
    events = effort.of(EVENTS)
    found, bare = turns(
        effort.repeats,
        lambda: asyncio.run(_of_station(events)),
        lambda: asyncio.run(_bare(events)),
    )
    p50, p99 = (statistics.median(values) for values in zip(*found, strict=True))
    bare_p50, bare_p99 = (statistics.median(values) for values in zip(*bare, strict=True))
    return [
        compared("a new job told to 200 clients, p50", p50, "ms", bare_p50, "bare broadcast"),
        compared("a new job told to 200 clients, p99", p99, "ms", bare_p99, "bare broadcast"),
    ]
