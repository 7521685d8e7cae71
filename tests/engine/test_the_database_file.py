"""A file that a station can't work on: a clear sentence, and nothing in it is touched."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine, open_client
from cnc_station.engine.queries import ListEvents
from cnc_station.engine.store.database import EngineLock
from tests.engine.command_line import cli, refused, without_roots_rights
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf
from tests.until import at_best, until


def _other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE recipe (name TEXT)")
        other.execute("INSERT INTO recipe VALUES ('soup')")


def _other_program_with_a_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("PRAGMA journal_mode=WAL")
    _other_program(path)


def _other_program_with_migrations(path: Path) -> None:
    _other_program(path)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE alembic_version (version_num TEXT)")
        other.execute("INSERT INTO alembic_version VALUES ('0001')")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _first_page_scribbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[16:4096] = b"\x5a" * 4080
    path.write_bytes(content)


def _shopping_list(path: Path) -> None:
    path.write_bytes(b"milk, eggs\n" * 500)


BAD_FILES: Sequence[tuple[Callable[[Path], None], str]] = (
    (_other_program, "another program's data"),
    (_other_program_with_a_log, "another program's data"),
    (_other_program_with_migrations, "another program's data"),
    (_newer, "made by a newer CNC Station"),
    (_cut_short, "damaged"),
    (_first_page_scribbled, "damaged|not a CNC Station database"),
    (_shopping_list, "not a CNC Station database"),
)


def _spoiled(path: Path, spoil: Callable[[Path], None]) -> bytes:
    if "other" in spoil.__name__:
        path.unlink()
    spoil(path)
    return path.read_bytes()


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _path(config: Config) -> Path:
    assert config.database_path is not None
    return config.database_path


@pytest.mark.parametrize(("spoil", "sentence"), BAD_FILES)
@pytest.mark.parametrize("services", [True, False])
async def test_a_file_it_can_not_work_on_is_refused_and_left_as_it_is(
    config: Config,
    at_rest: Path,
    spoil: Callable[[Path], None],
    sentence: str,
    services: bool,
) -> None:
    before = _spoiled(at_rest, spoil)
    with pytest.raises(Unavailable, match=sentence):
        await StationEngine(config, services=services).start()
    assert _content(at_rest) == before
    left = {path.name for path in at_rest.parent.iterdir() if not path.name.endswith(".lock")}
    assert left <= {"station.db", "station.db-wal", "station.db-shm"}


async def test_a_folder_in_the_files_place_is_named(config: Config) -> None:
    _path(config).unlink()
    _path(config).mkdir()
    with pytest.raises(Unavailable, match="is a folder, not a database file"):
        await StationEngine(config).start()


async def test_an_empty_file_becomes_a_database(config: Config, station: Station) -> None:
    _path(config).touch()
    floor = await station()
    assert await floor.job() == 1


async def test_odd_names_of_files_are_names_of_files(
    config: Config, station: Station, tmp_path: Path
) -> None:
    path = tmp_path / "Werkstatt Süd #2" / "100%25 & more.db"
    floor = await station(replace(config, database_url=f"sqlite:///{path}"))
    await floor.job()
    assert path.is_file()


@pytest.mark.parametrize("way", ["the same path", "a link", "a way round"])
async def test_a_second_engine_on_one_file_is_refused_by_name(
    config: Config, station: Station, tmp_path: Path, way: str
) -> None:
    floor = await station()
    path = _path(config)
    if way == "a link":
        path = tmp_path / "link.db"
        path.symlink_to(_path(config))
    elif way == "a way round":
        (tmp_path / "folder").mkdir()
        path = tmp_path / "folder" / ".." / "station.db"
    second = StationEngine(replace(config, station="B", database_url=f"sqlite:///{path}"))
    with pytest.raises(Unavailable) as caught:
        await second.start()
    assert str(caught.value) == (
        f"Another CNC Station (A, process {os.getpid()}) already works on this database. "
        "Use its window, or close it first."
    )
    assert await floor.job() == 1
    await floor.engine.stop()
    again = await station(replace(config, station="B"))
    assert await again.broken() == []


def test_a_lock_that_can_not_be_described_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_more: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(Unavailable, match="No space left on device"):
            EngineLock(tmp_path / "station.db").acquire("A")
    lock = EngineLock(tmp_path / "station.db")
    lock.acquire("A")
    lock.release()


async def test_who_looks_in_beside_a_station_never_changes_its_schema(
    config: Config, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older station at work, and a newer command line beside it."""
    floor = await station()
    with closing(sqlite3.connect(_path(config))) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '0000'")
    monkeypatch.setattr(
        "cnc_station.engine.store.migrate.known_revisions", lambda: {"0000", "0001"}
    )
    with pytest.raises(Unavailable, match="already works on this database"):
        await open_client(config)
    assert await floor.job() == 1


async def test_a_job_that_another_process_hands_in_is_at_a_machine_within_a_second(
    config: Config, station: Station
) -> None:
    floor = await station()
    await floor.mill()
    command = ("submit", "--name", "bracket", "--type", "mill")

    async def waited_ms() -> float:
        done = await asyncio.to_thread(cli, _path(config), *command)
        job_id = int(done.stdout.removeprefix("Job ").removesuffix(" submitted.\n"))
        row = await floor.comes_to(job_id, JobState.COMPLETED)
        events = await floor.door.ask(ListEvents(job_id=job_id))
        assert row.attempt == 1
        return events[1].at - events[0].at

    assert await at_best(waited_ms, 1000) <= 1000


@pytest.mark.parametrize("command", [("submit", "--name", "a", "--type", "mill"), ("serve",)])
def test_a_read_only_folder_is_named(tmp_path: Path, command: Sequence[str]) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    folder.chmod(0o555)
    try:
        said = refused(cli(folder / "station.db", *command, before=without_roots_rights()))
        assert "can't be" in said
        assert list(folder.iterdir()) == []
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize("command", [("submit", "--name", "a", "--type", "mill"), ("serve",)])
def test_a_read_only_database_is_named_and_left_as_it_is(
    at_rest: Path, command: Sequence[str]
) -> None:
    before = at_rest.read_bytes()
    at_rest.chmod(0o444)
    at_rest.parent.chmod(0o555)
    try:
        said = refused(cli(at_rest, *command, before=without_roots_rights()))
        assert "read-only" in said or "can't be written" in said
    finally:
        at_rest.parent.chmod(0o755)
        at_rest.chmod(0o644)
    assert at_rest.read_bytes() == before


def test_a_disk_that_is_full_at_the_first_start_is_named_and_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "station.db"
    command = ("submit", "--name", "a", "--type", "mill")
    said = refused(cli(path, *command, most_bytes=20_000))
    assert "disk" in said
    again = cli(path, *command)
    assert again.stdout == "Job 1 submitted.\n", again


def test_a_disk_that_is_full_later_is_named_and_nothing_is_lost(at_rest: Path) -> None:
    long = ("submit", "--name", "a", "--type", "mill", "--payload", '{"a": "%s"}' % ("x" * 60_000))
    said = refused(cli(at_rest, *long, most_bytes=40_000))
    assert "disk" in said
    assert cli(at_rest, "submit", "--name", "b", "--type", "mill").stdout == "Job 2 submitted.\n"


async def test_a_station_killed_while_it_waits_leaves_the_file_free_for_the_next(
    config: Config, station: Station
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cnc_station", "serve"),
        env={**os.environ, "CNC_DATABASE": str(_path(config)), "CNC_HEALTH_PORT": "0"},
        stderr=subprocess.DEVNULL,
    )
    await until(Path(f"{_path(config)}.holder").exists, 30)
    process.kill()
    await process.wait()
    floor: FloorOf = await station()
    assert await floor.job() == 1


async def test_a_second_name_of_the_file_has_the_same_lock(
    config: Config, station: Station, tmp_path: Path
) -> None:
    floor = await station()
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "second.db").hardlink_to(_path(config))
    said = await asyncio.to_thread(lambda: refused(cli(other / "second.db", "serve")))
    assert "Another CNC Station already works on this database, which has two names" in said
    assert await floor.job() == 1
    await floor.engine.stop()
    lock = EngineLock(other / "second.db")
    lock.acquire("B")
    lock.release()


async def test_a_bind_mount_of_the_file_has_the_same_lock(
    config: Config, station: Station, tmp_path: Path
) -> None:
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None:
        pytest.skip("only root may mount")
    floor = await station()
    mounted = tmp_path / "mounted.db"
    mounted.touch()
    mount = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
    inside = [unshare, "--mount", "sh", "-c", mount, "sh", str(_path(config)), str(mounted)]

    done = await asyncio.to_thread(partial(cli, mounted, "serve", before=inside))
    if "mount:" in done.stderr:
        pytest.skip("mounts are not allowed here")
    assert "already works on this database" in refused(done)
    assert await floor.job() == 1


READING = """
import sqlite3, sys
opened = sqlite3.connect(sys.argv[1])
print(opened.execute("SELECT count(*) FROM job").fetchone()[0])
opened.close()
"""


async def test_a_program_that_closes_the_file_leaves_the_log_of_a_station_in_place(
    config: Config, station: Station
) -> None:
    """The last connection removes the log; what a station writes into a removed one is lost."""
    await (await station()).engine.stop()
    floor = await station()  # the second start finds a file
    path = config.database_path
    assert path is not None
    jobs = await asyncio.to_thread(
        subprocess.check_output, [sys.executable, "-c", READING, str(path)], text=True
    )
    assert jobs == "0\n"
    job_id = await floor.job()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT id FROM job").fetchall() == [(job_id,)]
