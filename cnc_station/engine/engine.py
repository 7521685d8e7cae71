"""The engine: wires the rooms, starts and stops the services in order."""

import asyncio
import logging
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cnc_station.config import Config
from cnc_station.engine.commands import StationCommands
from cnc_station.engine.intake import StationIntake
from cnc_station.engine.services.dispatcher import Dispatcher
from cnc_station.engine.services.fleet import Fleet
from cnc_station.engine.services.health import Health
from cnc_station.engine.services.library import Library
from cnc_station.engine.services.pen import DATABASE, Pen
from cnc_station.engine.services.programs import Toolpaths
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.recovery import recover
from cnc_station.engine.services.runner import Runner
from cnc_station.engine.services.service import Service
from cnc_station.engine.services.stager import Stager
from cnc_station.engine.services.ticker import Ticker
from cnc_station.engine.store.claims import Claimed
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.lock import EngineLock
from cnc_station.engine.store.migrate import bring_up_to_date
from cnc_station.engine.store.programs import content
from cnc_station.engine.store.queries.machine_rows import machines
from cnc_station.engine.store.transaction import Committed
from cnc_station.engine.store.writer import Writer
from cnc_station.engine.views import Changes

log = logging.getLogger(__name__)


class StationEngine(StationCommands, StationIntake):
    """One station's engine; with `services=False` only the door, beside a running station.

    `start` may be called once. `copied` is the copy of the database that an upgrade made.
    """

    def __init__(self, config: Config, *, services: bool = True) -> None:
        self._config = config
        self._services: tuple[Service, ...] = ()
        self._with_services = services
        self._listeners: list[Callable[[Changes], None]] = []
        self._lock: EngineLock | None = None
        self.copied: Path | None = None

    async def start(self) -> None:
        """Open the database, settle what was left, then open for work. Raises Unavailable."""
        config = self._config
        path = config.database_path
        if self._with_services and path is not None:
            self._lock = EngineLock(path)
            self._lock.acquire(config.station)
        try:
            await self._open()
        except BaseException:
            self._release()
            raise

    async def _open(self) -> None:
        config = self._config
        self._database = Database(config.database_url, synchronous=config.synchronous)
        self.copied = await asyncio.to_thread(bring_up_to_date, self._database)
        self._health = Health(lambda: self._tell(Changes(links=True)))
        self._writer = Writer(
            self._database,
            station=config.station,
            ranking=config.rank,
            on_commit=self._committed,
            on_foreign_commit=self._changed_elsewhere,
        )
        await self._writer.start()
        self._pen = Pen(self._writer, self._health)
        self._reader = Reader(self._database)
        self._library = Library(self._reader)
        self._paths = Toolpaths(self._content)
        self._health.up(DATABASE)
        self._runner = None
        self._fleet = None
        self._ticker = None
        if self._with_services:
            await self._start_services()

    async def _start_services(self) -> None:
        config = self._config
        simulator = {"speed": config.simulator_speed, "seed": config.simulator_seed}
        self._fleet = Fleet(self._pen, {"simulator": simulator})
        rows = await self._reader.read(machines)
        await self._fleet.prepare(rows)
        await recover(
            self._pen,
            self._reader,
            self._fleet.drivers,
            station=config.station,
            retry=config.retry,
            chance=random.random,
        )
        self._runner = Runner(self._pen, self._library, self._fleet.drivers, config.retry)
        self._dispatcher = Dispatcher(self._pen, self._take, config.lease_s)
        self._stager = Stager(self._pen, self._reader)
        runner = self._runner
        self._ticker = Ticker(
            runner.telemetry, lambda ids: self._tell(Changes(telemetry=ids)), lambda: runner.busy
        )
        for machine in await self._reader.read(machines):
            await self._fleet.connect(machine.id, machine.state)
        self._services = (self._stager, self._dispatcher, self._ticker)
        for service in self._services:
            await service.start()

    async def stop(self) -> None:
        """Stop in order: no new claims, runs ended and written, controllers let go, the pen."""
        for service in reversed(self._services):
            await service.stop()
        self._services = ()
        if self._runner is not None:
            await self._runner.stop()
        if self._fleet is not None:
            await self._fleet.close()
        await self._writer.stop()
        self._reader.close()
        self._database.close()
        self._release()

    def _content(self, sha256: str) -> bytes | None:
        """A program's bytes, on the thread that asks."""
        found: bytes | None = self._database.read(partial(content, sha256=sha256))
        return found

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def subscribe(self, listener: Callable[[Changes], None]) -> Callable[[], None]:
        """See `Engine.subscribe`."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _committed(self, committed: Committed) -> None:
        """After each commit: wake who has work, then tell the window."""
        if self._services:
            if committed.claimable or committed.freed:
                self._dispatcher.wake.hint()
            if committed.next_due is not None:
                self._stager.wake.hint()
        if committed.jobs or committed.machines or committed.programs:
            self._tell(Changes(committed.jobs, committed.machines, committed.programs))

    def _take(self, claimed: Claimed) -> None:
        assert self._runner is not None
        assert self._ticker is not None
        self._runner.take(claimed)
        self._ticker.begin()

    def _changed_elsewhere(self) -> None:
        """Another process has written: look for work, and look at everything again."""
        for service in self._services:
            service.wake.hint()
        self._tell(Changes(programs=True, everything=True))

    def _tell(self, changes: Changes) -> None:
        for listener in tuple(self._listeners):
            listener(changes)


async def open_client(config: Config) -> StationEngine:
    """The door alone, for a command beside a running station or on a database at rest."""
    engine = StationEngine(config, services=False)
    await engine.start()
    return engine
