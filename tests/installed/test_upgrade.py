"""An upgrade over a station whose machine cuts, and how the package goes again."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import open_client
from cnc_station.engine.store.database import Database
from tests.e2e.real_mills import HEAD, submitted, wired
from tests.engine.floor import FloorOf
from tests.installed.conftest import put_in
from tests.installed.roots import Root, processes, terminate
from tests.installed.stations import PATIENCE_S, PROGRAM, health, service
from tests.invariants import broken
from tests.linuxcnc import LinuxCnc
from tests.until import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("suite", ["bookworm"], indirect=True, scope="session"),
]
MINUTES = f"{HEAD}G0 X0 Y0 Z5\n" + 8 * "G1 X60 F600\nX0\n" + "G0 Z7\nM2\n"
DATA = "/var/lib/cnc-station"
NEWER = "0.1.0+newer"


@pytest.fixture(scope="module")
def newer(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same files as a higher version."""
    folder = tmp_path_factory.mktemp("newer")
    subprocess.run(["dpkg-deb", "-R", package, folder / "tree"], check=True)
    control = folder / "tree/DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {NEWER}", control.read_text()))
    made = folder / "newer.deb"
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--build", folder / "tree", made], check=True)
    shutil.rmtree(folder / "tree")
    return made


@pytest.fixture
def mill() -> Iterator[LinuxCnc]:
    """A real LinuxCNC outside, ready for programs."""
    try:
        made = LinuxCnc("MILL1")
    except (FileNotFoundError, PermissionError) as why:
        pytest.skip(str(why))
    with made, made.panel as panel:
        panel.make_ready()
        yield made


@asynccontextmanager
async def client(debian: Root, folder: Path) -> AsyncIterator[FloorOf]:
    """Who asks the database of the service, in this folder, from outside."""
    config = Config(data_folder=folder, database_url=f"sqlite:///{folder / 'station.db'}")
    floor = FloorOf(await open_client(config))
    try:
        yield floor
    finally:
        await floor.engine.stop()
        debian.run("chown", "-R", "cnc-station:cnc-station", DATA)


async def test_a_mill_cuts_on_through_an_upgrade_and_nothing_is_lost(
    debian: Root, mill: LinuxCnc, newer: Path, tmp_path: Path
) -> None:
    debian.share(mill.programs)
    mill.programs.chmod(0o777)  # the service writes there
    data = tmp_path / "data"
    data.mkdir()
    debian.share(data, DATA)
    async with client(debian, data) as floor:
        await floor.door.execute(AddMachine(wired(mill, "Mill 1")))
        job_id = await submitted(floor, "long", MINUTES)
    put_in(debian, newer)
    with service(debian, tmp_path / "service.log") as station:
        await station.ready()
        (before,) = processes(debian, PROGRAM)
        async with client(debian, data) as floor:
            await floor.comes_to(job_id, JobState.RUNNING, PATIENCE_S)
            await asyncio.to_thread(
                debian.run, "apt-get", "-y", "-qq", "install", "/srv/cnc-station.deb"
            )
            assert station.process.wait() == 0
            await until(lambda: health(station.port), PATIENCE_S)
            (after,) = processes(debian, PROGRAM)
            assert after != before
            assert debian.run("stat", "-c", "%U", f"/proc/{after}").strip() == "cnc-station"
            await floor.comes_to(job_id, JobState.COMPLETED, PATIENCE_S)
            told = await floor.told(job_id)
        assert [told.count(e) for e in ("started", "reattached", "completed")] == [1, 1, 1]
        terminate(debian, after)
        await until(lambda: not processes(debian, PROGRAM), PATIENCE_S)
    version = debian.run("dpkg-query", "-W", "-f", "${Version}", "cnc-station")
    assert version == NEWER
    database = Database(f"sqlite:///{data / 'station.db'}")
    try:
        assert database.read(broken) == []
    finally:
        database.close()


@pytest.mark.parametrize("answer", ["false", "true"])
async def test_removing_closes_the_station_and_purging_deletes_its_data_only_if_wished(
    debian: Root, tmp_path: Path, answer: str
) -> None:
    with service(debian, tmp_path / "service.log") as station:
        await station.ready()
        debian.run("apt-get", "-y", "-qq", "remove", "cnc-station")
        assert station.process.wait() == 0
    assert debian.path(f"{DATA}/station.db").exists()
    assert debian.path("/etc/cnc-station/cnc-station.toml").exists()
    assert not debian.path("/usr/lib/cnc-station").exists()
    debian.run(
        "sh",
        "-c",
        f"echo cnc-station cnc-station/remove-data boolean {answer} | debconf-set-selections",
    )
    debian.run("apt-get", "-y", "-qq", "purge", "cnc-station")
    assert debian.path(DATA).exists() == (answer == "false")
    assert not debian.path("/etc/cnc-station").exists()


def test_the_question_of_the_purge_is_known_before_it_is_asked(debian: Root) -> None:
    """debconf forgets the template's file when the package is removed."""
    debian.run("apt-get", "-y", "-qq", "remove", "cnc-station")
    asked = debian.run(
        "sh", "-c", "echo 'get cnc-station/remove-data' | debconf-communicate cnc-station"
    )
    assert asked.split() == ["0", "false"]
