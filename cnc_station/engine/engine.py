"""The engine: opens the database, starts and stops the services in order."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from cnc_station import private_files
from cnc_station.config import Config
from cnc_station.engine.answers import answer
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain.notice import MISSED, Notice, Topic, local
from cnc_station.engine.domain.principal import Principal, local_principal
from cnc_station.engine.door import Door
from cnc_station.engine.drivers import registry
from cnc_station.engine.handlers.base import HandlerContext
from cnc_station.engine.handlers.registry import handlers
from cnc_station.engine.outgoing_http import OutgoingHttp
from cnc_station.engine.outgoing_mail import OutgoingMail, mail_server
from cnc_station.engine.services.accounts import KnownAccounts
from cnc_station.engine.services.active_runs import PATIENCE_S
from cnc_station.engine.services.clean_up import ExpiredHistory, clean_up
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.health import Health
from cnc_station.engine.services.library import Library
from cnc_station.engine.services.metrics import StationMetrics
from cnc_station.engine.services.programs import Toolpaths
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.retrying_writer import DATABASE, RetryingWriter
from cnc_station.engine.services.table_reader import TableReader
from cnc_station.engine.services.tokens import KeyFile, Tokens
from cnc_station.engine.signals.base import Signals
from cnc_station.engine.store.computer import Place
from cnc_station.engine.store.database import Database, EngineLock
from cnc_station.engine.store.home import SettleHome
from cnc_station.engine.store.migrate import Fit, Schema, bring_up_to_date, look
from cnc_station.engine.store.programs import content
from cnc_station.engine.store.writer import Writer
from cnc_station.engine.supervisor import ServiceSupervisor
from cnc_station.secrets import (
    make_pin_key,
    pin_key,
    refuse_clear_text,
    save_token_keys,
    token_keys,
)

log = logging.getLogger(__name__)

T = TypeVar("T")


class StationEngine:
    """One station's engine. With `services=False` only its doors, on a database at rest or beside a
    running station.

    `start` may be called once. `backup_path` is the copy of the database before an upgrade.
    `local_door` is for programs on this computer: with accounts, each has to sign on.
    """

    def __init__(self, config: Config, *, services: bool = True) -> None:
        self._config = config
        self._supervisor: ServiceSupervisor | None = None
        self._with_services = services
        self._listeners: list[Callable[[Notice], None]] = []
        self._telemetry_listeners: list[Callable[[frozenset[int]], None]] = []
        self._lock: EngineLock | None = None
        self.backup_path: Path | None = None
        self._database = Database(config.database_url, synchronous=config.synchronous)
        own = frozenset({DATABASE}) if config.database_path else frozenset()
        links_changed = partial(self._tell, local(Topic.LINKS_CHANGED))
        self._health = Health(links_changed, self._look_everywhere, own)
        self._group_writer = Writer(
            self._database,
            station=config.station,
            ranking=config.rank,
            on_commit=self._committed,
            on_foreign_commit=self._changed_elsewhere,
        )
        self._writer = RetryingWriter(self._group_writer, self._health)
        self._reader = Reader(self._database)
        self._library = Library(self._reader)
        self._http = OutgoingHttp(config.http_proxy, config.http_ca_file)
        self._mail = OutgoingMail(mail_server(config))
        history = ExpiredHistory(
            self._writer, self._reader, config.retention, config.archive_folder
        )
        self._handlers = handlers(
            HandlerContext(
                config.data_folder / "runs",
                config.shell_commands,
                config.lease_s,
                self._http,
                partial(clean_up, history),
            )
        )
        self._metrics = StationMetrics()
        self._accounts = KnownAccounts(
            self._reader,
            self._writer,
            config.station,
            partial(asyncio.to_thread, pin_key, config),
            partial(asyncio.to_thread, make_pin_key, config),
            on_read=lambda: self._tell(local(Topic.ACCOUNTS_READ)),
        )
        key_file = KeyFile(
            partial(asyncio.to_thread, token_keys, config),
            lambda keys: asyncio.to_thread(save_token_keys, config, keys),
        )
        alone = config.database_path is not None
        self._tokens = Tokens(self._accounts, self._writer, key_file if alone else None)
        self._tables = TableReader()
        self.answer = partial(
            answer,
            AnswerContext(
                config=config,
                reader=self._reader,
                writer=self._writer,
                clock=self._database.dialect.now,
                health=self._health,
                paths=Toolpaths(self._content),
                tables=self._tables,
                running=lambda: self._supervisor,
                handlers=self._handlers,
                metrics=self._metrics,
                accounts=self._accounts,
                tokens=self._tokens,
            ),
        )
        self.local_door = self.door(local_principal(config.operator, "http"))

    def door(self, principal: Principal) -> Door:
        """Return the door to this station for a principal."""
        return Door(principal, self.answer, self.subscribe, self.subscribe_telemetry)

    async def start(self) -> None:
        """Open the database and start the services. Raises Unavailable."""
        config = self._config
        path = config.database_path
        try:
            await asyncio.to_thread(refuse_clear_text, config)
            found = await asyncio.to_thread(look, self._database)
            if path is not None and (self._with_services or found.fit is Fit.OLDER):
                # Otherwise the schema might change under a station at work.
                self._lock = EngineLock(path)
                self._lock.acquire(config.station)
                private_files.tighten(private_files.of_data_folder(config.data_folder))
                private_files.tighten(private_files.of_database(path.resolve()))
            await self._open(found)
        except BaseException:
            await self.stop()
            raise

    async def _open(self, found: Schema) -> None:
        config = self._config
        self.backup_path = await asyncio.to_thread(bring_up_to_date, self._database, found)
        await self._group_writer.start()
        self._health.up(DATABASE)
        await self._accounts.refresh()
        if self._with_services:
            fleet = config.database_path is None  # otherwise a former fleet's address may remain
            signals = _redis(config.redis_url) if fleet and config.redis_url else None
            ping = partial(self._database.read, _nothing)
            context = ServiceContext(
                config,
                self._writer,
                self._reader,
                self._library,
                self._health,
                self._http,
                self._mail,
                ping,
                self._tell,
                self._show,
                self._handlers,
                self._metrics,
            )
            await self._settle_home()
            self._supervisor = ServiceSupervisor(context, signals)
            await self._supervisor.start()

    async def _settle_home(self) -> None:
        path = self._config.database_path
        if path is None:
            return
        here = await asyncio.to_thread(Place.of, path)
        if not await self._writer.write(SettleHome(here, registry.retried())):
            log.warning("the database was moved or copied: its real machines are held")

    @property
    def supervisor(self) -> ServiceSupervisor | None:
        """The services of a station at work."""
        return self._supervisor

    async def stop(self) -> None:
        if self._supervisor is not None:
            await self._supervisor.stop()
            self._supervisor = None
        await self._accounts.close()
        await self._http.close()
        self._mail.close()
        await asyncio.to_thread(self._tables.close)
        await self._ended(self._group_writer.stop())
        await self._ended(asyncio.to_thread(self._reader.close))
        self._database.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def _ended(self, ending: Coroutine[Any, Any, None]) -> None:
        """Wait, but not for ever: a suspended server keeps connections open without answers."""
        task = asyncio.ensure_future(ending)
        _, pending = await asyncio.wait([task], timeout=PATIENCE_S)
        if pending:
            self._database.break_off()
        await task

    def _content(self, sha256: str) -> bytes | None:
        found: bytes | None = self._database.read(partial(content, sha256=sha256))
        return found

    def subscribe(self, listener: Callable[[Notice], None]) -> Callable[[], None]:
        """Call `listener` on the engine's loop after each commit. Return how to unsubscribe."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def subscribe_telemetry(self, listener: Callable[[frozenset[int]], None]) -> Callable[[], None]:
        """Call `listener` with the ids of the machines that have new telemetry."""
        self._telemetry_listeners.append(listener)
        return lambda: self._telemetry_listeners.remove(listener)

    def _committed(self, notice: Notice) -> None:
        if self._supervisor is not None:
            self._supervisor.committed(notice)
        self._tell(notice)

    def _changed_elsewhere(self) -> None:
        if self._supervisor is not None:
            self._supervisor.changed_elsewhere()

    def _look_everywhere(self) -> None:
        if self._supervisor is not None:
            self._supervisor.hear(MISSED)

    def _tell(self, notice: Notice) -> None:
        self._accounts.hear(notice)
        _call_all(self._listeners, notice)

    def _show(self, machines: frozenset[int]) -> None:
        _call_all(self._telemetry_listeners, machines)


def _call_all(listeners: Sequence[Callable[[T], None]], news: T) -> None:
    for listener in tuple(listeners):
        try:
            listener(news)
        except Exception:  # its bug must not affect the writer or other listeners
            log.exception("a listener failed")


def _redis(url: str) -> Signals:
    from cnc_station.engine.signals.redis import RedisSignals  # noqa: PLC0415 - fleets only

    return RedisSignals(url)


def _nothing(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))


async def open_client(config: Config) -> StationEngine:
    """Return an engine with only its doors, beside a running station or on a database at rest."""
    engine = StationEngine(config, services=False)
    await engine.start()
    return engine
