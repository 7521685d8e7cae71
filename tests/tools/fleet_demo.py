"""The demo day with several stations: servers and stations that go with whoever started them.

`python -m tests.tools.fleet_demo 3` opens the first station's window and runs the other two.
"""

import argparse
import asyncio
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from cnc_station import config as settings
from cnc_station import headless
from cnc_station.cli.station_log import start_log
from cnc_station.config import PREFIX, Config
from cnc_station.demo import SEED, add_jobs, add_machines, demo_machines
from cnc_station.end_signals import EndSignals
from cnc_station.engine.domain.errors import FieldError, InvalidInput, Unavailable
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.door import Door
from cnc_station.opening import Opening
from tests.tools.temporary import TemporaryFolder

MOST_STATIONS = 9  # the demo shop has as many machines
# Somebody will end a station to see what happens, and nobody waits five minutes for that.
LONGEST_LEASE_S = 20.0
_STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class Share:
    """What one of `stations` brings to the demo day: every n-th machine, so that each has some of
    every type; the first brings the programs and the day's jobs as well."""

    number: int = 1
    stations: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """`2/3` is the second of three. Raises InvalidInput."""
        found = re.fullmatch(r"([1-9]\d?)/([1-9]\d?)", text)
        if found is None or int(found[1]) > int(found[2]):
            raise InvalidInput(FieldError("demo", "must be a share such as 2/3"))
        return cls(int(found[1]), int(found[2]))

    def machines(self) -> list[MachineSpec]:
        """This share of the demo shop's machines."""
        return demo_machines()[self.number - 1 :: self.stations]

    async def load(self, door: Door) -> tuple[int, ...]:
        """Add this share. Returns the ids of its jobs."""
        await add_machines(door, self.machines())
        return await add_jobs(door) if self.number == 1 else ()


@dataclass(frozen=True, slots=True)
class Fleet:
    """The settings of the first station, which is the caller's to run, and the others at work."""

    config: Config
    others: Mapping[str, subprocess.Popen[bytes]]


@contextmanager
def running_fleet(config: Config, environ: Mapping[str, str], stations: int) -> Iterator[Fleet]:
    """Temporary servers and all stations but the first, until the block is left.

    They are out of reach of Ctrl-C in this terminal, so that the first station can still write
    what it has to; they end with this process and leave nothing behind, however that ends. To be
    called from the main thread: children end with the thread that started them. Raises
    InvalidInput, and Unavailable where a server is not installed or does not start.
    """
    if not 2 <= stations <= MOST_STATIONS:
        raise InvalidInput(FieldError("fleet", f"must be a number from 2 to {MOST_STATIONS}"))
    if sys.platform != "linux":
        raise Unavailable(
            "The fleet's demo day starts its own servers, which it can on Linux only."
        )
    from tests.tools import servers  # noqa: PLC0415 - knows no other system

    if missing := servers.missing_packages():
        raise Unavailable(
            "The fleet's demo day starts its own servers. Install them first: "
            f"sudo apt-get install {' '.join(missing)}"
        )
    with ExitStack() as stack:
        try:
            postgres = stack.enter_context(servers.Postgres())
            redis = stack.enter_context(servers.Redis())
        except servers.ServerFailed as error:
            raise Unavailable(str(error)) from error
        folder = TemporaryFolder("cnc-fleet-")
        stack.callback(folder.remove)
        first = replace(
            config,
            database_url=postgres.url(),
            redis_url=redis.url,
            lease_s=min(config.lease_s, LONGEST_LEASE_S),
            simulator_seed=SEED if config.simulator_seed is None else config.simulator_seed,
        )
        configs = [_config(first, number, folder.path) for number in range(1, stations + 1)]
        others: dict[str, subprocess.Popen[bytes]] = {}
        stack.callback(_stop, others)
        for number, own in enumerate(configs[1:], start=2):
            others[own.station] = _started(own, environ, Share(number, stations))
        yield Fleet(configs[0], others)


def _config(first: Config, number: int, folder: Path) -> Config:
    """Each has its own name, folder and luck."""
    assert first.simulator_seed is not None
    return replace(
        first,
        station=f"Hall {number}",
        data_folder=folder / f"hall-{number}",
        simulator_seed=first.simulator_seed + number - 1,
    )


def _started(config: Config, environ: Mapping[str, str], share: Share) -> subprocess.Popen[bytes]:
    """A station without a window."""
    config.data_folder.mkdir()
    with (config.data_folder / "said.log").open("wb") as said:
        return subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL"),
                *(sys.executable, "-m", "tests.tools.fleet_demo"),
                *("--share", f"{share.number}/{share.stations}"),
            ],
            env=_environment(config, environ),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def _stop(stations: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """All at once and in order; by force where that takes too long."""
    for process in stations.values():
        process.terminate()
    deadline = time.monotonic() + _STOP_S
    for process in stations.values():
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(config: Config, environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's settings, except where this demo day has its own."""
    own = {
        "data_folder": config.data_folder,
        "database_url": config.database_url,
        "redis_url": config.redis_url,
        "station": config.station,
        "lease_s": config.lease_s,
        "simulator_speed": config.simulator_speed,
        "simulator_seed": config.simulator_seed,
        "health_port": 0,  # they would all want the same one
    }
    kept = {name: value for name, value in environ.items() if name != f"{PREFIX}DATABASE"}
    return {**kept, **{PREFIX + name.upper(): str(own[name]) for name in own}}


def open_fleet(stations: int, speed: str) -> int:
    """Run the fleet until the window of its first station is closed."""
    from cnc_station.desktop import open_window  # noqa: PLC0415 - the other stations need no Qt

    config = settings.load(os.environ, None, {"simulator_speed": speed})
    with running_fleet(config, os.environ, stations) as fleet, EndSignals() as ends:
        start_log(fleet.config, aloud=False)
        print(f"{fleet.config.station} opens its window. Beside it, without one:")
        for name, process in fleet.others.items():
            print(f"  {name}, process {process.pid}")
        print("End one of them (kill -9) and see the others take over.", flush=True)
        try:
            return open_window(Opening(fleet.config, Share(1, stations).load), ends)
        finally:
            logging.shutdown()  # the last lines, before their folder goes


def main(argv: Sequence[str]) -> int:
    """Open the fleet, or with `--share` be one of its other stations."""
    parser = argparse.ArgumentParser(prog="./dev fleet", description=__doc__)
    parser.add_argument("stations", type=int, nargs="?", default=3, metavar="N")
    parser.add_argument("--speed", default="20", metavar="N", help="times real time (20)")
    parser.add_argument("--share", type=Share.parse, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.share is None:
        try:
            return open_fleet(args.stations, args.speed)
        except (InvalidInput, Unavailable) as error:
            parser.error(str(error))
    config = settings.load(os.environ)
    start_log(config, aloud=True)
    asyncio.run(headless.serve(config, args.share.load))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
