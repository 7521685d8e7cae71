"""Many rows into a table: in few statements, in order, none lost at the edges of a statement."""

from pathlib import Path

import pytest
from sqlalchemy import select

from cnc_station.engine.store.database import Database
from cnc_station.engine.store.schema import event
from tests.store.rows import Rows


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'rows.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 64, 65, 161])
def test_every_row_is_stored_once_and_in_order(url: str, count: int) -> None:
    rows, dialect = Rows(url), Database(url).dialect
    shared = {"type": "created", "actor": "anna", "station": "A", "trace_id": "", "reason": ""}
    with rows.writer.begin():
        dialect.insert(rows.writer, event, [{"at": at, **shared} for at in range(count)])
    found = rows.read(lambda c: c.execute(select(event.c.at).order_by(event.c.id)).scalars().all())
    rows.close()
    assert list(found) == list(range(count))


def test_a_text_comes_back_as_it_was_stored(url: str) -> None:
    rows, dialect = Rows(url), Database(url).dialect
    odd = 'Müller "7" \\ {1,2} \n\t 螺丝 \U0001f529'
    one = {"type": odd, "actor": "", "station": "", "trace_id": "", "reason": odd, "details": None}
    with rows.writer.begin():
        dialect.insert(rows.writer, event, [{"at": 2**53 + 1, **one}])
    (found,) = rows.read(lambda c: c.execute(select(event)).all())
    rows.close()
    assert (found.at, found.type, found.reason, found.details) == (2**53 + 1, odd, odd, None)


def test_what_some_rows_share_is_not_given_to_the_others(url: str) -> None:
    rows, dialect = Rows(url), Database(url).dialect
    shared = {"type": "created", "actor": "anna", "station": "A", "trace_id": ""}
    told = [("", None), ("late", None), ("late", 7), ("", 0)]
    with rows.writer.begin():
        stored = [
            {"at": at, "reason": reason, "job_id": job_id, **shared}
            for at, (reason, job_id) in enumerate(told)
        ]
        dialect.insert(rows.writer, event, stored)
    columns = select(event.c.reason, event.c.job_id).order_by(event.c.at)
    found = rows.read(lambda c: c.execute(columns).all())
    rows.close()
    assert [tuple(row) for row in found] == told
