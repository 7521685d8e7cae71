"""The migrations lead to the schema that the program works with, to the letter."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from cnc_station.engine.store import account_tables, attachment_tables, schema
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from cnc_station.engine.store.run_figures import run_figures
from tests.tools.servers import Postgres

Facts = dict[str, Any]
_LAST_TABLES = (run_figures, account_tables.account, attachment_tables.attachment)  # of their files


def _created(database: Database) -> None:
    (metadata,) = {table.metadata for table in _LAST_TABLES}
    with database.connect_writer() as connection, connection.begin():
        metadata.create_all(connection)


def _facts(url: str, made: Callable[[Database], object], read: Callable[..., Facts]) -> Facts:
    database = Database(url)
    made(database)
    found: Facts = database.read(read)
    database.close()
    return {name: fact for name, fact in found.items() if "alembic_version" not in name}


def _in_sqlite(connection: Connection) -> Facts:
    """Every column with its type and default, every key, and each index as it was written."""
    facts: Facts = {}
    objects = connection.execute(text("SELECT type, name, sql FROM sqlite_master WHERE sql > ''"))
    for kind, name, sql in objects.all():
        if kind == "index":
            facts[f"index {name}"] = re.sub(r"\s+", " ", sql)
            continue
        for pragma in ("table_info", "foreign_key_list"):
            rows = connection.execute(text(f"PRAGMA {pragma}({name})")).all()
            facts[f"{pragma} of {name}"] = [tuple(row) for row in rows]
        facts[f"counted rows of {name}"] = "AUTOINCREMENT" in sql
    return facts


def _in_postgres(connection: Connection) -> Facts:
    columns = connection.execute(
        text(
            "SELECT table_name || '.' || column_name, data_type, character_maximum_length, "
            "is_nullable, column_default FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
    )
    indexes = connection.execute(
        text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    )
    keys = connection.execute(
        text(
            "SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        )
    )
    settings = connection.execute(
        text("SELECT relname || ' settings', reloptions FROM pg_class WHERE relkind = 'r'")
    )
    rows = (*columns, *indexes, *keys, *settings)
    return {row[0]: tuple(row[1:]) for row in rows}


def test_the_migrated_file_has_the_schema_of_the_program(tmp_path: Path) -> None:
    migrated = _facts(f"sqlite:///{tmp_path / 'a.db'}", bring_up_to_date, _in_sqlite)
    assert migrated == _facts(f"sqlite:///{tmp_path / 'b.db'}", _created, _in_sqlite)
    assert migrated["counted rows of job"] is True
    assert len(migrated) > 30


def test_the_migrated_server_has_the_schema_of_the_program(postgres: Postgres) -> None:
    with postgres.new_database() as one, postgres.new_database() as other:
        migrated = _facts(one, bring_up_to_date, _in_postgres)
        assert migrated == _facts(other, _created, _in_postgres)
        assert len(migrated) > 100


@pytest.mark.parametrize("table", ["job", "machine", "run", "remote_command", "webhook"])
def test_what_is_counted_by_the_program_never_gives_a_number_twice(table: str) -> None:
    assert schema.metadata.tables[table].dialect_options["sqlite"]["autoincrement"] is True
