"""A trace that a command names goes into the jobs that it creates."""

import pytest

from cnc_station.engine import commands
from cnc_station.engine.domain.actions import ScheduleAction
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import Overlap, Schedule
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import JobById, ListEvents, ScheduleRuns
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf
from tests.engine.receiver import raw_server
from tests.engine.test_http_webhook import Heads

TRACE = "erp.order-7_" + "x" * 52


async def _trace(floor: FloorOf, job_id: int) -> str:
    detail = await floor.door.ask(JobById(job_id))
    assert detail is not None
    return detail.trace_id


async def test_every_command_that_creates_jobs_takes_their_trace(station: Station) -> None:
    floor = await station()
    execute = floor.door.execute
    bracket = JobSpec("Bracket", "mill")
    (first,) = await execute(commands.SubmitJobs([bracket], TRACE))
    copy = await execute(commands.DuplicateJob(first, "copied"))
    table = b"name,machine type\nPlate,mill\n"
    (row,) = await execute(commands.ImportJobs("jobs.csv", table, trace_id="imported"))
    nightly = Schedule("Nightly", "0 3 * * *", "UTC", bracket, overlap=Overlap.ALLOW)
    schedule_id = await execute(commands.CreateSchedule(nightly))
    once = await execute(commands.TriggerSchedule(schedule_id, "triggered"))
    ids = (schedule_id,)
    await execute(commands.ActOnSchedules(ScheduleAction.TRIGGER, ids, trace_id="again"))
    (latest, *_) = await floor.door.ask(ScheduleRuns(schedule_id))
    assert latest.job_id is not None
    found = [await _trace(floor, job_id) for job_id in (first, copy, row, once, latest.job_id)]
    assert found == [TRACE, "copied", "imported", "triggered", "again"]
    own = {await _trace(floor, await execute(commands.DuplicateJob(first))) for _ in range(2)}
    assert len(own) == 2
    assert all(len(trace) == 32 for trace in own)


@pytest.mark.parametrize("trace", ["x" * 65, "a b", "é", "a/b"])
async def test_a_trace_of_another_form_is_refused(station: Station, trace: str) -> None:
    floor = await station()
    with pytest.raises(InvalidInput, match="trace_id: must be letters, digits"):
        await floor.door.execute(commands.SubmitJobs([JobSpec("Bracket", "mill")], trace))


async def test_two_jobs_of_one_trace_send_requests_with_keys_of_their_own(
    station: Station,
) -> None:
    floor = await station()
    heads, trace = Heads("200 OK"), "4bf92f3577b34da6a3ce929d0e0e4736"
    async with raw_server(heads) as url:
        spec = JobSpec("Call", handler="http.webhook", payload={"url": f"{url}/"})
        ids = await floor.door.execute(commands.SubmitJobs([spec, spec], trace))
        for job_id in ids:
            await floor.comes_to(job_id, JobState.COMPLETED)
    assert len({heads.header(place, "idempotency-key") for place in (0, 1)}) == 2
    for place in (0, 1):
        assert heads.header(place, "x-trace-id") == trace
        assert heads.header(place, "traceparent").startswith(f"00-{trace}-")
    for job_id in ids:
        events = await floor.door.ask(ListEvents(job_id=job_id))
        assert {event.trace_id for event in events} == {trace}
        assert len(events) >= 3
