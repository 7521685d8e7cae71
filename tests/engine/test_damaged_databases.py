"""A damaged database file is refused in words, and nothing is written to it."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.engine import StationEngine
from tests.engine.command_line import cli, refused
from tests.engine.conftest import Station
from tests.until import until


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _time_of_change(path: Path) -> int:
    return path.stat().st_mtime_ns


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
    with pytest.raises(Unavailable, match=r"damaged: .+ It was left as it is: ") as caught:
        await StationEngine(config, services=services).start()
    assert not caught.value.transient
    assert (_content(at_rest), _time_of_change(at_rest)) == before


def test_a_damaged_file_ends_a_station_with_a_sentence_and_its_code(at_rest: Path) -> None:
    copy = at_rest.with_name(f"{at_rest.name}.before-0007-20260101-000000")
    shutil.copy(at_rest, copy)
    _page_zeroed(at_rest)
    for command in (("serve",), ("jobs",), ("db", "status"), ("db", "upgrade")):
        said = refused(cli(at_rest, *command))
        assert said.splitlines()[-1].startswith("cnc-station: ")
        assert f"then copy {copy.name}" in said


def test_a_pipe_in_the_files_place_blocks_nobody(at_rest: Path) -> None:
    _a_pipe(at_rest)
    assert "is a device or a pipe" in refused(cli(at_rest, "jobs"))


@pytest.mark.parametrize("command", ["serve", "jobs"])
def test_a_link_to_a_disk_that_is_away_starts_no_empty_shop(at_rest: Path, command: str) -> None:
    target = at_rest.with_name("elsewhere.db")
    at_rest.unlink()
    at_rest.symlink_to(target)
    assert "is a link to" in refused(cli(at_rest, command))
    assert not target.exists()


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


@pytest.fixture
async def killed(at_rest: Path) -> Path:
    """A database whose station was killed: its last commits are in the log alone."""
    before = _events(at_rest)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cnc_station", "serve"),
        env={**os.environ, "CNC_DATABASE": str(at_rest), "CNC_HEALTH_PORT": "0"},
        stderr=subprocess.DEVNULL,
    )
    await until(lambda: _events(at_rest) > before)
    process.kill()
    await process.wait()
    return at_rest


def _events(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as opened:
        return int(opened.execute("SELECT count(*) FROM event").fetchone()[0])


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _log_cut_short(path: Path) -> None:
    os.truncate(_log(path), _log(path).stat().st_size - 1)


def _log_of_other_pages(path: Path) -> None:
    content = bytearray(_log(path).read_bytes())
    content[8:12] = (8192).to_bytes(4, "big")
    _log(path).write_bytes(content)


def _emptied(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("damage", [_log_cut_short, _log_of_other_pages, _emptied])
async def test_a_log_that_lost_commits_is_noticed(
    config: Config, killed: Path, damage: Callable[[Path], None]
) -> None:
    damage(killed)
    before = _content(killed), _content(_log(killed))
    with pytest.raises(Unavailable, match="write-ahead log is"):
        await StationEngine(config).start()
    assert (_content(killed), _content(_log(killed))) == before


async def test_a_killed_stations_database_is_sound(killed: Path, station: Station) -> None:
    assert _log(killed).stat().st_size > 0
    floor = await station()
    assert await floor.job() == 2


async def test_a_log_whose_end_was_never_committed_is_sound(killed: Path, station: Station) -> None:
    killed.with_name(f"{killed.name}-shm").unlink()
    with _log(killed).open("ab") as log:
        log.write(b"half a frame")
    floor = await station()
    assert await floor.job() == 2
