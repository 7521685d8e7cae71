"""What the store's tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cnc_station.engine.store.database import Database
from tests.store.rows import Rows
from tests.store.shop import Shop


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    """An empty database with the means to fill it."""
    filled = Rows(tmp_path / "shop.db")
    yield filled
    filled.close()


@pytest.fixture(params=["sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database, one of each kind the store works on."""
    return {"sqlite": lambda: Database(f"sqlite:///{tmp_path / 'shop.db'}", synchronous="OFF")}[
        request.param
    ]()


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    """A migrated database with its writer. After the test all that must hold still does."""
    opened = Shop(database)
    await opened.open()
    yield opened
    assert opened.broken() == []
    await opened.close()
