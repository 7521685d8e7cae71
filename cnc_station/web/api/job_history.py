"""The routes about one job with all that belongs to it: its runs, events and deliveries."""

from collections.abc import Sequence
from typing import Self

from cnc_station.engine.domain.errors import NotPermitted
from cnc_station.engine.domain.event import Event
from cnc_station.engine.queries import CountRuns, JobById, ListDeliveries, ListEvents, ListRuns
from cnc_station.engine.views import JobDetail
from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryPage
from cnc_station.web.api.job_values import JobDetailOut, LinkOut, RunOut
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import Call, Reply, Route, etag
from cnc_station.web.api.shop_values import EventOut, EventsIn, EventsOut, RunsOut
from cnc_station.web.api.values import PageIn
from cnc_station.web.api.webhook_values import DeliveriesOut, DeliveryOut

_MOST = 200  # events and deliveries with a job: the latest; its own lists have all


class JobShownOut(JobDetailOut):
    """A job with its runs (newest first), its latest events (oldest first) and deliveries (newest
    first), the jobs it comes after and those it comes before. `job` has its fields once more, for
    programs that look for them there. `deliveries` is null for who may not see them."""

    job: JobDetailOut
    runs: list[RunOut]
    events: list[EventOut]
    deliveries: list[DeliveryOut] | None
    after: list[LinkOut]
    before: list[LinkOut]

    @classmethod
    def of_all(
        cls, detail: JobDetail, events: Sequence[Event], deliveries: DeliveryPage | None
    ) -> Self:
        job = JobDetailOut.of_detail(detail)
        sent = None if deliveries is None else [DeliveryOut.of(row) for row in deliveries.rows]
        return cls.model_construct(
            **{name: getattr(job, name) for name in JobDetailOut.model_fields},
            job=job,
            runs=[RunOut.of(run) for run in detail.runs],
            events=[EventOut.of(event) for event in events],
            deliveries=sent,
            after=[LinkOut.of(link) for link in detail.after],
            before=[LinkOut.of(link) for link in detail.before],
        )


async def job_of(call: Call, job_id: int) -> JobDetail:
    """Return a job. Raises a problem if there is none."""
    detail = await call.door.ask(JobById(job_id))
    if detail is None:
        raise not_found(f"job {job_id}")
    return detail


async def _show(call: Call) -> Reply:
    detail = await job_of(call, call.path["id"])
    events = await call.door.ask(ListEvents(detail.row.id, limit=_MOST, newest=True))
    deliveries: DeliveryPage | None = None
    try:
        of_job = DeliveryFilter(job_id=detail.row.id)
        deliveries = await call.door.ask(ListDeliveries(of_job, 0, _MOST))
    except NotPermitted:
        pass
    shown = JobShownOut.of_all(detail, events, deliveries)
    return Reply(shown, 200, dict(etag(detail.row.version)))


async def _runs(call: Call) -> Reply:
    job = await job_of(call, call.path["id"])
    query: PageIn = call.query
    chosen = ListRuns(job_id=job.row.id, limit=query.limit, offset=query.offset)
    rows, total = await call.door.ask(chosen), await call.door.ask(CountRuns(chosen))
    return Reply(RunsOut.of(rows, total, query.limit, query.offset))


async def _events(call: Call) -> Reply:
    job = await job_of(call, call.path["id"])
    return await list_events(call, job.row.id)


async def list_events(call: Call, job_id: int | None) -> Reply:
    """Answer the events of a job, or those of all."""
    query: EventsIn = call.query
    asked = ListEvents(job_id, None, query.after, query.limit, types=query.chosen_types())
    events = await call.door.ask(asked)
    return Reply(EventsOut(events=[EventOut.of(event) for event in events]))


async def _deliveries(call: Call) -> Reply:
    job = await job_of(call, call.path["id"])
    query: PageIn = call.query
    of_job = DeliveryFilter(job_id=job.row.id)
    page = await call.door.ask(ListDeliveries(of_job, query.offset, query.limit))
    return Reply(DeliveriesOut.of(page, query.limit))


ROUTES: Sequence[Route] = (
    Route("GET", "/jobs/{id}", "Show a job", JobById, _show, {200: JobShownOut}, refuses=(404,)),
    Route(
        "GET",
        "/jobs/{id}/runs",
        "List the runs of a job",
        ListRuns,
        _runs,
        {200: RunsOut},
        query=PageIn,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/jobs/{id}/events",
        "List the events of a job",
        ListEvents,
        _events,
        {200: EventsOut},
        query=EventsIn,
        refuses=(404,),
    ),
    Route(
        "GET",
        "/jobs/{id}/deliveries",
        "List the deliveries about a job",
        ListDeliveries,
        _deliveries,
        {200: DeliveriesOut},
        query=PageIn,
        refuses=(404,),
    ),
)
