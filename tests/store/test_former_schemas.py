"""A database of each former schema, made by the program of that time, keeps all that it holds."""

import gzip
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, inspect, text

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.policies import Retention
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import (
    CountJobs,
    ListAlertRules,
    ListMachines,
    ListSchedules,
    ListWebhooks,
)
from cnc_station.engine.store import migrate
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import Fit, Schema, look, upgrade
from cnc_station.engine.store.schema import metadata
from cnc_station.engine.views import JobFilter
from tests.engine.killed_at import killed_at
from tests.invariants import broken
from tests.store.test_migrate import OLD_EVENT_TYPES
from tests.tools.former_schemas import KEPT
from tests.until import until

FOR_EVER = Retention(*[0] * len(fields(Retention)))
FORMER_JOBS = 10
EVERY = 6  # of the steps of an upgrade
NEWEST = migrate.REVISION
# The newest schema is kept with the next one at the latest.
VERSIONS = [f"{number:04}" for number in range(1, int(NEWEST))]
VERSIONS += [NEWEST] * (KEPT / f"{NEWEST}.db.gz").exists()
RENAMED = {"errand": "remote_command"}
FENCED = {("station", "incarnation")}  # a station that slept through the upgrade acts no more

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["sqlite", "postgres"])
def former(request: pytest.FixtureRequest, tmp_path: Path, version: str) -> Iterator[Database]:
    """A database of that schema, of each kind."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        dump = gzip.decompress((KEPT / f"{version}.sql.gz").read_bytes())
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(dump)
    else:
        url = f"sqlite:///{unpacked(tmp_path, version)}"
    with closing(Database(url)) as database:
        yield database


def rows(connection: Connection) -> Rows:
    names = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
    return {
        name: [dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()]
        for name in names
    }


def lost(before: Rows, after: Rows) -> list[str]:
    """What one had and the other has not, in words."""
    found = []
    for name, former in before.items():
        kept = after[RENAMED.get(name, name)]
        fields = [f for f in former[0] if f in kept[0] and (name, f) not in FENCED]
        gone = set(former[0]) - set(kept[0])
        found += [f"{name}.{field}" for field in sorted(gone)]
        missing = Counter(tuple(_now(f, row[f]) for f in fields) for row in former)
        missing -= Counter(tuple(repr(row[f]) for f in fields) for row in kept)
        found += [f"{name}: {dict(zip(fields, row, strict=True))}" for row in missing]
    return found


def _now(field: str, value: Any) -> str:
    """How the newest program stores a value."""
    return repr(OLD_EVENT_TYPES.get(value, value) if field == "type" else value)


def test_it_keeps_every_row_and_all_that_must_hold(former: Database, version: str) -> None:
    assert look(former) == Schema(version, Fit.CURRENT if version == NEWEST else Fit.OLDER)
    before = former.read(rows)
    assert [name for name, held in before.items() if not held] == []
    upgrade(former)
    assert look(former) == Schema(NEWEST, Fit.CURRENT)
    after = former.read(rows)
    assert after.keys() == metadata.tables.keys()
    assert lost(before, after) == []
    assert former.read(broken) == []


@pytest.mark.parametrize("version", ["0001", "0011", "0019"])
async def test_a_station_takes_up_the_work_of_a_former_one_that_was_killed(
    tmp_path: Path, version: str
) -> None:
    path = unpacked(tmp_path, version)
    with closing(sqlite3.connect(path)) as opened:
        (last,) = opened.execute("SELECT max(id) FROM run WHERE ended_at IS NULL").fetchone()
        (jobs,) = opened.execute("SELECT count(*) FROM job").fetchone()
    assert last is not None
    config = Config(
        tmp_path, f"sqlite:///{path}", station="Hall 1", simulator_speed=5_000.0, retention=FOR_EVER
    )
    engine = StationEngine(config)
    await engine.start()
    door = engine.local_door
    (new,) = await door.execute(SubmitJobs([JobSpec("New", "mill", complexity=1)]))
    assert new == jobs + 1 == sum((await door.ask(CountJobs(JobFilter()))).by_state.values())
    asked = (ListMachines(), ListSchedules(), ListWebhooks(), ListAlertRules())
    assert [bool(await door.ask(query)) for query in asked] == [True, *[version > "0010"] * 2, True]
    await until(lambda: not runs_at_work(path, last))
    await engine.stop()
    with closing(Database(config.database_url)) as database:
        assert database.read(broken) == []


def unpacked(folder: Path, version: str) -> Path:
    path = folder / "station.db"
    path.write_bytes(gzip.decompress((KEPT / f"{version}.db.gz").read_bytes()))
    return path


def runs_at_work(path: Path, last: int) -> int:
    """The number of runs up to this one that have not ended."""
    live = "SELECT count(*) FROM run WHERE id <= ? AND ended_at IS NULL"
    with closing(sqlite3.connect(path)) as opened:
        return int(opened.execute(live, (last,)).fetchone()[0])


def test_an_upgrade_killed_at_any_step_leaves_the_former_file_whole_or_the_new_one(
    tmp_path: Path,
) -> None:
    path = unpacked(tmp_path, "0001")
    content = path.read_bytes()
    number = 1
    while killed_at(number, lambda step: upgrade_in_steps(path, step)):
        with closing(Database(f"sqlite:///{path}")) as database:
            assert look(database).revision in ("0001", NEWEST)
            assert database.read(broken_or_former) == []
        for copy in tmp_path.glob("station.db.before-*"):
            with closing(Database(f"sqlite:///{copy}")) as database:
                assert look(database).revision == "0001"
                assert database.read(broken_or_former) == []
        path.write_bytes(content)
        for beside in tmp_path.glob("station.db[-.]*"):
            beside.unlink()
        number += EVERY
    assert number > 5 * EVERY
    with closing(Database(f"sqlite:///{path}")) as database:
        assert look(database).fit is Fit.CURRENT


def upgrade_in_steps(path: Path, step: Callable[..., None]) -> None:
    """Upgrade, with a step in front of each statement and of each commit."""
    with closing(Database(f"sqlite:///{path}")) as database:
        event.listen(Engine, "before_cursor_execute", step)
        event.listen(Engine, "commit", step)
        upgrade(database)
        event.remove(Engine, "before_cursor_execute", step)
        event.remove(Engine, "commit", step)


def broken_or_former(connection: Connection) -> list[str]:
    """What is broken in a database of the newest schema; of a former one, whether it is sound."""
    if connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == NEWEST:
        return broken(connection)
    sound = connection.execute(text("PRAGMA integrity_check")).scalar()
    jobs = connection.execute(text("SELECT count(*) FROM job")).scalar()
    return [] if (sound, jobs) == ("ok", FORMER_JOBS) else [f"{sound}, {jobs} jobs"]
