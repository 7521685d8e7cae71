"""The routes about what happens in the shop: runs, machines, stations and events."""

from collections.abc import Sequence

from cnc_station.engine.commands import ActOnJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.states import LIVE_RUNS
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import (
    CountRuns,
    FloorNow,
    LatestTelemetry,
    ListEvents,
    ListRuns,
    ListStations,
    RunById,
)
from cnc_station.engine.views import MachineCard, RunDetail
from cnc_station.web.api.job_history import job_of, list_events
from cnc_station.web.api.job_values import JobDetailOut
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import Call, Reply, Route, etag
from cnc_station.web.api.shop_values import (
    EventsIn,
    EventsOut,
    MachineOut,
    MachinesIn,
    MachinesOut,
    RunActionIn,
    RunDetailOut,
    RunsIn,
    RunsOut,
    StationOut,
    StationsOut,
)
from cnc_station.web.api.values import PageIn


async def _list_runs(call: Call) -> Reply:
    chosen: ListRuns = call.query.chosen()
    rows = await call.door.ask(chosen)
    total = chosen.offset + len(rows)
    if not rows or len(rows) == chosen.limit:
        total = await call.door.ask(CountRuns(chosen))
    return Reply(RunsOut.of(rows, total, chosen.limit, chosen.offset))


async def _run(call: Call) -> RunDetail:
    detail = await call.door.ask(RunById(call.path["id"]))
    if detail is None:
        raise not_found(f"run {call.path['id']}")
    return detail


async def _show_run(call: Call) -> Reply:
    return Reply(RunDetailOut.of_detail(await _run(call)))


async def _cancel_run(call: Call) -> Reply:
    """Stop a run. A machine's controller is asked to: the run is over when it has confirmed it."""
    row = (await _run(call)).row
    if row.state not in LIVE_RUNS:
        raise Conflict(f"Run {row.id} is over: it is {row.state}.")
    await _act(call, JobAction.ABORT, row.job_id)
    return Reply(RunDetailOut.of_detail(await _run(call)), 202)


async def _retry_run(call: Call) -> Reply:
    """Let the job of its last run wait again, as if it had not failed."""
    row = (await _run(call)).row
    job = await job_of(call, row.job_id)
    if row.attempt != job.row.attempt:
        raise Conflict(f"Run {row.id} is not the last one of job {row.job_id}.")
    await _act(call, JobAction.RETRY, row.job_id)
    job = await job_of(call, row.job_id)
    return Reply(JobDetailOut.of_detail(job), 200, dict(etag(job.row.version)))


async def _act(call: Call, action: JobAction, job_id: int) -> None:
    (answer,) = await call.door.execute(ActOnJobs(action, (job_id,), call.body.reason))
    if not answer.applied:
        raise Conflict(answer.error)


async def _list_events(call: Call) -> Reply:
    return await list_events(call, None)


async def _list_machines(call: Call) -> Reply:
    query: MachinesIn = call.query
    floor = await call.door.ask(FloorNow())
    cards = [card for card in floor.cards if query.chooses(card.machine)]
    machines = [await machine_shown(call.door, card) for card in query.of(cards)]
    return Reply(MachinesOut(machines=machines, **query.told(len(cards))))


async def machine_shown(door: Asks, card: MachineCard) -> MachineOut:
    """Return a machine, at work with its telemetry, which each station has in memory."""
    asked = LatestTelemetry(card.machine.id)
    return MachineOut.of(card, await door.ask(asked) if card.job else None)


async def _show_machine(call: Call) -> Reply:
    machine_id = call.path["id"]
    for card in (await call.door.ask(FloorNow())).cards:
        if card.machine.id == machine_id:
            return Reply(await machine_shown(call.door, card))
    raise not_found(f"machine {machine_id}")


async def _list_stations(call: Call) -> Reply:
    rows = await call.door.ask(ListStations())
    query: PageIn = call.query
    stations = [StationOut.of(row) for row in query.of(rows)]
    return Reply(StationsOut(stations=stations, **query.told(len(rows))))


ROUTES: Sequence[Route] = (
    Route("GET", "/runs", "List runs", ListRuns, _list_runs, {200: RunsOut}, query=RunsIn),
    Route(
        "GET",
        "/runs/{id}",
        "Show a run with its output",
        RunById,
        _show_run,
        {200: RunDetailOut},
        refuses=(404,),
    ),
    Route(
        "POST",
        "/runs/{id}/cancel",
        "Cancel a run",
        ActOnJobs,
        _cancel_run,
        {202: RunDetailOut},
        body=(RunActionIn,),
        refuses=(404, 409),
    ),
    Route(
        "POST",
        "/runs/{id}/retry",
        "Retry the job of a run",
        ActOnJobs,
        _retry_run,
        {200: JobDetailOut},
        body=(RunActionIn,),
        refuses=(404, 409),
    ),
    Route(
        "GET",
        "/machines",
        "List machines",
        FloorNow,
        _list_machines,
        {200: MachinesOut},
        query=MachinesIn,
    ),
    Route(
        "GET",
        "/machines/{id}",
        "Show a machine",
        FloorNow,
        _show_machine,
        {200: MachineOut},
        refuses=(404,),
    ),
    Route(
        "GET",
        "/stations",
        "List stations",
        ListStations,
        _list_stations,
        {200: StationsOut},
        query=PageIn,
    ),
    Route(
        "GET", "/events", "List events", ListEvents, _list_events, {200: EventsOut}, query=EventsIn
    ),
)
