"""The leader deletes expired history by itself, a little at a time, and into the archive first."""

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import update

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.policies import Retention
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import JobById
from cnc_station.engine.services import clean_up
from cnc_station.engine.services.clean_up import SHARE, HistoryCleaner
from cnc_station.engine.store.retention import DeleteFinishedJobs, Removed
from cnc_station.engine.store.schema import job
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf, by_hand, service_of
from tests.engine.hooks import delay
from tests.until import until


async def _old_and_young(floor: FloorOf) -> tuple[int, int]:
    """Two finished jobs, one of them long ago."""
    old, young = await delay(floor.door), await delay(floor.door)
    for job_id in (old, young):
        await floor.comes_to(job_id, JobState.COMPLETED)
    by_hand(floor.engine, update(job).where(job.c.id == old).values(finished_at=1))
    return old, young


async def test_the_leader_deletes_what_expired_without_being_asked(
    station: Station, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean_up, "FIRST_REST_S", 0.0)
    floor = await station(replace(config, archive_folder=tmp_path / "archive"))
    old, young = await _old_and_young(floor)
    service_of(floor.engine, HistoryCleaner).wake.hint()

    async def gone() -> bool:
        return await floor.door.ask(JobById(old)) is None

    await until(gone)
    assert (await floor.row(young)).state is JobState.COMPLETED
    written = {path.name.rpartition("-20")[0]: path for path in (tmp_path / "archive").iterdir()}
    assert set(written) == {"jobs", "runs", "events", "deliveries", "attachments"}
    assert len(written["events"].read_text("utf-8-sig").splitlines()) == 5
    assert [line.split(",")[0] for line in written["jobs"].read_text("utf-8-sig").splitlines()] == [
        "id",
        str(old),
    ]
    assert {path.stat().st_mode & 0o777 for path in written.values()} == {0o600}


async def test_nothing_is_deleted_that_the_archive_cannot_take(
    station: Station, config: Config, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    floor = await station(replace(config, archive_folder=tmp_path / "file" / "archive"))
    old, _ = await _old_and_young(floor)
    spec = JobSpec("clean", handler="system.cleanup", retry_limit=0)
    (clean,) = await floor.door.execute(SubmitJobs([spec]))
    row = await floor.comes_to(clean, JobState.NEEDS_ATTENTION)
    assert "can't be written" in row.last_error
    assert "nothing is deleted" in row.last_error
    assert (await floor.row(old)).state is JobState.COMPLETED


async def test_it_rests_much_longer_than_the_writer_worked_and_then_takes_less() -> None:
    asked: list[int] = []

    class Slow:
        async def read_now(self, query: Any) -> DeleteFinishedJobs:
            asked.append(query.keywords["most"])
            return DeleteFinishedJobs(0, (1,))

        async def write(self, _command: Any) -> Removed:
            await asyncio.sleep(0.1)
            return Removed(1, anything=True)

    config = SimpleNamespace(retention=Retention(), archive_folder=None)
    context = SimpleNamespace(config=config, writer=Slow(), reader=Slow())
    cleaner = HistoryCleaner(cast(Any, context))
    rests = [await cleaner.run_once() for _ in range(3)]
    assert min(rests) >= 0.1 / SHARE - 0.1
    assert asked[0] > asked[1] > asked[2] >= 1
