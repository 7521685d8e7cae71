"""What the store's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.rows import Rows


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    """An empty database with the means to fill it."""
    filled = Rows(tmp_path / "shop.db")
    yield filled
    filled.close()
