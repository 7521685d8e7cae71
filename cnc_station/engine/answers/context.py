"""The context of all answers."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cnc_station.config import Config
from cnc_station.engine.drivers import registry, secrets
from cnc_station.engine.drivers.base import Driver
from cnc_station.engine.handlers.base import Handler
from cnc_station.engine.services.accounts import KnownAccounts
from cnc_station.engine.services.health import Health
from cnc_station.engine.services.metrics import StationMetrics
from cnc_station.engine.services.programs import Toolpaths
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.table_reader import TableReader
from cnc_station.engine.services.tokens import Tokens
from cnc_station.engine.services.worker_slots import served_jobs
from cnc_station.engine.store.queries.context import QueryContext
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.supervisor import ServiceSupervisor
from cnc_station.engine.timing import now_ms

T = TypeVar("T")


class Writes(Protocol):
    """The part of the writer that answers need."""

    async def write(self, command: StoreCommand[T]) -> T: ...


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """`clock` is the database's. `running` returns the services of a station at work, None if only
    the door is open. `tenants` are those whose jobs may be seen; None: all.
    `keys_in_use`: the accounts and idempotency keys of the requests that are running here."""

    config: Config
    reader: Reader
    writer: Writes
    clock: Callable[[Connection], int]
    health: Health
    paths: Toolpaths
    tables: TableReader
    running: Callable[[], ServiceSupervisor | None]
    handlers: Mapping[str, Handler]
    metrics: StationMetrics
    accounts: KnownAccounts
    tokens: Tokens
    tenants: frozenset[str] | None = None
    keys_in_use: set[tuple[str, str]] = field(default_factory=set)

    def limited(self, tenants: frozenset[str]) -> Self:
        """Return the context of a principal who may see only the jobs of these tenants."""
        return replace(self, reader=self.reader.limited(tenants), tenants=tenants)

    @property
    def alone(self) -> bool:
        """Whether the database is a file, which only one station uses."""
        return self.config.is_embedded

    @property
    def zone(self) -> dt.tzinfo | None:
        """The time zone of the settings; None for that of this computer."""
        return ZoneInfo(self.config.time_zone) if self.config.time_zone else None

    def driver(self, machine_id: int) -> Driver | None:
        """Return the driver of a machine of this station."""
        services = self.running()
        return None if services is None else services.pool.drivers.get(machine_id)

    async def read_forecast(self, query: Callable[..., T], **arguments: Any) -> T:
        """Run a query that computes a forecast from the time, the zone and the rules."""
        config = self.config
        context = QueryContext(
            config.retry,
            self.zone,
            config.simulator_speed,
            registry.abilities(),
            served_jobs(self.handlers),
            config.station,
            self.clock,
            secrets.mask(),
        )
        return await self.reader.read(partial(query, now=now_ms(), context=context, **arguments))
