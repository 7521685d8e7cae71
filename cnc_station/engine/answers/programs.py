"""Answers about programs and imported tables of jobs."""

from dataclasses import fields, replace
from functools import partial

from sqlalchemy import Connection

from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.answers.jobs import accepted
from cnc_station.engine.answers.tenants import refuse_other_tenants
from cnc_station.engine.services.programs import check_program
from cnc_station.engine.services.table_changes import with_changes
from cnc_station.engine.services.table_import import (
    ImportContext,
    Imported,
    by_name,
    read_jobs,
)
from cnc_station.engine.store.import_mappings import remembered_mappings
from cnc_station.engine.store.merge import MergeJobs
from cnc_station.engine.store.programs import AddProgram, content
from cnc_station.engine.store.queries import programs
from cnc_station.engine.store.queries.machine_rows import read_machines
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import (
    AddedProgram,
    ImportPreview,
    ProgramDetail,
    ProgramRow,
    Toolpath,
)


async def add_program(
    context: AnswerContext, command: commands.AddProgram, actor: str
) -> AddedProgram:
    """See `AddProgram`."""
    checked = await context.reader.work(partial(check_program, command.name, command.source))
    sha256, created = await context.writer.write(AddProgram(checked, actor))
    detail = await program_by_hash(context, queries.ProgramByHash(sha256))
    assert detail is not None
    values = {field.name: getattr(detail.row, field.name) for field in fields(ProgramRow)}
    return AddedProgram(**values, created=created)


async def import_jobs(
    context: AnswerContext, command: commands.ImportJobs, actor: str
) -> tuple[int, ...]:
    """See `ImportJobs`."""
    imported = await _read_table(context, command)
    specs = tuple(accepted(context, spec) for spec in imported.accepted())
    refuse_other_tenants(context, (spec.tenant for spec in specs))
    merge = MergeJobs(
        specs,
        imported.fields,
        actor,
        command.trace_id,
        imported.fingerprint,
        imported.preview.mapping,
    )
    ids = await context.writer.write(merge)
    context.tables.forget()
    return ids


async def preview_import(context: AnswerContext, query: queries.PreviewImport) -> ImportPreview:
    """See `PreviewImport`."""
    imported = await _read_table(context, query)
    if not any(spec.external_id for spec in imported.specs):
        return imported.preview
    compare = partial(with_changes, imported=imported, zone=context.zone)
    return await context.reader.read_in_dialect(compare)


def reading_progress(context: AnswerContext, query: queries.ReadingProgress) -> float | None:
    """See `ReadingProgress`."""
    return context.tables.progress(query.reading)


async def _read_table(
    context: AnswerContext, asked: queries.PreviewImport | commands.ImportJobs
) -> Imported:
    beside = frozenset(asked.beside) if isinstance(asked, queries.PreviewImport) else frozenset()
    shop = await context.reader.read(partial(_shop, context, beside))
    work = partial(read_jobs, asked.name, asked.content, shop, asked.mapping)
    return await context.tables.run(asked.reading, work)


def _shop(context: AnswerContext, beside: frozenset[str], connection: Connection) -> ImportContext:
    newest: dict[str, ProgramRow] = {}
    for row in programs.programs(connection):  # of each name the newest revision first
        newest.setdefault(row.name, row)
    machines = [row for row in read_machines(connection) if not row.removed]
    return ImportContext(
        now_ms(),
        context.zone,
        newest.get,
        by_name({row.name: row.id for row in machines}),
        {row.id: row.machine_type for row in machines},
        remembered_mappings(connection).get,
        beside,
    )


async def list_programs(
    context: AnswerContext, query: queries.ListPrograms
) -> tuple[ProgramRow, ...]:
    """See `ListPrograms`."""
    return await context.reader.read(partial(programs.programs, text=query.text))


async def program_by_hash(
    context: AnswerContext, query: queries.ProgramByHash
) -> ProgramDetail | None:
    """See `ProgramByHash`."""
    found = await context.reader.read(partial(programs.program_detail, sha256=query.sha256))
    if found is None:
        return None
    path = await context.reader.work(partial(context.paths.of, query.sha256))
    if path is None:
        return found
    return replace(found, assumes=path.assumes, reading=path.reading, doubtful=path.doubtful)


async def program_content(context: AnswerContext, query: queries.ProgramContent) -> bytes | None:
    """See `ProgramContent`."""
    return await context.reader.read(partial(content, sha256=query.sha256))


async def toolpath_by_hash(
    context: AnswerContext, query: queries.ToolpathByHash
) -> Toolpath | None:
    """See `ToolpathByHash`."""
    return await context.reader.work(partial(context.paths.of, query.sha256))
