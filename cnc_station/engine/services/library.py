"""Stored programs, read and ready to run. The last used ones stay in memory."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.nc import Dialect, Limits, Program, read
from cnc_station.engine.drivers.base import Order, RunFailed
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.programs import named_content

KEPT_IN_MEMORY = 32


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored program: its name, its exact bytes, and its moves."""

    name: str
    source: bytes
    program: Program


class Library:
    """Programs by SHA-256 and by the dialect of the machine. A stored program never changes.
    `dialect_of` returns the dialect of a machine; None: guess it from the program."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.dialect_of: Callable[[int | None], Dialect | None] = lambda _: None
        self._programs: OrderedDict[tuple[str, Dialect | None], Kept] = OrderedDict()

    async def kept(self, sha256: str, dialect: Dialect | None = None) -> Kept | None:
        key = (sha256, dialect)
        if key in self._programs:
            self._programs.move_to_end(key)
            return self._programs[key]
        found = await self._reader.read(partial(named_content, sha256=sha256))
        if found is None:
            return None
        name, source = found
        work = partial(read, source, limits=Limits(dialect=dialect))
        kept = Kept(name, source, await self._reader.work(work))
        self._programs[key] = kept
        if len(self._programs) > KEPT_IN_MEMORY:
            self._programs.popitem(last=False)
        return kept

    async def order(self, claimed: Claimed) -> Order:
        """Return the order for an executor. Raises RunFailed."""
        dialect = self.dialect_of(claimed.machine_id)
        kept = await self.kept(claimed.program, dialect) if claimed.program else None
        if claimed.program and kept is None:
            raise RunFailed("its program is no longer kept")
        return Order(
            run_id=claimed.run_id,
            job_id=claimed.job_id,
            attempt=claimed.attempt,
            complexity=claimed.complexity,
            parts=claimed.quantity,
            estimated_s=claimed.estimated_s,
            name=kept.name if kept else claimed.name,
            program=kept.program if kept else None,
            source=kept.source if kept else None,
            part=claimed.parts_done + 1,
            payload=json_text.stored_object(claimed.payload) if claimed.handler else {},
            key=_key(claimed),
            trace_id=claimed.trace_id,
        )


def _key(claimed: Claimed) -> str:
    """Jobs may share a trace, and jobs of other databases may have the same numbers."""
    return f"{claimed.trace_id}-{claimed.job_id}-{claimed.created_at}-{claimed.token}"
