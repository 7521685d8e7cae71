"""What the store's tests share."""

import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from cnc_station.engine.store import postgres as server
from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from tests.store.rows import Rows, empty
from tests.store.shop import Shop

if TYPE_CHECKING:
    from tests.tools.servers import Postgres

FREE_TO_LEAD = {"id": 1, "holder": "", "incarnation": "", "term": 0, "expires_at": 0}


@pytest.fixture(scope="package", autouse=True)
def time_to_stand_still(compiled_once: None) -> Iterator[None]:  # noqa: ARG001 - for every test here
    """A shop's server ends the transaction of a station that stands still for three seconds. The
    computer of a test may stand still as well, and nobody waits for its locks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "CONNECT_S", 60)
        patch.setattr(server, "IDLE_MS", 60_000)
        yield


@pytest.fixture(params=["sqlite", "postgres"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rows]:
    """An empty database of each kind with the means to fill it."""
    if request.param == "postgres":
        shared: Rows = request.getfixturevalue("rows_on_postgres")
        shared.clear()
        yield shared
        return
    template: Path = request.getfixturevalue("migrated_file")
    filled = Rows(f"sqlite:///{shutil.copy(template, tmp_path / 'shop.db')}")
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
def emptied_on_postgres(postgres: "Postgres") -> Iterator[Callable[[], Database]]:
    """All tests' one database on the server, without rows whenever it is asked for."""
    with postgres.new_database() as url:
        keeper = Database(url)
        bring_up_to_date(keeper)
        writer = keeper.connect_writer()

        def emptied() -> Database:
            with writer.begin():
                empty(writer)
                writer.execute(insert(schema.leader).values(FREE_TO_LEAD))
            return Database(url, synchronous="OFF")

        yield emptied
        writer.close()
        keeper.close()


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Database]:
    """Opens a database without rows, of each kind the store works on."""
    if request.param == "postgres":
        on_postgres: Callable[[], Database] = request.getfixturevalue("emptied_on_postgres")
        return on_postgres
    template: Path = request.getfixturevalue("migrated_file")
    files = (tmp_path / f"shop-{number}.db" for number in itertools.count())
    return lambda: Database(f"sqlite:///{shutil.copy(template, next(files))}", synchronous="OFF")


@pytest.fixture
def database(new_database: Callable[[], Database]) -> Iterator[Database]:
    opened = new_database()
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
