"""What stays of expired history, what takes it out, and what it never touches."""

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, select, text, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.store import retention, schema
from cnc_station.engine.store.archive import write_sheets
from cnc_station.engine.store.programs import AddProgram, KeptProgram
from cnc_station.engine.store.retention import (
    DeleteEndedRuns,
    DeleteFinishedJobs,
    DeleteOldEvents,
    DeleteUnusedPrograms,
)
from cnc_station.engine.store.run_figures import run_figures
from cnc_station.engine.store.schedules import CreateSchedule
from tests.store.schedules import HOURLY
from tests.store.shop import Shop

DAY_S = 86_400


async def _milled(shop: Shop, **values: Any) -> int:
    """A job of the one machine that has run to its end."""
    job_id = await shop.job(**values)
    run = await shop.claim_one()
    await shop.run_to(t.COMPLETED, run)
    return job_id


async def _program(shop: Shop, name: str, source: str = "") -> str:
    content = (source or name).encode()
    sha256 = hashlib.sha256(content).hexdigest()
    await shop.write(AddProgram(KeptProgram(sha256, name, content, 1, 9.0, ()), "anna"))
    return sha256


def _all(shop: Shop, table: Table) -> list[Any]:
    return list(shop.database.read(lambda c: c.execute(select(table)).all()))


async def test_the_figures_of_a_run_stay_when_its_job_goes(shop: Shop) -> None:
    await shop.machine()
    sha256 = await _program(shop, "bracket.nc")
    job_id = await _milled(shop, program=sha256, quantity=7, work_order="WO-1", customer="Acme")
    (run,) = _all(shop, schema.run)
    shop.later(3 * DAY_S)
    assert await shop.expire(DeleteFinishedJobs, 2) == 1
    assert _all(shop, schema.job) == _all(shop, schema.run) == []
    (kept,) = _all(shop, run_figures)
    assert (kept.run_id, kept.job_id, kept.job, kept.work_order) == (
        run.id,
        job_id,
        "bracket",
        "WO-1",
    )
    assert (kept.outcome, kept.quantity, kept.customer) == ("succeeded", 7, "Acme")
    assert (kept.machine, kept.program_name, kept.program_revision) == ("Mill 1", "bracket.nc", 1)
    assert (kept.started_at, kept.ended_at) == (run.started_at, run.ended_at)


async def test_runs_of_an_open_job_stay_and_those_of_others_leave_their_figures_once(
    shop: Shop,
) -> None:
    await shop.machine()
    await shop.job(retry_limit=3)
    failed = await shop.claim_one()
    await shop.run_to(t.FAILED_FINAL, failed)
    shop.later(9 * DAY_S)
    assert await shop.expire(DeleteEndedRuns, 1) == 0
    await shop.complete(failed.job_id)
    assert await shop.expire(DeleteEndedRuns, 1) == 1
    shop.later(9 * DAY_S)
    assert await shop.expire(DeleteFinishedJobs, 1) == 1
    assert [(row.run_id, row.outcome) for row in _all(shop, run_figures)] == [
        (failed.run_id, "failed")
    ]


async def test_a_machine_keeps_its_last_event_and_an_open_job_all_of_them(shop: Shop) -> None:
    machine_id = await shop.machine()
    await shop.move_machine(t.ALARMED, machine_id)
    (deleted,) = await shop.create(JobSpec("draft", "mill", draft=True))
    await shop.act(JobAction.DELETE, deleted)
    still_open = await shop.job(priority=3)
    shop.later(9 * DAY_S)
    assert await shop.expire(DeleteOldEvents, 10) == 0
    assert await shop.expire(DeleteOldEvents, 1) > 0
    assert shop.told(machine_id=machine_id) == ["alarmed"]
    assert shop.told(job_id=deleted) == []
    assert shop.told(job_id=still_open) == ["created"]
    assert await shop.expire(DeleteOldEvents, 1) == 0


async def test_programs_that_a_job_a_schedule_or_a_machine_names_stay(shop: Shop) -> None:
    unused, of_job, of_schedule, of_machine = [
        await _program(shop, f"{name}.nc") for name in ("unused", "job", "schedule", "machine")
    ]
    await shop.machine()
    await shop.job(program=of_job)
    job = replace(HOURLY.job, program=of_schedule)
    await shop.write(CreateSchedule(replace(HOURLY, job=job), "anna"))
    with shop.database.connect_writer() as connection, connection.begin():
        connection.execute(update(schema.machine).values(last_program=of_machine))
    assert await shop.expire(DeleteUnusedPrograms, 1) == 0
    shop.later(2 * DAY_S)
    assert await shop.expire(DeleteUnusedPrograms, 1) == 1
    left = {row.sha256 for row in _all(shop, schema.program)}
    assert left == {of_job, of_schedule, of_machine}
    assert unused not in left


async def test_the_number_of_a_revision_is_not_given_twice(shop: Shop) -> None:
    first = await _program(shop, "a.nc", "G0")
    await shop.job(program=first)
    await _program(shop, "a.nc", "G1")
    await _program(shop, "a.nc", "G2")
    shop.later(2 * DAY_S)
    assert await shop.expire(DeleteUnusedPrograms, 1) == 1
    await _program(shop, "a.nc", "G3")
    assert sorted(row.revision for row in _all(shop, schema.program)) == [1, 3, 4]


async def test_a_job_with_many_events_goes_in_pieces(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST_EVENTS", 3)
    job_id = await shop.job()
    for _ in range(3):
        await shop.act(JobAction.PAUSE, job_id)
        await shop.act(JobAction.RESUME, job_id)
    await shop.act(JobAction.CANCEL, job_id)
    shop.later(2 * DAY_S)
    found = [await shop.expire(DeleteFinishedJobs, 1) for _ in range(4)]
    assert found == [0, 0, 1, 0]
    assert shop.told(job_id=job_id) == []


async def test_the_archive_appends_to_whole_lines_and_leaves_no_part_of_a_failure(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await shop.create(JobSpec("=1+1", "mill"), JobSpec("flange", "mill"))

    def write(*chosen: int) -> None:
        shop.database.read(
            lambda c: write_sheets(c, shop.clock.ms, tmp_path, DeleteFinishedJobs.sheets, chosen)
        )

    write(ids[0])
    file = tmp_path / "jobs-2026-09.csv"
    with file.open("ab") as cut_short:
        cut_short.write(b"9,half a ro")
    write(ids[1])
    lines = file.read_text("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", str(ids[0]), "9", str(ids[1])]
    assert "'=1+1" in lines[1]
    assert "2026-09-21T15:10:00.000Z" in lines[1]
    before = file.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(*ids)
    assert file.read_bytes() == before


async def test_a_file_does_not_grow_past_what_is_kept(shop: Shop) -> None:
    if shop.database.path is None:
        return
    sizes = []
    for _ in range(5):
        await shop.create(*[JobSpec("part", "mill", payload={"note": "x" * 400})] * 300)
        with shop.database.connect_writer() as connection, connection.begin():
            finished = {"state": "cancelled", "finished_at": shop.clock.ms}
            connection.execute(update(schema.job).values(finished))
            connection.execute(update(schema.event).values(job_state="cancelled"))
        shop.later(2 * DAY_S)
        while await shop.expire(DeleteFinishedJobs, 1, most=100):
            pass
        sizes.append(shop.database.read(lambda c: c.execute(text("PRAGMA page_count")).scalar()))
    assert sizes[-1] <= sizes[0] * 1.05
    assert not shop.database.read(lambda c: c.execute(select(func.count(schema.job.c.id))).scalar())


async def test_an_archived_payload_is_readable_again(shop: Shop, tmp_path: Path) -> None:
    payload = {"text": 'a "quoted"\nline, and =1'}
    (job_id,) = await shop.create(JobSpec("wait", handler="test.delay", payload=payload))
    shop.database.read(
        lambda c: write_sheets(c, shop.clock.ms, tmp_path, DeleteFinishedJobs.sheets, [job_id])
    )
    with (tmp_path / "jobs-2026-09.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert json.loads(row["payload"]) == payload
