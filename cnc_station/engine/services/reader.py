"""Run queries off the loop, on a few threads with a connection each."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from cnc_station.engine.store.database import Database
from cnc_station.engine.store.dialect import READERS, Dialect
from cnc_station.engine.store.tenants import for_tenants

T = TypeVar("T")


class Reader:
    """Runs a whole query on one thread, however many statements it has."""

    def __init__(
        self,
        database: Database,
        threads: ThreadPoolExecutor | None = None,
        tenants: frozenset[str] | None = None,
    ) -> None:
        self._database = database
        self._threads = threads or ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._tenants = tenants

    def limited(self, tenants: frozenset[str]) -> "Reader":
        """Return a reader on the same threads that sees only the jobs of these tenants."""
        return Reader(self._database, self._threads, tenants)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on one consistent snapshot. Raises Unavailable."""
        loop = asyncio.get_running_loop()
        if self._tenants is not None:
            query = for_tenants(query, self._tenants)
        result: T = await loop.run_in_executor(self._threads, self._database.read, query)
        return result

    async def read_now(self, query: Callable[[Connection, int], T]) -> T:
        """Run a query with the time (ms) by the database's clock. Raises Unavailable."""
        now = self._database.dialect.now
        return await self.read(lambda connection: query(connection, now(connection)))

    async def read_in_dialect(self, query: Callable[[Connection, Dialect], T]) -> T:
        """Run a query that differs between databases. Raises Unavailable."""
        dialect = self._database.dialect
        return await self.read(lambda connection: query(connection, dialect))

    async def work(self, function: Callable[[], T]) -> T:
        """Run a function that would block the loop for too long."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def close(self) -> None:
        """Wait for running queries, then end the threads."""
        self._threads.shutdown()
