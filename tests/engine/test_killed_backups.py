"""Back-ups and restores that are killed: never a half file, and never a lost database."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.backup.making import back_up
from cnc_station.engine.backup.restoring import inspect, restore
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.store import migrate
from cnc_station.engine.store.database import Database
from tests.engine.backups import jobs_in, wrong_with
from tests.engine.killed_at import killed_at


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def _every_instant(
    work: Callable[[Callable[[float], None]], object], check: Callable[[], None]
) -> int:
    """Kill the work in front of each of its steps; `check` what is left. Return the steps."""
    number = 1
    while killed_at(number, work):
        check()
        number += 1
    check()
    return number - 1


def test_a_back_up_killed_at_any_step_leaves_complete_files_only(
    config: Config, at_rest: Path, stick: Path
) -> None:
    def check() -> None:
        for path in stick.glob("*.zip"):
            inspect(path)
        assert jobs_in(at_rest) == 1

    assert _every_instant(lambda step: back_up(config, stick, step), check) > 5
    assert len([*at_rest.parent.glob("backup-*/")]) == 0


def test_a_restore_killed_at_any_step_loses_neither_database(
    config: Config, at_rest: Path, stick: Path
) -> None:
    file = back_up(config, stick).path
    with closing(sqlite3.connect(at_rest)) as opened:  # another database, with a log beside it
        opened.execute("UPDATE job SET name = 'former'")
        opened.commit()
    content = at_rest.read_bytes()

    def check() -> None:
        names = []
        for path in at_rest.parent.glob("station.db*"):
            aside = ".before-restore-" in path.name and not path.name.endswith(("-wal", "-shm"))
            if (aside or path == at_rest) and path.stat().st_size:
                assert jobs_in(path) == 1
                names.append(path.name)
        held = {path.read_bytes() for path in at_rest.parent.glob("station.db*") if path.is_file()}
        assert content in held
        if "station.db" not in names:  # no station makes an empty one in its place
            refused_at_the_start()

    def refused_at_the_start() -> None:
        with (
            closing(Database(config.database_url)) as database,
            pytest.raises(Unavailable, match="was interrupted"),
        ):
            migrate.look(database)

    assert _every_instant(lambda step: restore(config, file, step), check) > 8
    assert wrong_with(config) == []


def _killed_by_the_clock(command: list[str], at_rest: Path, begun: str) -> None:
    """Kill a command a random moment after its folder has appeared."""
    environment = {
        **os.environ,
        "CNC_DATABASE": str(at_rest),
        "CNC_DATA_FOLDER": str(at_rest.parent),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "cnc_station", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 60
    while process.poll() is None and not [*at_rest.parent.glob(begun)]:
        assert time.monotonic() < end
    time.sleep(random.uniform(0, 0.25))
    process.kill()
    process.wait()


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_kill_9_at_random_instants_leaves_no_half_file(
    config: Config, at_rest: Path, stick: Path, times: int
) -> None:
    with closing(sqlite3.connect(at_rest)) as opened:  # long enough to be hit in the middle
        opened.execute("CREATE TABLE ballast (content)")
        opened.execute("INSERT INTO ballast VALUES (randomblob(20000000))")
        opened.commit()
    whole = back_up(config, stick).path
    for _ in range(times):
        _killed_by_the_clock(["backup", str(stick)], at_rest, "backup-*/")
        for path in stick.glob("*.zip"):
            inspect(path)
        _killed_by_the_clock(["restore", str(whole)], at_rest, "restore-*/")
        for path in (at_rest, *at_rest.parent.glob("station.db.before-restore-????????-??????")):
            if path.exists():
                assert jobs_in(path) == 1
    restore(config, whole)
    assert wrong_with(config) == []
