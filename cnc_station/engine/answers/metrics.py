"""Answers about metrics."""

import asyncio

from cnc_station import __version__
from cnc_station.engine import queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain.errors import NotPermitted
from cnc_station.engine.views.metrics import Exposition


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
