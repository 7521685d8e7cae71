"""A station of the measured fleet, in a process of its own: `Station` starts one and talks to it.

It says `ready` when its machines are idle. With `stamp` it says for each job when its machine was
told to begin, on the clock that all processes of a PC share. It ends with its standard input.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cnc_station.config import Config
from cnc_station.engine.door import Door
from tests.benchmarks.product import add_mills, running, starts


@dataclass(frozen=True, slots=True)
class Station:
    """A running one."""

    process: asyncio.subprocess.Process

    async def said(self) -> list[str]:
        """Its next line, in words."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        return line.decode().split()

    def cpu_s(self) -> float:
        """What it has computed so far."""
        return cpu_s(self.process.pid)


def cpu_s(pid: int) -> float:
    """What a process has computed so far, with the children that it has seen the end of."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def station(
    name: str, database_url: str, redis_url: str, machines: int, *, stamp: bool = False
) -> AsyncIterator[Station]:
    """Started with its machines idle, ended in order."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, name, database_url, redis_url or "-", str(machines)),
        *(["stamp"] if stamp else []),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    one = Station(process)
    assert process.stdin is not None
    try:
        assert await one.said() == ["ready"]
        yield one
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.communicate(), 30)


def config(folder: Path, name: str, database_url: str, redis_url: str) -> Config:
    """A station that waits for the disk at every commit."""
    return Config(data_folder=folder, database_url=database_url, redis_url=redis_url, station=name)


@asynccontextmanager
async def working(
    name: str, database_url: str, redis_url: str = "", machines: int = 0, *, workers: int = 5
) -> AsyncIterator[Door]:
    """A station in this process, with mills that take anything: each idle before it is at work. It
    does as many jobs without a machine at once as it has `workers`."""
    with tempfile.TemporaryDirectory(prefix="cnc-bench-") as folder:
        settings = config(Path(folder), name, database_url, redis_url)
        await add_mills(settings, machines)
        async with running(replace(settings, automation_workers=workers)) as door:
            yield door


def _stamp(job_id: int) -> None:
    print(job_id, time.monotonic_ns(), flush=True)


async def _main(name: str, database_url: str, redis_url: str, machines: str, *how: str) -> None:
    redis_url = "" if redis_url == "-" else redis_url
    with starts(_stamp) if "stamp" in how else nullcontext():
        async with working(name, database_url, redis_url, int(machines)):
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(partial(_main, *sys.argv[1:])())
