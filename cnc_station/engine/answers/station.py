"""Answers about the floor, the stations and this station."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from cnc_station import __version__
from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain import checks
from cnc_station.engine.domain.checks import refuse
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.services.backups import CLOCK, FOLDER
from cnc_station.engine.store.accounts import PIN_KEY, SWITCH
from cnc_station.engine.store.computer import Place
from cnc_station.engine.store.home import AcceptHome, ReleaseRestored
from cnc_station.engine.store.queries import charts, floor, stations
from cnc_station.engine.store.settings import SaveSettings, settings
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import About, Charts, Floor, Link, StationRow

_BY_OTHERS: Mapping[str, str] = {
    FOLDER: "SetBackupPlan",
    CLOCK: "SetBackupPlan",
    SWITCH: "TurnOnAccounts",
    PIN_KEY: "the first PIN",
}


async def save_settings(context: AnswerContext, command: commands.SaveSettings, actor: str) -> None:
    """See `SaveSettings`."""
    refuse(checks.json_object("settings", command.values))
    for name in _BY_OTHERS.keys() & command.values.keys():  # these need another right
        raise InvalidInput(FieldError(name, f"is changed by {_BY_OTHERS[name]}"))
    await context.writer.write(SaveSettings(dict(command.values), actor))


async def accept_database(
    context: AnswerContext, _command: commands.AcceptDatabase, actor: str
) -> None:
    """See `AcceptDatabase`."""
    path = context.config.database_path
    if path is None:
        if not await context.writer.write(ReleaseRestored(actor)):
            raise Conflict(
                "Only a database file has one computer. A server's machines have stations."
            )
        return
    here = await asyncio.to_thread(Place.of, path)
    await context.writer.write(AcceptHome(here, actor))


async def try_database(context: AnswerContext, _command: commands.TryDatabase, _actor: str) -> None:
    """See `TryDatabase`."""
    if (services := context.running()) is not None:
        await services.try_database()


async def floor_now(context: AnswerContext, _query: queries.FloorNow) -> Floor:
    """See `FloorNow`."""
    return await context.read_forecast(floor.floor)


async def floor_charts(context: AnswerContext, query: queries.FloorCharts) -> Charts:
    """See `FloorCharts`."""
    look = partial(charts.charts, since=query.since, step=query.step, now=now_ms())
    return await context.reader.read(look)


async def list_stations(
    context: AnswerContext, _query: queries.ListStations
) -> tuple[StationRow, ...]:
    """See `ListStations`."""
    look = partial(stations.stations, own=context.config.station, clock=context.clock)
    return await context.reader.read(look)


async def stored_settings(
    context: AnswerContext, _query: queries.StoredSettings
) -> Mapping[str, Any]:
    """See `StoredSettings`."""
    return await context.reader.read(settings)


def about_station(context: AnswerContext, _query: queries.AboutStation) -> About:
    """See `AboutStation`."""
    config = context.config
    return About(
        version=__version__,
        station=config.station,
        database=config.database_shown,
        simulator_speed=config.simulator_speed,
        webhook_test=config.webhook_test == "on",
    )


def list_links(context: AnswerContext, _query: queries.ListLinks) -> tuple[Link, ...]:
    """See `ListLinks`."""
    services = context.running()
    overdue = None if services is None else services.backups.link()
    return (*context.health.links(), *([] if overdue is None else [overdue]))
