"""The intake half of the door: programs and tables of jobs."""

from collections.abc import Mapping
from functools import partial

from sqlalchemy import Connection

from cnc_station.engine.domain.event import Actor
from cnc_station.engine.queries import StationQueries
from cnc_station.engine.services.programs import check_program
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.table_import import ImportContext, Imported, read_jobs
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.programs import AddProgram
from cnc_station.engine.store.queries.machine_rows import machines
from cnc_station.engine.store.queries.programs import programs
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import ImportPreview, ProgramRow


class StationIntake(StationQueries):
    """Implements the intake commands of `Commands`."""

    _writer: RetryingWriter

    async def add_program(self, name: str, source: bytes, actor: Actor) -> ProgramRow:
        """See `Commands.add_program`."""
        kept = await self._reader.work(partial(check_program, name, source))
        sha256 = await self._writer.write(AddProgram(kept, actor.name))
        detail = await self.program(sha256)
        assert detail is not None
        return detail.row

    async def preview_import(
        self,
        name: str,
        content: bytes,
        mapping: Mapping[str, str] | None = None,
    ) -> ImportPreview:
        """See `Commands.preview_import`."""
        return (await self._read_table(name, content, mapping)).preview

    async def import_jobs(
        self, name: str, content: bytes, mapping: Mapping[str, str] | None, actor: Actor
    ) -> tuple[int, ...]:
        """See `Commands.import_jobs`."""
        imported = await self._read_table(name, content, mapping)
        return await self._writer.write(CreateJobs(imported.accepted(), actor.name))

    async def _read_table(
        self, name: str, content: bytes, mapping: Mapping[str, str] | None
    ) -> Imported:
        shop = await self._reader.read(self._shop)
        return await self._reader.work(partial(read_jobs, name, content, shop, mapping))

    def _shop(self, connection: Connection) -> ImportContext:
        newest: dict[str, ProgramRow] = {}
        for row in programs(connection):  # of each name the newest revision first
            newest.setdefault(row.name, row)
        by_name = {machine.spec.name: machine.id for machine in machines(connection)}
        return ImportContext(now_ms(), self._zone, newest.get, by_name.get)
