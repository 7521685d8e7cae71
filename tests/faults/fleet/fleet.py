"""A fleet of real stations under load, on servers of its own, and the ways to hurt it."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection, func, select, text

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from tests.faults.fleet.checks import (
    Driven,
    Span,
    commands_beside,
    commands_left,
    commands_unfinished,
    read_notes,
    violations,
)
from tests.faults.fleet.load import COMMAND_NOTES, Load, LoadKind
from tests.faults.fleet.mutations import MUTATIONS
from tests.faults.fleet.namespace import Namespace
from tests.faults.fleet.station import Orders
from tests.faults.fleet.supervised import Station
from tests.faults.fleet.wire import Wires
from tests.standing_still import standing_still
from tests.tools.servers import Postgres, Redis

T = TypeVar("T")
RESTART_S = 0.3
MACHINES = 2  # at each station
LAST_LINES = 5
EACH_S = 0.5


class Figures(dict[str, int]):
    """How often each thing was done to the fleet."""

    def count(self, what: str) -> None:
        self[what] = self.get(what, 0) + 1


class Fleet:
    """`stations` on `postgres` and `redis`. Killed stations are started again, as a shop's PC or
    its supervisor would; nothing else is ever repaired by hand."""

    def __init__(
        self,
        postgres: Postgres,
        redis: Redis | None,
        folder: Path,
        stations: int,
        *,
        mutation: str = "",
        load: LoadKind = LoadKind.MIXED,
        clocks: Sequence[float] = (),
        namespaces: Sequence[Namespace] = (),
        settings: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        """Either each station is in a namespace of its own, or none is. `settings` are those of
        single stations, by their names S1, S2 …"""
        self.postgres = postgres
        self.redis = redis
        self.folder = folder
        self.mutation = mutation
        self._load = load
        self.figures = Figures()
        self.measured: dict[str, int] = {}
        self._count = stations
        self._settings = settings
        self._clocks = [*clocks, *[0.0] * stations]
        self._namespaces: Sequence[Namespace | None] = namespaces or [None] * stations
        self._notes = folder / "notes"
        self._frozen: dict[int, list[Span]] = {}
        self._died: dict[int, int] = {}
        self._ended: list[str] = []
        self._killed: set[str] = set()
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self.stations: list[Station] = []
        self._twins: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._wires = Wires()
        self._wires.__enter__()
        self._new_database = self.postgres.new_database()
        self.url = self._new_database.__enter__()
        self.database = Database(self.url, synchronous="NORMAL")
        names = [f"S{number + 1}" for number in range(self._count)]
        self.load = Load(self.url, self.folder, self._load)
        self.load.prepare(names, MACHINES)
        if self.mutation:
            self.write(MUTATIONS[self.mutation].in_the_database)
        redis_port = self.redis.port if self.redis else 1
        for name, ahead, where in zip(names, self._clocks, self._namespaces, strict=False):
            wires = (self._wires.to(self.postgres.port), self._wires.to(redis_port))
            self.stations.append(Station(name, *wires, clock_ahead_s=ahead, namespace=where))
        self._keeper = threading.Thread(target=self._keep_running, name="keeper", daemon=True)
        self._keeper.start()
        self.load.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.load.stop()
        self._ending.set()
        self._keeper.join()
        for process in (*(station.process for station in self.stations), *self._twins):
            if process is not None:
                process.kill()
                process.wait()
        self.database.close()
        self._wires.__exit__(kind, error, trace)
        self._new_database.__exit__(None, None, None)

    # Keeping it running

    def _keep_running(self) -> None:
        while not self._ending.wait(0.05):
            with self._lock:
                for station in self.stations:
                    if station.held:
                        continue
                    process = station.process
                    if process is not None and process.poll() is None:
                        continue
                    if process is not None:
                        self._note_end(station, process)
                        time.sleep(RESTART_S)
                    station.process = self._spawn(station)
                    station.starts += 1

    def _note_end(self, station: Station, process: subprocess.Popen[bytes]) -> None:
        if process.pid in self._died:
            return
        self._died[process.pid] = time.monotonic_ns()
        lines = station.log(self.folder).read_text(errors="replace").splitlines()[-LAST_LINES:]
        self._ended.append(
            f"{station.name} ended by itself with {process.returncode}: {' | '.join(lines)}"
        )

    def _spawn(self, station: Station) -> subprocess.Popen[bytes]:
        return station.spawned(
            Orders(str(self._notes), station.clock_ahead_s, self.mutation),
            self.folder,
            self.url,
            self.redis.url if self.redis else "",
            self._settings.get(station.name, {}),
        )

    def twin(self, station: Station) -> subprocess.Popen[bytes]:
        """A second station started under the name of one that is there; nobody restarts it."""
        process = self._spawn(station)
        self._twins.append(process)
        return process

    # Looking

    def write(self, work: Callable[[Connection], None]) -> None:
        """Change rows by hand, in one transaction."""
        with self.database.connect_writer() as connection, connection.begin():
            work(connection)

    def _read(self, query: Callable[[Connection], T]) -> T:
        """Read once the database answers, for as long as it takes: much is computed meanwhile."""

        def read(connection: Connection) -> list[T]:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            return [query(connection)]

        found: list[T] = until(lambda: self.database.read(read), 60, "the database answers")
        return found[0]

    def completed(self) -> int:
        """How many jobs are done."""
        done = schema.job.c.state == "completed"
        count = select(func.count()).select_from(schema.job).where(done)
        found: int = self.database.read(lambda c: c.execute(count).scalar_one())
        return found

    def open_jobs(self) -> list[tuple[int, str, str]]:
        """What is not done yet: id, state, last error."""
        query = select(schema.job.c.id, schema.job.c.state, schema.job.c.last_error)
        query = query.where(schema.job.c.state != "completed")
        return [tuple(row) for row in self._read(lambda c: c.execute(query).all())]

    def incarnation(self, station: Station) -> str:
        """By which the database knows its present process."""
        query = select(schema.station.c.incarnation).where(schema.station.c.name == station.name)
        return str(self.database.read(lambda c: c.execute(query).scalar_one_or_none()))

    def leader(self) -> Station:
        """Who leads, once somebody does: a killed one still stands there until its term ends."""

        def holder() -> str:
            row, now = self.database.read(
                lambda c: (c.execute(select(schema.leader)).one(), self.database.dialect.now(c))
            )
            leads = row.expires_at > now and row.incarnation not in self._killed
            return str(row.holder) if leads else ""

        name = until(holder, 60, "a station leads")
        return next(station for station in self.stations if station.name == name)

    def works_again(self, jobs: int = 5, within_s: float = 60.0) -> None:
        """Wait until so many more jobs are done: whatever was hurt has healed."""
        (before,) = until(lambda: [self.completed()], within_s, "the database answers")
        until(lambda: self.completed() >= before + jobs, within_s, "jobs get done")

    def drained(self, within_s: float = 60.0) -> list[str]:
        """Let everything come to its end; what is not as it must be then. A backlog takes longer:
        killed stations do little."""
        with self.load.paused():
            within_s += EACH_S * len(self.open_jobs())
            try:
                until(lambda: not self.open_jobs(), within_s, "every job is done")
            except AssertionError as error:
                return [str(error), *(f"left: {row}" for row in self.open_jobs()), *self.check()]
            return [*self.check(), *commands_left(self.folder / COMMAND_NOTES)]

    def check(self) -> list[str]:
        """What is not as it must be."""
        acknowledged = tuple(self.load.acknowledged)
        commands = self.folder / COMMAND_NOTES
        with self._lock:
            found: list[str] = self._read(
                lambda connection: [
                    *violations(
                        connection,
                        self._notes,
                        acknowledged=acknowledged,
                        frozen=self._frozen,
                        died=self._died,
                        now=time.monotonic_ns(),
                    ),
                    *commands_unfinished(connection, commands),
                ]
            )
            ended, self._ended = self._ended, []
        return [*ended, *found, *commands_beside(commands)]

    def driven(self) -> list[Driven]:
        """By which process which run was driven, and when."""
        return read_notes(self._notes, self._died, time.monotonic_ns())

    # Hurting

    def kill(self, station: Station) -> None:
        """A power cut of one PC."""
        self.figures.count("stations killed")
        process = station.process
        if process is None:
            return
        self._killed.add(until(lambda: self.incarnation(station), 60, "the database answers"))
        # Asked for, not noticed: a test that stands still meanwhile would have it live for longer.
        self._died[process.pid] = time.monotonic_ns()
        process.kill()
        process.wait()
        until(lambda: station.process is not process, 60, f"{station.name} is started again")

    @contextmanager
    def stopped(self, station: Station) -> Iterator[None]:
        """A PC that stands still, and wakes without knowing."""
        self.figures.count("stations stopped")
        pid, begun = station.pid, time.monotonic_ns()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            self._frozen.setdefault(pid, []).append(Span(begun, time.monotonic_ns()))
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def cut_off(self, station: Station, *, reset: bool = False) -> Iterator[None]:
        """A pulled cable, for the database and for Redis."""
        self.figures.count("stations cut off")
        if station.namespace is not None:
            with station.namespace.unplugged():
                yield
            return
        for wire in (station.database, station.redis):
            self._wires.call(wire.cut())
        try:
            yield
        finally:
            for wire in (station.database, station.redis):
                self._wires.call(wire.mend(reset=reset))

    def cut_connections(self) -> None:
        """The database server ends everybody's session."""
        self.figures.count("database connections cut")
        import psycopg  # noqa: PLC0415 - here alone

        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    @contextmanager
    def paused(self, server: Postgres | Redis) -> Iterator[None]:
        """A server that stands still with all its processes; connections stay open."""
        self.figures.count("PostgreSQL paused" if server is self.postgres else "Redis paused")
        with standing_still(server):
            yield


def until(fact: Callable[[], T], within_s: float, what: str) -> T:
    """Look until it is true; a database that does not answer just then is looked at again. Raises
    AssertionError after `within_s`."""
    end = time.monotonic() + within_s
    while True:
        with suppress(Unavailable):
            found = fact()
            if found:
                return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        time.sleep(0.05)
