"""The routes about what happens in the shop: runs, machines, stations and events."""

from collections.abc import Sequence

from cnc_station.engine.queries import (
    FloorNow,
    JobById,
    ListEvents,
    ListRuns,
    ListStations,
    RunById,
)
from cnc_station.web.api.job_values import RunOut
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.shop_values import (
    EventOut,
    EventsIn,
    EventsOut,
    JobRunsIn,
    MachineOut,
    MachinesIn,
    MachinesOut,
    RunDetailOut,
    RunsIn,
    RunsOut,
    StationOut,
    StationsOut,
)


async def _list_runs(call: Call) -> Reply:
    query: RunsIn = call.query
    states = frozenset() if query.outcome is None else frozenset({query.outcome})
    asked = ListRuns(
        job_id=query.job_id,
        limit=query.limit,
        machine_id=query.machine_id,
        handler=query.handler,
        station=query.station,
        states=states,
        since=query.since,
        until=query.until,
    )
    rows = await call.door.ask(asked)
    return Reply(RunsOut(runs=[RunOut.of(row) for row in rows]))


async def _show_run(call: Call) -> Reply:
    detail = await call.door.ask(RunById(call.path["id"]))
    if detail is None:
        raise not_found(f"run {call.path['id']}")
    return Reply(RunDetailOut.of_detail(detail))


async def _runs_of_job(call: Call) -> Reply:
    await _check_job(call)
    rows = await call.door.ask(ListRuns(job_id=call.path["id"], limit=call.query.limit))
    return Reply(RunsOut(runs=[RunOut.of(row) for row in rows]))


async def _check_job(call: Call) -> None:
    if await call.door.ask(JobById(call.path["id"])) is None:
        raise not_found(f"job {call.path['id']}")


async def _events_of_job(call: Call) -> Reply:
    await _check_job(call)
    return await _events(call, call.path["id"])


async def _list_events(call: Call) -> Reply:
    return await _events(call, None)


async def _events(call: Call, job_id: int | None) -> Reply:
    query: EventsIn = call.query
    events = await call.door.ask(ListEvents(job_id, None, query.after, query.limit))
    return Reply(EventsOut(events=[EventOut.of(event) for event in events]))


async def _list_machines(call: Call) -> Reply:
    query: MachinesIn = call.query
    floor = await call.door.ask(FloorNow())
    machines = [
        MachineOut.of(card)
        for card in floor.cards
        if query.type in {None, card.machine.spec.machine_type}
        and query.state in {None, card.machine.state}
        and query.station in {None, card.machine.station}
    ]
    return Reply(MachinesOut(machines=machines))


async def _list_stations(call: Call) -> Reply:
    rows = await call.door.ask(ListStations())
    return Reply(StationsOut(stations=[StationOut.of(row) for row in rows]))


ROUTES: Sequence[Route] = (
    Route(
        "GET",
        "/jobs/{id}/runs",
        "List the runs of a job",
        ListRuns,
        _runs_of_job,
        {200: RunsOut},
        query=JobRunsIn,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/jobs/{id}/events",
        "List the events of a job",
        ListEvents,
        _events_of_job,
        {200: EventsOut},
        query=EventsIn,
        refuses=(404,),
    ),
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
        "GET",
        "/machines",
        "List machines",
        FloorNow,
        _list_machines,
        {200: MachinesOut},
        query=MachinesIn,
    ),
    Route("GET", "/stations", "List stations", ListStations, _list_stations, {200: StationsOut}),
    Route(
        "GET",
        "/workers",
        "List stations, by their other name",
        ListStations,
        _list_stations,
        {200: StationsOut},
    ),
    Route(
        "GET", "/events", "List events", ListEvents, _list_events, {200: EventsOut}, query=EventsIn
    ),
)
