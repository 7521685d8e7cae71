"""`import`: import a table of jobs, all of it or nothing."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from cnc_station.cli.client import client
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import print_json, print_table, progress, say
from cnc_station.engine.commands import ImportJobs
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.nc.names import is_program
from cnc_station.engine.door import Asks
from cnc_station.engine.outside_file import (
    MOST_TABLE_BYTES,
    read_outside_file,
)
from cnc_station.engine.programs_beside import programs_beside, store_programs
from cnc_station.engine.queries import PreviewImport
from cnc_station.engine.views import ImportPreview


async def import_table(call: Call) -> int:
    """Show the content of the table, and store its jobs unless only a preview is wanted."""
    path = Path(call.args.file)
    content = await read_outside_file(path, MOST_TABLE_BYTES)
    async with client(call.config) as door:
        if call.args.programs:
            folder = programs_in(Path(call.args.programs))
            await store_programs(door, {path.name: path for path in folder})
        async with progress("reading the table"):
            preview, beside = await _read(door, path, content, _pairs(call.args.map))
        if call.args.preview:
            _show(preview, beside, call)
            return Exit.OK if preview.ready else Exit.REFUSED
        if preview.ready:
            await store_programs(door, beside)
        async with progress("importing the table"):
            ids = await door.execute(ImportJobs(path.name, content, preview.mapping))
    if call.json:
        print_json({"ids": ids, **_counts(preview)})
    else:
        say(_done(preview, ids))
        _show_notes(preview)
    return Exit.OK


async def _read(
    door: Asks, path: Path, content: bytes, pairs: Mapping[str, str]
) -> tuple[ImportPreview, Mapping[str, Path]]:
    """Return the preview, and the programs beside the table that come along."""
    mapping: Mapping[str, str] | None = None
    preview = await door.ask(PreviewImport(path.name, content))
    if pairs:
        mapping = {**preview.mapping, **pairs}
        preview = await door.ask(PreviewImport(path.name, content, mapping))
    beside = await programs_beside(path, preview.missing)
    if beside:
        query = PreviewImport(path.name, content, mapping, beside=tuple(beside))
        preview = await door.ask(query)
    return preview, beside


def _counts(preview: ImportPreview) -> dict[str, int]:
    return {
        "created": preview.total - preview.stored,
        "changed": preview.changed,
        "unchanged": preview.stored - preview.changed - preview.kept,
        "kept": preview.kept,
    }


def _done(preview: ImportPreview, ids: Sequence[int]) -> str:
    span = f"{min(ids)} to {max(ids)}" if len(ids) > 1 else str(ids[0])
    if not preview.stored:
        return f"{len(ids)} jobs imported: {span}."
    counts = ", ".join(f"{count:,} {what}" for what, count in _counts(preview).items())
    return f"{len(ids)} jobs imported: {counts}."


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        field, equals, column = text.partition("=")
        if not equals:
            raise InvalidInput(FieldError("map", f"{text} is not FIELD=COLUMN"))
        pairs[field.strip()] = column.strip()
    return pairs


def _show(preview: ImportPreview, beside: Mapping[str, Path], call: Call) -> None:
    if call.json:
        print_json(preview)
        return
    meaning = {column: field for field, column in preview.mapping.items()}
    if preview.shape:
        say(f"Read as an export of {preview.shape}.")
    print_table(
        [f"{name} = {meaning[name]}" if name in meaning else name for name in preview.columns],
        preview.rows,
    )
    say(f"{preview.total} rows, {len(preview.issues)} issues.")
    if beside:
        say(f"{len(beside):,} programs that lie beside the table come along.")
    for change in preview.changes:
        changes = "; ".join(f"{label} {old} → {new}" for label, old, new in change.fields)
        kept = f" {change.kept} and stays as it is" if change.kept else ""
        say(f"row {change.row}: job {change.job_id}{kept}: {changes}")
    _show_notes(preview)


def _show_notes(preview: ImportPreview) -> None:
    for issue in (*preview.issues, *preview.notes):
        row = f"row {issue.row}" if issue.row else "table"
        place = f"{row}, {issue.column}" if issue.column else row
        say(f"{place}: {issue.message}", error=True)


_MOST_PROGRAMS = 10_000  # in one folder


def programs_in(folder: Path) -> list[Path]:
    """Return the NC files of a folder by name, without .txt files, which may be set-up sheets.
    Raises InvalidInput with the name of the folder."""
    try:
        found = (path for path in folder.iterdir() if is_program(path.name))
        paths = list(islice(found, _MOST_PROGRAMS + 1))
    except OSError as error:
        raise InvalidInput(FieldError(str(folder), f"can't be read: {error.strerror}")) from error
    if len(paths) > _MOST_PROGRAMS:
        raise InvalidInput(FieldError(str(folder), f"has more than {_MOST_PROGRAMS:,} programs"))
    return [path for path in sorted(paths) if path.suffix.lower() != ".txt"]
