"""Many rows into a table: in few statements, in order, none lost at the edges of a statement."""

from pathlib import Path

import pytest
from sqlalchemy import select

from cnc_station.engine.store.database import insert_rows
from cnc_station.engine.store.schema import event
from tests.store.rows import Rows


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 64, 65, 161])
def test_every_row_is_stored_once_and_in_order(tmp_path: Path, count: int) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'rows.db'}")
    shared = {"type": "created", "actor": "anna", "station": "A", "trace_id": "", "reason": ""}
    with rows.pen.begin():
        insert_rows(rows.pen, event, [{"at": at, **shared} for at in range(count)])
    found = rows.read(lambda c: c.execute(select(event.c.at).order_by(event.c.id)).scalars().all())
    rows.close()
    assert list(found) == list(range(count))
