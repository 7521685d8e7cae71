"""What the store's tests share."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from tests.store.rows import Rows
from tests.store.shop import Shop

if TYPE_CHECKING:
    from cnc_station.servers import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rows]:
    """An empty database of each kind with the means to fill it."""
    if request.param == "postgres":
        shared: Rows = request.getfixturevalue("rows_on_postgres")
        shared.clear()
        yield shared
        return
    filled = Rows(f"sqlite:///{tmp_path / 'shop.db'}")
    yield filled
    filled.close()


@pytest.fixture(scope="session")
def rows_on_postgres(postgres: "Postgres") -> Iterator[Rows]:
    """One for all tests: emptying it takes a tenth of the time of a new one."""
    with postgres.new_database() as url:
        filled = Rows(url)
        yield filled
        filled.close()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file without rows, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "shop.db"
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    bring_up_to_date(database)
    database.close()
    return path


@pytest.fixture(params=["sqlite"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path
) -> Iterator[Database]:
    """A database without rows, of each kind the store works on."""
    assert request.param == "sqlite"
    path = shutil.copy(migrated_file, tmp_path / "shop.db")
    opened = Database(f"sqlite:///{path}", synchronous="OFF")
    yield opened
    opened.close()


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    """A database with its writer. After the test all that must hold still does."""
    opened = Shop(database)
    await opened.writer.start()
    yield opened
    assert opened.broken() == []
    await opened.writer.stop()
