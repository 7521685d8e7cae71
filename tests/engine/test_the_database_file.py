"""A file that a station can't work on: a clear sentence, and nothing in it is touched."""

import asyncio
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine, open_client
from cnc_station.engine.queries import ListEvents
from cnc_station.engine.store.database import EngineLock
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


def _time_of_change(path: Path) -> int:
    return path.stat().st_mtime_ns


def _path(config: Config) -> Path:
    assert config.database_path is not None
    return config.database_path


@pytest.fixture
async def at_rest(config: Config, station: Station) -> Path:
    """A shop's database with a job in it, nobody at work on it."""
    floor = await station()
    await floor.job()
    await floor.engine.stop()
    return _path(config)


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
    with pytest.raises(Unavailable) as refused:
        await second.start()
    assert str(refused.value) == (
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
        done = await asyncio.to_thread(_cli, _path(config), *command)
        job_id = int(done.stdout.removeprefix("Job ").removesuffix(" submitted.\n"))
        row = await floor.comes_to(job_id, JobState.COMPLETED)
        events = await floor.door.ask(ListEvents(job_id=job_id))
        assert row.attempt == 1
        return events[1].at - events[0].at

    assert await at_best(waited_ms, 1000) <= 1000


def _cli(
    path: Path, *command: str, before: Sequence[str] = (), most_bytes: int | None = None
) -> "subprocess.CompletedProcess[str]":
    def limit() -> None:
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))

    return subprocess.run(
        [*before, sys.executable, "-m", "cnc_station", *command],
        capture_output=True,
        text=True,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "CNC_DATABASE": str(path),
            "CNC_DATA_FOLDER": str(path.parent),
            "QT_QPA_PLATFORM": "offscreen",
        },
        preexec_fn=limit,
        timeout=60,
        check=False,
    )


def _refused(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 3, done
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


def _without_roots_rights() -> list[str]:
    """A prefix under which file permissions hold for root as well."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root may write everywhere, and there is no setpriv to give that up")
    rights = "-dac_override,-dac_read_search"
    return [setpriv, "--bounding-set", rights, "--inh-caps", rights]


@pytest.mark.parametrize("command", [("submit", "--name", "a", "--type", "mill"), ("serve",)])
def test_a_read_only_folder_is_named(tmp_path: Path, command: Sequence[str]) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    folder.chmod(0o555)
    try:
        said = _refused(_cli(folder / "station.db", *command, before=_without_roots_rights()))
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
        said = _refused(_cli(at_rest, *command, before=_without_roots_rights()))
        assert "read-only" in said or "can't be written" in said
    finally:
        at_rest.parent.chmod(0o755)
        at_rest.chmod(0o644)
    assert at_rest.read_bytes() == before


def test_a_disk_that_is_full_at_the_first_start_is_named_and_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "station.db"
    command = ("submit", "--name", "a", "--type", "mill")
    said = _refused(_cli(path, *command, most_bytes=20_000))
    assert "disk" in said
    again = _cli(path, *command)
    assert again.stdout == "Job 1 submitted.\n", again


def test_a_disk_that_is_full_later_is_named_and_nothing_is_lost(at_rest: Path) -> None:
    long = ("submit", "--name", "a", "--type", "mill", "--payload", '{"a": "%s"}' % ("x" * 60_000))
    said = _refused(_cli(at_rest, *long, most_bytes=40_000))
    assert "disk" in said
    assert _cli(at_rest, "submit", "--name", "b", "--type", "mill").stdout == "Job 2 submitted.\n"


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


def _page_size(content: bytes | bytearray) -> int:
    return int.from_bytes(content[16:18], "big")


def _page_of(path: Path, name: str) -> int:
    with closing(sqlite3.connect(path)) as opened:
        (page,) = opened.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)
        ).fetchone()
    return int(page) - 1


def _page_zeroed(path: Path) -> None:
    page = _page_of(path, "job")
    content = bytearray(path.read_bytes())
    size = _page_size(content)
    content[page * size : (page + 1) * size] = bytes(size)
    path.write_bytes(content)


def _pages_swapped(path: Path) -> None:
    one, other = _page_of(path, "job"), _page_of(path, "event_job")
    content = bytearray(path.read_bytes())
    size = _page_size(content)
    first = content[one * size : (one + 1) * size]
    content[one * size : (one + 1) * size] = content[other * size : (other + 1) * size]
    content[other * size : (other + 1) * size] = first
    path.write_bytes(content)


def _index_with_other_content(path: Path) -> None:
    """An index that no longer has the rows of its table: statements find too little."""
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute("PRAGMA writable_schema=ON")
        opened.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'run_id', 'machine_id') "
            "WHERE name = 'event_job'"
        )
        opened.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'job_id, id', 'at, id') "
            "WHERE name = 'event_job'"
        )


def _a_table_missing(path: Path) -> None:
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute("DROP TABLE leader")


def _page_size_scribbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[16:18] = b"\x03\x07"
    path.write_bytes(content)


def _last_page_cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4096])


def _log_of_another_file(path: Path) -> None:
    path.with_name(f"{path.name}-wal").write_bytes(b"\x5a" * 8192)


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES = (
    _page_zeroed,
    _pages_swapped,
    _index_with_other_content,
    _a_table_missing,
    _page_size_scribbled,
    _last_page_cut_off,
    _log_of_another_file,
)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("services", [True, False])
async def test_a_damaged_file_is_refused_before_anything_is_written_to_it(
    config: Config, at_rest: Path, damage: Callable[[Path], None], services: bool
) -> None:
    damage(at_rest)
    before = _content(at_rest), _time_of_change(at_rest)
    with pytest.raises(Unavailable, match=r"damaged: .+ It was left as it is: ") as refused:
        await StationEngine(config, services=services).start()
    assert not refused.value.transient
    assert (_content(at_rest), _time_of_change(at_rest)) == before


def test_a_damaged_file_ends_a_station_with_a_sentence_and_its_code(at_rest: Path) -> None:
    copy = at_rest.with_name(f"{at_rest.name}.before-0007-20260101-000000")
    shutil.copy(at_rest, copy)
    _page_zeroed(at_rest)
    for command in (("serve",), ("jobs",), ("db", "status"), ("db", "upgrade")):
        said = _refused(_cli(at_rest, *command))
        assert said.startswith("cnc-station: ")
        assert f"then copy {copy.name}" in said


def test_a_pipe_in_the_files_place_blocks_nobody(at_rest: Path) -> None:
    _a_pipe(at_rest)
    assert "is a device or a pipe" in _refused(_cli(at_rest, "jobs"))


async def test_a_large_file_is_looked_at_for_a_limited_time(
    at_rest: Path, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(at_rest)) as opened, opened:
        opened.executemany(
            "INSERT INTO setting VALUES (?, ?)",
            ((f"s{n}", '"' + "x" * 500 + '"') for n in range(4000)),
        )
    monkeypatch.setattr("cnc_station.engine.store.integrity.LOOK_S", 0.0)
    floor = await station()
    assert await floor.job() == 2


async def test_a_second_name_of_the_file_has_the_same_lock(
    config: Config, station: Station, tmp_path: Path
) -> None:
    floor = await station()
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "second.db").hardlink_to(_path(config))
    said = await asyncio.to_thread(lambda: _refused(_cli(other / "second.db", "serve")))
    assert "Another CNC Station already works on this database, which has two names" in said
    assert await floor.job() == 1
    await floor.engine.stop()
    lock = EngineLock(other / "second.db")
    lock.acquire("B")
    lock.release()
