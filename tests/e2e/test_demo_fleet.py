"""The demo day with several stations, as real processes on real servers."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.demo import DEMO, demo_machines
from cnc_station.engine.domain.errors import InvalidInput, Unavailable
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ListMachines, ListRuns, ListStations
from tests.tools import servers
from tests.tools.fleet_demo import Share, running_fleet
from tests.until import until


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders go: one that the servers' user can enter."""
    if servers.missing_packages() and os.environ.get("CI") != "true":
        pytest.skip("the servers are not installed")
    folder = Path(tempfile.mkdtemp(prefix="cnc-test-"))
    folder.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_demo_shop_is_shared_out_whole_with_work_of_every_type_for_three() -> None:
    shares = [Share(number, 3).machines() for number in (1, 2, 3)]
    names = [spec.name for share in shares for spec in share]
    assert sorted(names) == sorted(spec.name for spec in demo_machines())
    assert [len(share) for share in shares] == [3, 3, 3]
    assert all({spec.machine_type for spec in share} >= {"mill", "lathe"} for share in shares)
    for wrong in ("0/3", "4/3", "1", "x/y", ""):
        with pytest.raises(InvalidInput):
            Share.parse(wrong)


async def test_every_station_of_the_fleet_makes_its_share_of_the_day(temporary: Path) -> None:
    config = Config(temporary / "unused", "sqlite:////nowhere/at/all.db", simulator_speed=2_000.0)
    with running_fleet(config, dict(os.environ), 3) as fleet:
        engine = StationEngine(fleet.config)
        await engine.start()
        try:
            assert len(await Share(1, 3).load(engine.door(DEMO))) >= 60
            machines = await until(lambda: all_machines(engine), timeout=60)
            assert machines == {"Hall 1": 3, "Hall 2": 3, "Hall 3": 3}
            await until(lambda: all_have_worked(engine), timeout=60)
            rows = await engine.local_door.ask(ListStations())
            assert [row.name for row in rows if row.leads] in (["Hall 1"], ["Hall 2"], ["Hall 3"])
        finally:
            await engine.stop()
    assert all(process.returncode == 0 for process in fleet.others.values())
    assert not left(temporary)


def left(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def all_machines(engine: StationEngine) -> Counter[str]:
    found = Counter(row.station for row in await engine.local_door.ask(ListMachines()))
    return found if found.total() == len(demo_machines()) else Counter()


async def all_have_worked(engine: StationEngine) -> bool:
    done = Counter(
        run.station for run in await engine.local_door.ask(ListRuns()) if run.state == "succeeded"
    )
    return len(done) == 3


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_fleet_leaves_nothing_behind_however_it_ends(
    temporary: Path, end: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.tools.fleet_demo", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as window:
        assert window.stdout is not None
        last = next(line for line in window.stdout if line.startswith("End one"))
        assert "take over" in last
        ours = processes_in(temporary)
        assert len(ours) >= 3  # PostgreSQL, Redis and a station
        window.send_signal(end)
        window.wait(60)
    deadline = time.monotonic() + 60
    while processes_in(temporary) or left(temporary):
        assert time.monotonic() < deadline, (processes_in(temporary), left(temporary))
        time.sleep(0.05)


def processes_in(folder: Path) -> set[int]:
    """The processes that work in the folder, or were told of it."""
    mark = str(folder).encode()
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:  # it has ended meanwhile
                continue
            if mark in told:
                found.add(int(entry.name))
    return found


def test_without_the_servers_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "missing_packages", lambda: ("postgresql", "redis-server"))
    config = Config(tmp_path, "sqlite:////nowhere/at/all.db")
    with (
        pytest.raises(Unavailable, match="sudo apt-get install postgresql redis-server"),
        running_fleet(config, {}, 2),
    ):
        pass
    with pytest.raises(InvalidInput, match="from 2 to 9"), running_fleet(config, {}, 1):
        pass
