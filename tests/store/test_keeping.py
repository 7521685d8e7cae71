"""What is kept beside jobs and machines: programs by their content, and the shop's settings."""

import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.notice import ABOUT_PROGRAMS
from cnc_station.engine.store import schema
from cnc_station.engine.store.programs import AddProgram, KeptProgram, content
from cnc_station.engine.store.settings import SaveSettings
from cnc_station.engine.store.transaction import StoreCommand, Tx
from tests.store.shop import START, Shop, mill


def _kept(name: str, source: bytes) -> KeptProgram:
    sha256 = hashlib.sha256(source).hexdigest()
    return KeptProgram(sha256, name, source, source.count(b"\n"), 12.5, ((1, "warning", "odd"),))


def _rows(shop: Shop) -> list[Row[Any]]:
    query = select(schema.program).order_by(schema.program.c.name, schema.program.c.revision)
    found: list[Row[Any]] = shop.database.read(lambda c: c.execute(query).all())
    return found


async def test_the_same_bytes_are_one_program_whatever_they_are_called(shop: Shop) -> None:
    first = await shop.write(AddProgram(_kept("a.nc", b"G0\n"), "anna"))
    assert shop.notices[-1].tells_of(ABOUT_PROGRAMS)
    again = await shop.write(AddProgram(_kept("b.nc", b"G0\n"), "ben"))
    assert (first[0], first[1], again[1]) == (again[0], True, False)
    assert [(row.name, row.revision, row.added_by) for row in _rows(shop)] == [("a.nc", 1, "anna")]


async def test_new_bytes_under_a_known_name_are_its_next_revision(shop: Shop) -> None:
    for source in (b"G0\n", b"G1\n", b"G0\n", b"G2\n"):
        await shop.write(AddProgram(_kept("a.nc", source), "anna"))
    assert [(row.revision, row.content) for row in _rows(shop)] == [
        (1, b"G0\n"),
        (2, b"G1\n"),
        (3, b"G2\n"),
    ]


async def test_a_programs_bytes_come_back_as_they_were(shop: Shop) -> None:
    source = bytes(range(256)) * 3
    sha256, _ = await shop.write(AddProgram(_kept("a.nc", source), "anna"))
    assert shop.database.read(lambda c: content(c, sha256)) == source
    assert shop.database.read(lambda c: content(c, "0" * 64)) is None
    assert json.loads(_rows(shop)[0].findings) == [[1, "warning", "odd"]]


async def test_saved_settings_replace_theirs_and_leave_the_others(shop: Shop) -> None:
    await shop.write(SaveSettings({"theme": "dark", "sounds": False}, "anna"))
    await shop.write(SaveSettings({"theme": {"name": "lavender"}}, "ben"))
    found = shop.database.read(lambda c: c.execute(select(schema.setting)).all())
    assert {row.key: json.loads(row.value) for row in found} == {
        "sounds": False,
        "theme": {"name": "lavender"},
    }
    assert [(e["actor"], e["reason"]) for e in shop.events()] == [
        ("anna", "sounds, theme"),
        ("ben", "theme"),
    ]


def _second_run(**values: Any) -> StoreCommand[None]:
    row = {
        "station": "B",
        "attempt": 9,
        "state": "running",
        "token": 9,
        "lease_until": START,
        "assigned_at": START,
        "error": "",
        **values,
    }

    class Insert(StoreCommand[None]):
        @classmethod
        def apply(cls, tx: Tx, changes: Any) -> list[Exception | None]:
            tx.connection.execute(schema.run.insert().values(row))
            return [None for _ in changes]

    return Insert()


@pytest.mark.parametrize("state", ["assigned", "running", "held"])
async def test_the_database_itself_refuses_a_second_live_run(shop: Shop, state: str) -> None:
    one, other = await shop.machine(mill("Mill 1")), await shop.machine(mill("Mill 2"))
    job_id = await shop.job()
    run = await shop.claim_one()
    assert run.machine_id == one
    idle_job = await shop.job(draft=True)
    for values in (
        {"job_id": job_id, "machine_id": other},
        {"job_id": idle_job, "machine_id": one},
    ):
        with pytest.raises(IntegrityError, match=r"(?i)unique constraint"):
            await shop.write(_second_run(state=state, **values))
    await shop.run_to(t.FAILED_FINAL, run)
    for over in ("failed", "succeeded"):
        ended = {"job_id": job_id, "machine_id": one, "ended_at": START}
        await shop.write(_second_run(**ended, state=over))
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(schema.run.delete().where(schema.run.c.token == 9))
