"""A station to be killed: `python -m tests.engine.killed_station JSON` runs one until then."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cnc_station.config import Config
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.engine import StationEngine


def settings(folder: Path, shell_commands: Path, lease_s: float = 300.0) -> Config:
    """The same settings in both processes."""
    return Config(
        data_folder=folder,
        database_url=f"sqlite:///{folder / 'station.db'}",
        station="A",
        synchronous="NORMAL",
        retry=RetryPolicy(initial_s=0.05, jitter=0.0),
        lease_s=lease_s,
        shell_commands=shell_commands,
    )


@contextmanager
def station(config: Config) -> Iterator["subprocess.Popen[bytes]"]:
    """A station in a process of its own, killed at the end at the latest."""
    told = [str(config.data_folder), str(config.shell_commands), config.lease_s]
    command = [sys.executable, "-m", "tests.engine.killed_station", json.dumps(told)]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def _run(config: Config) -> None:
    engine = StationEngine(replace(config))
    await engine.start()
    await asyncio.Event().wait()


def main() -> None:
    folder, shell_commands, lease_s = json.loads(sys.argv[1])
    asyncio.run(_run(settings(Path(folder), Path(shell_commands), lease_s)))


if __name__ == "__main__":
    main()
