"""Restores on a server that are killed: the database is empty, or refused until it is complete."""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from cnc_station.config import Config
from cnc_station.engine.backup.making import back_up
from cnc_station.engine.backup.restoring import restore
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.store import migrate
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import Fit
from cnc_station.engine.store.restore_mark import marked
from tests.engine.backups import wrong_with
from tests.engine.conftest import Station
from tests.engine.floor import Controller
from tests.engine.killed_at import killed_at
from tests.until import until

EVERY = 5  # of the statements of a restore
HELD = "SELECT count(*) FROM machine WHERE driver = 'scripted' AND state = 'maintenance'"


@pytest.fixture
def there(tmp_path: Path, postgres_url: str) -> Config:
    """A station on a server whose database is empty."""
    return Config(tmp_path / "there", postgres_url, station="A")


@pytest.fixture
async def file(tmp_path: Path, station: Station, controller: Controller, shop_url: str) -> Path:
    """A back-up of a shop on a server, with a job that runs on a real machine."""
    config = Config(tmp_path / "fleet", shop_url, station="A")
    floor = await station(config)
    await floor.mill(driver="scripted")
    await floor.job()
    await until(lambda: controller.cutting)
    (tmp_path / "stick").mkdir()
    made = await asyncio.to_thread(back_up, config, tmp_path / "stick")
    controller.end()
    await floor.engine.stop()
    return made.path


def whole_or_nothing(config: Config) -> str:
    """What a station finds. Fails if it would work on half of a database."""
    with closing(Database(config.database_url)) as database:
        try:
            fit = migrate.look(database).fit
        except Unavailable as error:
            return "refused" if "was interrupted" in str(error) else str(error)
        if fit is Fit.EMPTY:
            return "empty"
        held = database.read(lambda connection: connection.execute(text(HELD)).scalar())
    assert held == 1
    assert wrong_with(config) == []
    return "whole"


def restore_in_steps(config: Config, file: Path, step: Callable[..., None]) -> None:
    """Restore, with a step in front of each statement of ours and of each commit."""
    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, step)
    restore(config, file, step)


def test_a_restore_killed_at_any_step_is_done_again(there: Config, file: Path) -> None:
    seen, number = [], 1
    while killed_at(number, lambda step: restore_in_steps(there, file, step)):
        if (found := whole_or_nothing(there)) == "whole":
            break
        seen.append(found)
        number += EVERY
    assert whole_or_nothing(there) == "whole"
    assert seen == sorted(seen)  # empty, then refused
    assert set(seen) == {"empty", "refused"}
    with pytest.raises(Conflict, match="is not empty"):
        restore(there, file)
    assert not list(there.data_folder.glob("restore-*"))


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_restore_killed_at_random_instants_is_done_again(
    there: Config, file: Path, times: int
) -> None:
    environment = {**os.environ, "CNC_DATABASE_URL": there.database_url}
    environment["CNC_DATA_FOLDER"] = str(there.data_folder)
    for _ in range(times):
        process = subprocess.Popen(
            [sys.executable, "-m", "cnc_station", "restore", str(file)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(random.uniform(0.3, 1.5))
        process.kill()
        process.wait()
        if whole_or_nothing(there) == "whole":
            break
    else:
        end = time.monotonic() + 60
        while not restored(there, file):
            assert time.monotonic() < end
    assert whole_or_nothing(there) == "whole"


def restored(there: Config, file: Path) -> bool:
    """Restore, unless a tool of the one that was killed is still at work."""
    try:
        restore(there, file)
    except Unavailable:
        return False
    return True


def test_a_second_restore_does_not_clear_what_the_first_one_loads(postgres_url: str) -> None:
    with closing(Database(postgres_url)) as one, closing(Database(postgres_url)) as two:
        with marked(one), pytest.raises(Conflict, match="Another restore is at work"), marked(two):
            pass
        assert migrate.look(two).fit is Fit.EMPTY


def test_a_restore_that_fails_leaves_the_database_empty(postgres_url: str) -> None:
    with closing(Database(postgres_url)) as database:
        with pytest.raises(OSError, match="full"), marked(database):
            raise OSError("full")
        assert migrate.look(database).fit is Fit.EMPTY
