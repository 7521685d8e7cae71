"""Stations that only listen, several in a process of its own: how late do change notices come?

A notice carries the moment it was given away, on the clock that all processes of a PC share, as the
number of its job. `bare` listeners use the client alone: that is what Redis and the PC take.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.signals.base import SignalHandlers
from cnc_station.engine.signals.redis import RedisSignals

BARE = "bare-changes"


@asynccontextmanager
async def listeners(redis_url: str, count: int, how: str) -> AsyncIterator[list[float]]:
    """So many in one process. What they heard is in the list, in ms, when they have ended."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, redis_url, str(count), how),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    heard: list[float] = []
    assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
    yield heard
    assert process.stdin is not None
    process.stdin.close()
    told, _ = await asyncio.wait_for(process.communicate(), 30)
    heard += json.loads(told)


def _late(since_ns: int) -> float:
    return (time.monotonic_ns() - since_ns) / 1e6


async def _listen(redis_url: str, heard: list[float], ready: asyncio.Event) -> RedisSignals:
    signals = RedisSignals(redis_url)

    def hear(notice: Notice) -> None:
        heard.extend(_late(job) for job in notice.jobs)
        if notice.missed:  # it listens from now on
            ready.set()

    await signals.start(SignalHandlers(lambda: None, hear, lambda _: None))
    return signals


async def _listen_bare(redis_url: str, heard: list[float], ready: asyncio.Event) -> None:
    async with Redis.from_url(redis_url) as client, client.pubsub() as channel:
        await channel.subscribe(BARE)
        async for message in channel.listen():
            if message["type"] == "subscribe":
                ready.set()
            else:
                heard.append(_late(int(message["data"])))


async def _main(redis_url: str, count: str, how: str) -> None:
    heard: list[float] = []
    ready = [asyncio.Event() for _ in range(int(count))]
    signals: list[RedisSignals] = []
    tasks: list[asyncio.Task[None]] = []
    for one in ready:
        if how == "bare":
            tasks.append(asyncio.create_task(_listen_bare(redis_url, heard, one)))
        else:
            signals.append(await _listen(redis_url, heard, one))
    for one in ready:
        await one.wait()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for signal in signals:
        await signal.stop()
    print(json.dumps(heard))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
