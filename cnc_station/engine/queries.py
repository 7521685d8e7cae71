"""The query half of the door: each a whole look on a reader thread, off the loop."""

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cnc_station import __version__
from cnc_station.config import Config
from cnc_station.engine.domain.checks import MOST_ID
from cnc_station.engine.domain.event import Event
from cnc_station.engine.drivers import registry, secrets
from cnc_station.engine.drivers.base import Driver
from cnc_station.engine.handlers.registry import handlers
from cnc_station.engine.services.health import Health
from cnc_station.engine.services.programs import Toolpaths
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.store.queries import (
    charts,
    export,
    floor,
    history,
    job_detail,
    job_list,
    machine_rows,
    programs,
    settings,
    stations,
)
from cnc_station.engine.store.queries.context import QueryContext
from cnc_station.engine.supervisor import ServiceSupervisor
from cnc_station.engine.views import (
    About,
    Charts,
    DriverInfo,
    Floor,
    JobCounts,
    JobDetail,
    JobFilter,
    JobPage,
    JobRow,
    Link,
    MachineRow,
    Message,
    ProgramDetail,
    ProgramRow,
    RunInHand,
    RunRow,
    Sort,
    StationRow,
    Status,
    Telemetry,
    Toolpath,
)

T = TypeVar("T")


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


class StationQueries:
    """Implements `Queries`."""

    _config: Config
    _reader: Reader
    _clock: Callable[[Connection], int]  # the database's
    _health: Health
    _supervisor: ServiceSupervisor | None
    _paths: Toolpaths

    @property
    def _zone(self) -> dt.tzinfo | None:
        return ZoneInfo(self._config.time_zone) if self._config.time_zone else None

    async def floor(self) -> Floor:
        """See `Queries.floor`."""
        found: Floor = await self._look(floor.floor)
        machines = secrets.told(card.machine for card in found.cards)
        cards = zip(found.cards, machines, strict=True)
        return replace(found, cards=tuple(replace(card, machine=row) for card, row in cards))

    async def charts(self, since: int, step: int) -> Charts:
        """See `Queries.charts`."""
        return await self._reader.read(partial(charts.charts, since=since, step=step, now=now_ms()))

    async def jobs(
        self, chosen: JobFilter, order: Sequence[Sort], offset: int, limit: int
    ) -> JobPage:
        """See `Queries.jobs`."""
        return await self._look(
            job_list.job_page, chosen=chosen, order=order, offset=offset, limit=limit
        )

    async def jobs_by_id(self, ids: Sequence[int]) -> tuple[JobRow, ...]:
        """See `Queries.jobs_by_id`."""
        return await self._look(job_list.jobs_by_id, ids=ids)

    async def job_counts(self, chosen: JobFilter) -> JobCounts:
        """See `Queries.job_counts`."""
        return await self._reader.read(
            partial(job_list.job_counts, chosen=chosen, now=now_ms(), zone=self._zone)
        )

    async def job(self, job_id: int) -> JobDetail | None:
        """See `Queries.job`."""
        if not 0 < job_id <= MOST_ID:  # a scanned code may have any number of digits
            return None
        return await self._look(job_detail.job_detail, job_id=job_id)

    async def events(
        self,
        *,
        job_id: int | None = None,
        machine_id: int | None = None,
        after: int = 0,
        limit: int = 500,
        newest: bool = False,
    ) -> tuple[Event, ...]:
        """See `Queries.events`."""
        return await self._reader.read(
            partial(
                history.events,
                job_id=job_id,
                machine_id=machine_id,
                after=after,
                limit=limit,
                newest=newest,
            )
        )

    async def runs(self, *, job_id: int | None = None, limit: int = 200) -> tuple[RunRow, ...]:
        """See `Queries.runs`."""
        return await self._reader.read(partial(history.runs, job_id=job_id, limit=limit))

    async def machines(self) -> tuple[MachineRow, ...]:
        """See `Queries.machines`."""
        own = self._config.station
        look = partial(machine_rows.machines_with_stations, own=own, clock=self._clock)
        return secrets.told(await self._reader.read(look))

    async def stations(self) -> tuple[StationRow, ...]:
        """See `Queries.stations`."""
        own = self._config.station
        return await self._reader.read(partial(stations.stations, own=own, clock=self._clock))

    async def programs(self, text: str = "") -> tuple[ProgramRow, ...]:
        """See `Queries.programs`."""
        return await self._reader.read(partial(programs.programs, text=text))

    async def program(self, sha256: str) -> ProgramDetail | None:
        """See `Queries.program`."""
        found = await self._reader.read(partial(programs.program_detail, sha256=sha256))
        if found is None:
            return None
        path = await self._reader.work(partial(self._paths.of, sha256))
        return replace(found, assumes=path.assumes) if path else found

    async def toolpath(self, sha256: str) -> Toolpath | None:
        """See `Queries.toolpath`."""
        return await self._reader.work(partial(self._paths.of, sha256))

    async def export(self, chosen: JobFilter, order: Sequence[Sort], form: str) -> bytes:
        """See `Queries.export`."""
        return await self._look(export.export, chosen=chosen, order=order, form=form)

    async def settings(self) -> Mapping[str, Any]:
        """See `Queries.settings`."""
        return await self._reader.read(settings.settings)

    def about(self) -> About:
        """See `Queries.about`."""
        config = self._config
        return About(
            version=__version__,
            station=config.station,
            database=config.database_shown,
            simulator_speed=config.simulator_speed,
        )

    def drivers(self) -> tuple[DriverInfo, ...]:
        """See `Queries.drivers`."""
        return registry.infos()

    def status(self, machine_id: int) -> Status | None:
        """See `Queries.status`."""
        driver = self._driver(machine_id)
        if driver is None or self._supervisor is None:
            return None
        status, details = driver.status(), self._supervisor.pool.details(machine_id)
        return replace(status, details=details) if details else status

    def machine_log(self, machine_id: int) -> tuple[Message, ...]:
        """See `Queries.machine_log`."""
        driver = self._driver(machine_id)
        return tuple(driver.traffic()) if driver is not None else ()

    def _driver(self, machine_id: int) -> Driver | None:
        return (
            self._supervisor.pool.drivers.get(machine_id) if self._supervisor is not None else None
        )

    def telemetry(self, machine_id: int) -> Telemetry | None:
        """See `Queries.telemetry`."""
        return self._supervisor.telemetry(machine_id) if self._supervisor is not None else None

    def runs_in_hand(self) -> tuple[RunInHand, ...]:
        """See `Queries.runs_in_hand`."""
        return self._supervisor.active_runs.shown() if self._supervisor is not None else ()

    def links(self) -> tuple[Link, ...]:
        """See `Queries.links`."""
        return self._health.links()

    async def _look(self, query: Callable[..., T], **arguments: Any) -> T:
        """A query that says in words what comes next: it needs the time, the zone and the rules."""
        config = self._config
        abilities = registry.abilities()
        context = QueryContext(
            config.retry,
            self._zone,
            config.simulator_speed,
            abilities,
            handlers().keys(),
            config.station,
            self._clock,
        )
        return await self._reader.read(partial(query, now=now_ms(), context=context, **arguments))
