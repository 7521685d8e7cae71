"""The demo day with several stations: servers and stations that go with whoever started them."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cnc_station.bundled import self_command
from cnc_station.config import PREFIX, Config
from cnc_station.demo import SEED, Share
from cnc_station.engine.domain.errors import FieldError, InvalidInput, Unavailable
from cnc_station.temporary import TemporaryFolder

MOST_STATIONS = 9  # the demo shop has as many machines
# Somebody will end a station to see what happens, and nobody waits five minutes for that.
LONGEST_LEASE_S = 20.0
_STOP_S = 20.0


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
    from cnc_station import servers  # noqa: PLC0415 - knows no other system

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
                *(*self_command(), "serve", "--demo", f"{share.number}/{share.stations}"),
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
