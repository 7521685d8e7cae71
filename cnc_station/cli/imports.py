"""`import`: import a table of jobs, all of it or nothing."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from cnc_station.cli.client import client
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import print_json, print_table, progress, say
from cnc_station.engine.commands import AddProgram, ImportJobs
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.nc.names import is_program
from cnc_station.engine.door import Asks
from cnc_station.engine.outside_file import (
    MOST_PROGRAM_BYTES,
    MOST_TABLE_BYTES,
    FileRefused,
    read_outside_file,
)
from cnc_station.engine.queries import PreviewImport
from cnc_station.engine.views import ImportPreview


async def import_table(call: Call) -> int:
    """Show the content of the table, and store its jobs unless only a preview is wanted."""
    path = Path(call.args.file)
    content = await read_outside_file(path, MOST_TABLE_BYTES)
    async with client(call.config) as door:
        if call.args.programs:
            await _keep_programs(door, call)
        async with progress("reading the table"):
            preview = await door.ask(PreviewImport(path.name, content))
            if call.args.map:
                mapping = {**preview.mapping, **_pairs(call.args.map)}
                preview = await door.ask(PreviewImport(path.name, content, mapping))
        if call.args.preview:
            _show(preview, call)
            return Exit.OK if preview.ready else Exit.REFUSED
        async with progress("importing the table"):
            ids = await door.execute(ImportJobs(path.name, content, preview.mapping))
    if call.json:
        print_json({"ids": ids})
    else:
        span = f"{ids[0]} to {ids[-1]}" if len(ids) > 1 else str(ids[0])
        say(f"{len(ids)} jobs imported: {span}.")
    return Exit.OK


async def _keep_programs(door: Asks, call: Call) -> None:
    errors: list[FieldError] = []
    for path in programs_in(Path(call.args.programs)):
        try:
            source = await read_outside_file(path, MOST_PROGRAM_BYTES)
            await door.execute(AddProgram(path.name, source))
        except FileRefused as error:
            errors += error.errors
        except InvalidInput as error:
            errors += [
                FieldError(f"{path.name}, {item.field}", item.reason) for item in error.errors
            ]
    if errors:
        raise InvalidInput(*errors)


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        field, equals, column = text.partition("=")
        if not equals:
            raise InvalidInput(FieldError("map", f"{text} is not FIELD=COLUMN"))
        pairs[field.strip()] = column.strip()
    return pairs


def _show(preview: ImportPreview, call: Call) -> None:
    if call.json:
        print_json(preview)
        return
    meaning = {column: field for field, column in preview.mapping.items()}
    print_table(
        [f"{name} = {meaning[name]}" if name in meaning else name for name in preview.columns],
        preview.rows,
    )
    say(f"{preview.total} rows, {len(preview.issues)} issues.")
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
