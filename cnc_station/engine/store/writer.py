"""The one writer: a thread that makes every write, with group commit.

Commands that arrive while a transaction commits share the next one; each caller gets its own answer
after the commit. One bad command never fails the others: if a shared attempt fails, its commands
are applied again one by one, each behind a savepoint.
"""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from cnc_station.engine.domain.errors import CncStationError, Unavailable
from cnc_station.engine.domain.notice import NO_EVENTS, Notice
from cnc_station.engine.domain.policies import RankPolicy
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.prepared import NOTHING
from cnc_station.engine.store.transaction import StoreCommand, Tx
from cnc_station.engine.store.webhook_listeners import WebhookListeners
from cnc_station.logs.job_events import log_events

log = logging.getLogger(__name__)

T = TypeVar("T")
_Rows = list[dict[str, Any]]  # of the events of a commit
MOST_AT_ONCE = 1024
MOST_TRIES = 5
ELSEWHERE_EVERY_S = 0.25
QUIET_S = 0.05  # no poll this soon after a write: more writes are likely


@dataclass(slots=True)
class _Request:
    command: StoreCommand[Any]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]
    result: Any = field(default=None)


class Writer:
    """Owns the writing connection. `on_commit` is called on the loop of `start` after each commit
    with events, before the callers of that commit continue; `on_foreign_commit` when another
    process has written."""

    def __init__(
        self,
        database: Database,
        *,
        station: str,
        ranking: RankPolicy,
        on_commit: Callable[[Notice], None] = lambda _: None,
        on_foreign_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._station = station
        self._ranking = ranking
        self._on_commit = on_commit
        self._on_foreign_commit = on_foreign_commit
        self._requests: queue.SimpleQueue[list[_Request] | None] = queue.SimpleQueue()
        self._gathered: list[_Request] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Connection | None = None
        self._version: object = None
        self._listeners = WebhookListeners()
        self._look_next = 0.0
        self._poll_failed = False

    async def start(self) -> None:
        """Connect and start the thread. Raises Unavailable."""
        self._loop = asyncio.get_running_loop()
        self._connection = await asyncio.to_thread(self._database.connect_writer)
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Write what is queued, then end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._hand_over()
            self._requests.put(None)
            await asyncio.to_thread(thread.join)

    async def write(self, command: StoreCommand[T]) -> T:
        """Apply one command in a transaction, shared or not; return after its commit.

        Raises the error of this command alone (Conflict, Fenced, InvalidInput), or Unavailable if
        the transaction could not be committed.
        """
        if self._thread is None:
            raise Unavailable("The station is stopping; nothing was written.")
        loop = asyncio.get_running_loop()
        request = _Request(command, loop, loop.create_future())
        if loop is self._loop:
            if not self._gathered:
                loop.call_soon(self._hand_over)
            self._gathered.append(request)
        else:
            self._requests.put([request])
        result: T = await request.answer
        return result

    def _hand_over(self) -> None:
        """Queue the commands of one loop iteration together: otherwise the writer starts with the
        first of a fleet's starts, and all others wait for its commit."""
        if self._gathered:
            self._requests.put(self._gathered)
            self._gathered = []

    # The rest runs on the writer thread.

    def _run(self) -> None:
        assert self._connection is not None
        try:
            while (batch := self._gather()) is not None:
                if batch:
                    self._write(self._connection, batch)
                late_s = ELSEWHERE_EVERY_S if batch else 0.0  # under constant load
                if time.monotonic() >= self._look_next + late_s:
                    self._poll_foreign_commits(self._connection)
        finally:
            self._connection.close()

    def _gather(self) -> list[_Request] | None:
        """Return the waiting requests; an empty list after a pause, None at the end."""
        try:
            requests = self._requests.get(timeout=max(QUIET_S, self._look_next - time.monotonic()))
        except queue.Empty:
            return []
        batch: list[_Request] = []
        while requests is not None:
            batch += requests
            if len(batch) >= MOST_AT_ONCE:
                return batch
            try:
                requests = self._requests.get_nowait()
            except queue.Empty:
                return batch
        if batch:
            self._requests.put(None)
        return batch or None

    def _write(self, connection: Connection, batch: list[_Request]) -> None:
        notice, rows = NO_EVENTS, _Rows()
        try:
            try:
                notice, rows = self._attempt(connection, batch, alone=False)
            except Unavailable:
                raise
            except Exception:  # noqa: BLE001 - find the command that caused it
                notice, rows = self._attempt(connection, batch, alone=True)
        except Exception as error:  # noqa: BLE001 - every caller gets it
            for request in batch:
                request.result = error
        log_events(rows, notice)
        self._answer(batch, notice)

    def _attempt(
        self, connection: Connection, batch: list[_Request], *, alone: bool
    ) -> tuple[Notice, _Rows]:
        for _ in range(MOST_TRIES):
            try:
                return self._transaction(connection, batch, alone=alone)
            except DBAPIError as error:
                if self._database.dialect.is_transient(error):
                    continue
                if plain := self._database.dialect.unavailable(error):
                    raise plain from error
                raise
        raise Unavailable("The database is too busy. CNC Station tries again.", transient=True)

    def _transaction(
        self, connection: Connection, batch: list[_Request], *, alone: bool
    ) -> tuple[Notice, _Rows]:
        dialect = self._database.dialect
        groups = [] if alone else _grouped(batch)
        preload = NOTHING
        if groups:  # only for the first group: later ones may read what it has written
            commands = [request.command for request in groups[0]]
            preload = type(commands[0]).preload(self._station, commands)
        with dialect.transaction(connection, preload) as preloaded:
            now = dialect.now(connection)
            self._listeners.begin()
            tx = Tx(
                dialect,
                connection,
                now,
                self._station,
                self._ranking,
                preloaded=preloaded,
                listeners=self._listeners,
            )
            if alone:
                for request in batch:
                    _apply_alone(tx, request)
            for group in groups:
                tx.flush()
                _apply(tx, group)
            tx.finish()
            return tx.notice(), tx.written

    def _answer(self, batch: list[_Request], notice: Notice) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Request]] = {}
        for request in batch:
            by_loop.setdefault(request.loop, []).append(request)
        for loop, answered in by_loop.items():
            own = notice if loop is self._loop else NO_EVENTS
            self._call(loop, self._deliver, own, answered)

    def _deliver(self, notice: Notice, answered: Sequence[_Request]) -> None:
        """Publish the notice and resolve all answers, in one call on the callers' loop. What was
        written is written: a failing notice handler keeps no answer back."""
        try:
            if notice:
                self._on_commit(notice)
        finally:
            for request in answered:
                if request.answer.done():
                    continue
                if isinstance(request.result, Exception):
                    if not isinstance(request.result, CncStationError):
                        log.error("a write failed", exc_info=request.result)
                    request.answer.set_exception(request.result)
                else:
                    request.answer.set_result(request.result)

    def _poll_foreign_commits(self, connection: Connection) -> None:
        self._look_next = time.monotonic() + ELSEWHERE_EVERY_S
        try:
            version = self._database.dialect.changed_elsewhere(connection, self._station)
        except Exception as error:  # noqa: BLE001 - only a poll; the writer must continue
            if not self._poll_failed:  # once, not four times a second
                log.warning("cannot poll for foreign commits: %s", error)
            self._poll_failed = True
            return
        self._poll_failed = False
        if self._version is not None and version != self._version:
            self._call(self._loop, self._on_foreign_commit)
        self._version = version

    @staticmethod
    def _call(
        loop: asyncio.AbstractEventLoop | None, function: Callable[..., None], *arguments: object
    ) -> None:
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(function, *arguments)


def _grouped(batch: Sequence[_Request]) -> list[list[_Request]]:
    """Merge commands of one group without reordering any two that touch the same subject."""
    groups: list[list[_Request]] = []
    last_of: dict[Hashable, int] = {}
    last_touch: dict[Hashable, int] = {}
    barrier = -1
    for request in batch:
        command = request.command
        touches = command.touches
        place = last_of.get(command.group, -1)
        free = touches is not None and place >= max(barrier, 0)
        for key in touches or ():
            free = free and place > last_touch.get(key, -1)
        if not free:
            place = len(groups)
            groups.append([])
            last_of[command.group] = place
        groups[place].append(request)
        if touches is None:
            barrier = place
        else:
            for key in touches:
                last_touch[key] = place
    return groups


def _apply(tx: Tx, group: Sequence[_Request]) -> None:
    commands = [request.command for request in group]
    for request, result in zip(group, type(commands[0]).apply(tx, commands), strict=True):
        request.result = result


def _apply_alone(tx: Tx, request: _Request) -> None:
    """Apply one command behind a savepoint, so that its failure is its own.

    An OperationalError breaks the whole transaction: a full disk has already undone it.
    """
    branch = tx.branch()
    try:
        with tx.connection.begin_nested():
            _apply(branch, [request])
            branch.complete()
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - only its caller gets it
        request.result = error
    else:
        tx.join(branch)
