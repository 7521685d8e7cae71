"""Clients of an API in a process of their own: `python -m tests.benchmarks.api_client`.

They ask for the paths in turn, each client as soon as it is answered, or all together `rate` times
a second. Prints how many were answered, the worst status, and the latency.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from tests.benchmarks.figures import percentile

WARM_UP_S = 0.5


@dataclass(frozen=True, slots=True)
class Heard:
    """What the clients were answered. Times in ms."""

    per_s: float
    worst: int
    p50: float
    p99: float


async def ask(
    url: str, paths: Sequence[str], clients: int, seconds: float, rate: float = 0.0
) -> Heard:
    """Run clients in a process of their own, and return what they heard."""
    command = [sys.executable, "-m", "tests.benchmarks.api_client", url, *paths]
    command += ["--clients", str(clients), "--seconds", str(seconds), "--rate", str(rate)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    told, _ = await process.communicate()
    return Heard(**json.loads(told))


async def _run(options: argparse.Namespace) -> Heard:
    took: list[float] = []
    statuses: set[int] = set()
    begun = time.perf_counter() + WARM_UP_S
    end = begun + options.seconds
    asked = 0

    async def client(session: aiohttp.ClientSession, number: int) -> None:
        nonlocal asked
        while (now := time.perf_counter()) < end:
            if options.rate:
                due = begun - WARM_UP_S + asked / options.rate
                asked += 1
                await asyncio.sleep(due - now)
                now = time.perf_counter()
            else:
                asked += 1
            path = options.paths[(asked + number) % len(options.paths)]
            async with session.get(options.url + path) as answer:
                await answer.read()
                statuses.add(answer.status)
            if now > begun:
                took.append((time.perf_counter() - now) * 1000)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(client(session, number) for number in range(options.clients)))
    per_s = len(took) / options.seconds
    return Heard(per_s, max(statuses), percentile(took, 0.5), percentile(took, 0.99))


def main() -> None:
    """Ask, and print what was heard."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=0.0)
    heard = asyncio.run(_run(parser.parse_args()))
    print(json.dumps({name: getattr(heard, name) for name in Heard.__slots__}))


if __name__ == "__main__":
    main()
