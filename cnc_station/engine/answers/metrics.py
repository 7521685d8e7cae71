"""Answers about metrics."""

import asyncio

from sqlalchemy import Connection

from cnc_station import __version__
from cnc_station.engine import queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain.errors import FieldError, InvalidInput, NotPermitted
from cnc_station.engine.store.queries.executions import executions, job_metrics
from cnc_station.engine.views.metrics import ExecutionStats, Exposition, JobMetrics

DAY_MS = 86_400_000
MOST_SPAN_MS = 31 * DAY_MS


async def metrics_now(context: AnswerContext, query: queries.MetricsNow) -> JobMetrics:
    """See `MetricsNow`."""
    hits = context.metrics.figures.limit_hits.total()

    def look(connection: Connection, now: int) -> JobMetrics:
        return job_metrics(connection, *_span(query.since, query.until, now), limit_hits=hits)

    return await context.reader.read_now(look)


async def executions_by(context: AnswerContext, query: queries.ExecutionsBy) -> ExecutionStats:
    """See `ExecutionsBy`."""

    def look(connection: Connection, now: int) -> ExecutionStats:
        return executions(connection, *_span(query.since, query.until, now), query.group)

    return await context.reader.read_now(look)


def _span(since: int | None, until: int | None, now: int) -> tuple[int, int]:
    """Raises InvalidInput. What has just ended counts too."""
    until = now + 1 if until is None else until
    since = until - DAY_MS if since is None else since
    if not 0 < until - since <= MOST_SPAN_MS:
        days = MOST_SPAN_MS // DAY_MS
        raise InvalidInput(FieldError("since", f"must be before until, by {days} days at most"))
    return since, until


async def scrape(context: AnswerContext, query: queries.ScrapeMetrics) -> Exposition:
    """See `ScrapeMetrics`. The text is made on a thread: a fleet has thousands of lines."""
    if context.tenants is not None:
        raise NotPermitted("Metrics count the jobs of all tenants.")
    services = context.running()
    fleet = None if services is None else await services.fleet_metrics.figures()
    leads = services is not None and services.fleet_metrics.leads()
    links = {link.name: context.health.is_up(link.name) for link in context.health.links()}
    own = context.metrics.figures.copy()

    def text() -> Exposition:
        from cnc_station.engine.services.exposition import Scrape  # noqa: PLC0415 - see there

        scraped = Scrape(
            context.config.station, __version__, leads, links, own, fleet, query.requests
        )
        return scraped.text(open_metrics=query.open_metrics)

    return await asyncio.to_thread(text)
