"""What tests look for in a database that was backed up or restored."""

import sqlite3
from contextlib import closing
from pathlib import Path

from cnc_station.config import Config
from cnc_station.engine.store.database import Database
from tests.invariants import broken


def jobs_in(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        count: int = opened.execute("SELECT count(*) FROM job").fetchone()[0]
    return count


def wrong_with(config: Config) -> list[str]:
    with closing(Database(config.database_url)) as database:
        found: list[str] = database.read(broken)
        return found
