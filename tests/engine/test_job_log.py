"""What a station's log tells of its jobs."""

from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.door import Door
from cnc_station.engine.queries import JobById
from cnc_station.engine.views import JobDetail
from tests.engine.conftest import Station
from tests.tools.station_log import logged, logging_into
from tests.until import until

ME = local_principal("Anna")


async def detail_of(door: Door, job_id: int) -> JobDetail:
    detail = await door.ask(JobById(job_id))
    assert detail is not None
    return detail


async def test_each_change_of_a_job_is_a_line_with_its_trace_and_its_tenant(
    station: Station, quick: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    door = (await station(quick)).engine.door(ME)
    payload = {"durationMs": 0, "shouldFail": True, "failMessage": "no spindle"}
    with logging_into(tmp_path, aloud=True):
        good, bad = await door.execute(
            SubmitJobs(
                [
                    JobSpec("good", handler="test.echo", tenant="acme"),
                    JobSpec("bad", handler="test.delay", payload=payload, retry_limit=1),
                ]
            )
        )

        async def are_over() -> bool:
            states = {(await detail_of(door, job_id)).row.state for job_id in (good, bad)}
            return states == {JobState.COMPLETED, JobState.NEEDS_ATTENTION}

        await until(are_over)
    lines = [line for line in logged(tmp_path) if "transition" in line]
    told = {job_id: [line for line in lines if line["job_id"] == job_id] for job_id in (good, bad)}
    assert [line["event"] for line in told[good]] == ["submit", "start", "finish"]
    assert [line["event"] for line in told[bad]] == [
        *("submit", "start", "fail"),
        *("retry", "start", "dlq"),
    ]
    for job_id, tenant in ((good, "acme"), (bad, None)):
        detail = await detail_of(door, job_id)
        assert {line["trace_id"] for line in told[job_id]} == {detail.trace_id}
        assert {line.get("tenant") for line in told[job_id]} == {tenant}
        assert {line["station"] for line in told[job_id]} == {"A"}
        assert told[job_id][0]["user_id"] == "Anna"
        assert told[job_id][1]["run_id"] == detail.runs[-1].id
    assert told[bad][-1]["level"] == "warning"
    assert "no spindle" in told[bad][-1]["message"]
    said = [line.split(" ", 2)[2] for line in capsys.readouterr().err.splitlines()]
    assert [line for line in said if "job" in line] == [
        f"WARNING job {bad} failed and is tried again: no spindle",
        f"WARNING job {bad} failed and needs attention: no spindle",
    ]


async def test_what_is_logged_in_a_run_names_its_job(station: Station, tmp_path: Path) -> None:
    door = (await station()).engine.door(ME)
    with logging_into(tmp_path, aloud=False):
        spec = JobSpec("log", handler="test.log", payload={"message": "hello"})
        (job_id,) = await door.execute(SubmitJobs([spec]))

        async def is_over() -> bool:
            return (await detail_of(door, job_id)).row.state is JobState.COMPLETED

        await until(is_over)
    detail = await detail_of(door, job_id)
    (found,) = [line for line in logged(tmp_path) if line["message"].endswith(": hello")]
    assert (found["job_id"], found["run_id"]) == (job_id, detail.runs[0].id)
    assert found["trace_id"] == detail.trace_id
    assert "machine_id" not in found
