"""What a station's log tells of its jobs."""

from pathlib import Path

from cnc_station.engine.commands import SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.door import Door
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import JobById
from cnc_station.engine.views import JobDetail
from tests.tools.station_log import logged, logging_into
from tests.until import until

ME = local_principal("Anna")


async def detail_of(door: Door, job_id: int) -> JobDetail:
    detail = await door.ask(JobById(job_id))
    assert detail is not None
    return detail


async def test_each_change_of_a_job_is_a_line_with_its_trace_and_its_tenant(
    engine: StationEngine, tmp_path: Path
) -> None:
    door = engine.door(ME)
    payload = {"durationMs": 0, "shouldFail": True, "failMessage": "no spindle"}
    with logging_into(tmp_path, aloud=False):
        good, bad = await door.execute(
            SubmitJobs(
                [
                    JobSpec("good", handler="test.echo", tenant="acme"),
                    JobSpec("bad", handler="test.delay", payload=payload, retry_limit=0),
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
    assert [line["event"] for line in told[bad]] == ["submit", "start", "dlq"]
    for job_id, tenant in ((good, "acme"), (bad, None)):
        detail = await detail_of(door, job_id)
        assert {line["trace_id"] for line in told[job_id]} == {detail.trace_id}
        assert {line.get("tenant") for line in told[job_id]} == {tenant}
        assert {line["station"] for line in told[job_id]} == {"A"}
        assert told[job_id][0]["user_id"] == "Anna"
        assert told[job_id][1]["run_id"] == detail.runs[0].id
    assert told[bad][2]["level"] == "warning"
    assert "no spindle" in told[bad][2]["message"]
