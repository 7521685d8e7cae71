import shutil
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict, Fenced, Unavailable
from cnc_station.engine.domain.policies import RankPolicy
from cnc_station.engine.domain.transitions import TRANSITIONS
from cnc_station.engine.store import migrate
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import Fit, Schema, bring_up_to_date, look, upgrade
from cnc_station.engine.store.stations import Heartbeat, Join
from cnc_station.engine.store.writer import Writer
from tests.tools.migrations import copy_migrations

NOW = migrate.REVISION
NEXT = f"{int(NOW) + 1:04}"
ANOTHER = textwrap.dedent("""
    from alembic import op
    from sqlalchemy import Column, Text

    revision = "{revision}"
    down_revision = "{down}"

    def upgrade() -> None:
        op.add_column("job", Column("colour", Text))
        op.execute("{extra}")
""")


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind without a table."""
    if request.param == "postgres":
        database = Database(request.getfixturevalue("postgres_url"))
    else:
        database = Database(f"sqlite:///{tmp_path / 'shop' / 'station.db'}")
    yield database
    database.close()


@pytest.fixture
def shared(postgres_url: str) -> Iterator[Database]:
    """A database on a server, as the program makes it."""
    database = Database(postgres_url)
    bring_up_to_date(database)
    yield database
    database.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """A database file, as the program makes it."""
    database = Database(f"sqlite:///{tmp_path / 'station.db'}")
    bring_up_to_date(database)
    yield database
    database.close()


def grow(monkeypatch: pytest.MonkeyPatch, folder: Path, extra: str = "SELECT 1") -> None:
    """From here on the program is one that has another migration."""
    migrations = folder / "migrations"
    shutil.copytree(migrate.MIGRATIONS, migrations)
    source = ANOTHER.format(extra=extra, revision=NEXT, down=NOW)
    (migrations / "versions" / "v_another.py").write_text(source)
    monkeypatch.setattr(migrate, "MIGRATIONS", migrations)
    monkeypatch.setattr(migrate, "REVISION", NEXT)


def write(database: Database, statement: str, **values: Any) -> None:
    with closing(database.connect_writer()) as connection, connection.begin():
        connection.execute(text(statement), values)


def columns(database: Database) -> set[str]:
    found: set[str] = database.read(
        lambda connection: {column["name"] for column in inspect(connection).get_columns("job")}
    )
    return found


def station(database: Database, name: str, *, seconds_ago: float, left: bool = False) -> None:
    heard = time.time_ns() // 1_000_000 - round(seconds_ago * 1000)
    write(
        database,
        "INSERT INTO station (name, incarnation, host, version, started_at, heard_at, lag_ms, "
        "left_at) VALUES (:name, '', '', '', 0, :heard, 0, :left)",
        name=name,
        heard=heard,
        left=heard if left else None,
    )


def test_an_empty_database_gets_the_newest_schema(empty: Database) -> None:
    assert look(empty) == Schema(None, Fit.EMPTY)
    assert bring_up_to_date(empty) is None
    assert look(empty) == Schema(migrate.REVISION, Fit.CURRENT)
    assert max(migrate.known_revisions()) == migrate.REVISION


def test_a_look_makes_no_file(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'shop' / 'station.db'}")
    look(database)
    database.close()
    assert list(tmp_path.iterdir()) == []


def test_a_newer_database_is_refused_by_start_and_upgrade(empty: Database) -> None:
    bring_up_to_date(empty)
    write(empty, "UPDATE alembic_version SET version_num = '9999'")
    for way in (bring_up_to_date, upgrade):
        with pytest.raises(Unavailable, match=r"newer CNC Station \(schema 9999"):
            way(empty)
    assert look(empty) == Schema("9999", Fit.NEWER)


def test_another_programs_data_stay_as_they_are(empty: Database, tmp_path: Path) -> None:
    if empty.path is not None:
        empty.path.parent.mkdir()
        with closing(sqlite3.connect(empty.path)) as other:
            other.execute("CREATE TABLE recipe (name text)")
        before = empty.path.read_bytes()
    else:
        write(empty, "CREATE TABLE recipe (name text)")
    with pytest.raises(Unavailable, match="another program's data"):
        bring_up_to_date(empty)
    assert empty.read(lambda connection: inspect(connection).get_table_names()) == ["recipe"]
    if empty.path is not None:
        assert empty.path.read_bytes() == before
        assert [path.name for path in tmp_path.rglob("*.*")] == ["station.db"]


def test_an_older_file_is_upgraded_at_the_start_after_a_copy(
    file: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(monkeypatch, tmp_path)
    copied = bring_up_to_date(file)
    assert "colour" in columns(file)
    assert copied is not None
    before = Database(f"sqlite:///{copied}")
    assert look(before) == Schema(NOW, Fit.OLDER)
    before.close()


def test_an_older_shared_database_is_refused_at_the_start(
    shared: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(monkeypatch, tmp_path)
    with pytest.raises(Unavailable, match="stop all stations, then run `cnc-station db upgrade`"):
        bring_up_to_date(shared)
    assert look(shared) == Schema(NOW, Fit.OLDER)
    assert "colour" not in columns(shared)
    assert upgrade(shared) is None
    assert look(shared) == Schema(NEXT, Fit.CURRENT)
    assert bring_up_to_date(shared) is None


def test_a_shared_database_is_not_upgraded_under_a_station_at_work(
    shared: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station(shared, "Hall 1", seconds_ago=5)
    station(shared, "Hall 2", seconds_ago=5, left=True)
    station(shared, "Hall 3", seconds_ago=migrate.SILENCE_S + 5)
    grow(monkeypatch, tmp_path)
    with pytest.raises(Conflict, match=r"at work on the database: Hall 1\."):
        upgrade(shared)
    assert look(shared).fit is Fit.OLDER
    write(shared, "UPDATE station SET left_at = heard_at")
    station(shared, "Hall 4", seconds_ago=-3600)  # before the clock was set back
    upgrade(shared)
    assert look(shared).fit is Fit.CURRENT


async def test_a_station_that_slept_through_an_upgrade_acts_no_more(
    shared: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is of the old version, and was silent for so long that it counted as stopped."""
    writer = Writer(shared, station="Hall 1", ranking=RankPolicy())
    await writer.start()
    await writer.write(Join("before", "pc-1", "1.0", 15.0))
    await writer.write(Heartbeat("before", 300.0, 0.0, ()))
    write(shared, "UPDATE station SET heard_at = heard_at - 90000")
    grow(monkeypatch, tmp_path)
    upgrade(shared)
    with pytest.raises(Fenced):
        await writer.write(Heartbeat("before", 300.0, 0.0, ()))
    await writer.stop()


def test_an_upgrade_that_breaks_half_way_leaves_everything_as_it_was(
    shared: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(monkeypatch, tmp_path, extra="SELECT 1/0")
    with pytest.raises(Unavailable, match="could not be upgraded and was left as it was"):
        upgrade(shared)
    assert look(shared) == Schema(NOW, Fit.OLDER)
    assert "colour" not in columns(shared)


FIRST_ROWS = (Path(__file__).parent / "schema_0001.sql").read_text()


def all_rows(database: Database, table: str) -> list[dict[str, Any]]:
    query = text(f"SELECT * FROM {table}")
    found: list[dict[str, Any]] = database.read(
        lambda connection: [dict(row) for row in connection.execute(query).mappings()]
    )
    return found


def test_a_database_of_the_first_schema_keeps_all_it_holds(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first"
    copy_migrations(first, before=2)
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", first)
        patch.setattr(migrate, "REVISION", "0001")
        bring_up_to_date(empty)
    for statement in FIRST_ROWS.split(";")[:-1]:
        write(empty, statement)
    renamed = {"errand": "remote_command"}
    tables = ("program", "job", "machine", "run", "event", "errand", "leader")
    before = {table: all_rows(empty, table) for table in tables}
    assert "operator_starts" not in before["machine"][0]
    upgrade(empty)
    assert look(empty) == Schema(NOW, Fit.CURRENT)
    added: dict[str, dict[str, Any]] = {
        "machine": {
            "operator_starts": False,
            "not_ready": "",
            "to_clear": False,
            "position": None,
            "position_reason": None,
            "position_since": None,
            "position_by": None,
            "controller_mark": None,
            "unreached_since": None,
        },
        "job": {
            "schedule_id": None,
            "owner": "anna",
            "edited_at": None,
            "account_id": None,
            **dict.fromkeys(["customer", "external_id", "description", "notes"], ""),
        },
        "run": dict.fromkeys(
            ["good", "scrap", "rework", "code", "result", "output_size", "output"]
        ),
        "errand": {"machine_id": None},
        "event": dict.fromkeys(["role", "origin", *([] if empty.dialect.embedded else ["xid"])]),
    }
    for table in tables:
        kept = [row | added.get(table, {}) for row in before[table]]
        assert all_rows(empty, renamed.get(table, table)) == kept
        assert len(kept) == 1


OLD_EVENT_TYPES = {
    "taken_up": "reattached",
    "put_aside": "deferred",
    "given_back": "requeued",
    "examined": "inspected",
    "created_waiting": "created",
    "submitted_waiting": "submitted",
    "resumed_waiting": "resumed",
    "restored_waiting": "restored",
    "retried_waiting": "retried",
    "scrapped_waiting": "scrapped",
    "machine_moved_as_it_is": "machine_moved",
}


def test_events_stored_under_old_names_are_read_under_the_new_ones(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = tmp_path / "former"
    copy_migrations(former, before=6)
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", former)
        patch.setattr(migrate, "REVISION", "0005")
        bring_up_to_date(empty)
    for event_type in (*OLD_EVENT_TYPES, "held"):
        write(
            empty,
            "INSERT INTO event (at, type, job_id, actor, station, trace_id, reason) "
            f"VALUES (1, '{event_type}', 1, 'me', 'here', '', '')",
        )
    write(
        empty,
        "INSERT INTO errand (station, action, job_id, actor, reason, asked_at) "
        "VALUES ('here', 'put_aside', 1, 'me', '', 1)",
    )
    upgrade(empty)
    types = [row["type"] for row in sorted(all_rows(empty, "event"), key=itemgetter("id"))]
    assert types == [*OLD_EVENT_TYPES.values(), "held"]
    assert set(types) <= TRANSITIONS.keys()
    (asked,) = all_rows(empty, "remote_command")
    assert asked["action"] == JobAction.DEFER


def test_texts_stored_before_they_were_checked_are_made_visible(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = tmp_path / "former"
    copy_migrations(former, before=15)
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", former)
        patch.setattr(migrate, "REVISION", "0014")
        bring_up_to_date(empty)
    reasons = ("a\x1b[2Jb", "Größe\u202egnp", "Größe\nzwei", "held")
    for reason in reasons:
        write(
            empty,
            "INSERT INTO event (at, type, job_id, actor, station, trace_id, reason) "
            "VALUES (1, 'held', 1, 'me', 'here', '', :reason)",
            reason=reason,
        )
    upgrade(empty)
    told = [row["reason"] for row in sorted(all_rows(empty, "event"), key=itemgetter("id"))]
    assert told == ["a\\x1b[2Jb", "Größe\\u202egnp", "Größe\nzwei", "held"]


STATION = """
import sys
from cnc_station.engine.store import migrate
from cnc_station.engine.store.database import Database
database = Database(sys.argv[1])
migrate.known_revisions()  # what an upgrade imports, so that all are at the same point
print(migrate.look(database).fit, flush=True)
input()
migrate.bring_up_to_date(database)
print(migrate.look(database).fit)
"""


def test_stations_that_start_at_once_on_an_empty_database_do_not_collide(postgres_url: str) -> None:
    with ExitStack() as stack:
        stations = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", STATION, postgres_url],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(3)
        ]
        for one in stations:
            assert one.stdout is not None
            assert one.stdout.readline() == "empty\n"
        for one in stations:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        assert [one.communicate(timeout=90) for one in stations] == [("current\n", "")] * 3
    database = Database(postgres_url)
    assert database.read(lambda c: c.execute(text("SELECT count(*) FROM leader")).scalar()) == 1
    database.close()
