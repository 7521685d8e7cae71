"""Files dropped on the window: programs are stored, tables are imported."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from cnc_station.engine.commands import AddProgram
from cnc_station.engine.domain.errors import CncStationError, InvalidInput
from cnc_station.engine.domain.nc.names import is_program
from cnc_station.engine.outside_file import (
    MOST_PROGRAM_BYTES,
    MOST_TABLE_BYTES,
    FileRefused,
    read_outside_file,
)
from cnc_station.engine.views import ProgramRow
from cnc_station.ui.dialogs.import_table import ImportDialog
from cnc_station.ui.page_context import PageContext

TABLES = frozenset((".csv", ".xlsx"))


def take_files(context: PageContext, parent: QWidget, files: Sequence[Path]) -> None:
    """Store the programs and import a table. One program opens the form for its job, several
    open their page, a table opens its import. An error stays on view and stops none of the other
    files."""
    context.operations.run(_take(context, parent, files), _tr("Reading files…"))


async def _take(context: PageContext, parent: QWidget, files: Sequence[Path]) -> None:
    stored: list[ProgramRow] = []
    for path in files:
        kind = path.suffix.lower()
        try:
            content = await _content(path, kind)
            if kind in TABLES:
                _import(context, parent, path, content)
            else:
                stored.append(await context.door.execute(AddProgram(path.name, content)))
        except FileRefused as error:
            folder = _tr("{name} is a folder: drop the files in it.").format(name=path.name)
            context.operations.fail(folder if error.is_folder else error.sentence)
        except InvalidInput as refused:
            context.operations.fail(_refused(path.name, refused))
        except CncStationError as error:
            context.operations.fail(f"{path.name}: {error}")
    if stored:
        _open_next(context, stored)


async def _content(path: Path, kind: str) -> bytes:
    """The bytes of a program or a table. Raises FileRefused."""
    table = kind in TABLES
    content = await read_outside_file(path, MOST_TABLE_BYTES if table else MOST_PROGRAM_BYTES)
    if not table and not is_program(path.name):
        raise FileRefused(
            path,
            _tr(
                "is neither a program (.nc .ngc .tap .gcode .min .eia .mpf … or O1234) "
                "nor a table of jobs (.csv .xlsx)"
            ),
        )
    return content


def _refused(name: str, refused: InvalidInput) -> str:
    first, *others = refused.errors
    more = _tr(" (and {count} more)").format(count=len(others)) if others else ""
    return _tr("{name} was not imported: {why}").format(name=name, why=f"{first}{more}")


def _import(context: PageContext, parent: QWidget, path: Path, content: bytes) -> None:
    dialog = ImportDialog(context, parent, path, content)
    dialog.imported.connect(lambda _: context.navigator.to_page("jobs"))
    dialog.open()


def _open_next(context: PageContext, stored: Sequence[ProgramRow]) -> None:
    remarks = sum(row.warnings for row in stored)
    said = (
        f"{stored[0].name} r{stored[0].revision}"
        if len(stored) == 1
        else _tr("{count} programs").format(count=len(stored))
    )
    words = (
        _tr("{what}: stored, with warnings on {count} lines") if remarks else _tr("{what}: stored")
    )
    context.operations.say(words.format(what=said, count=remarks))
    if len(stored) == 1:
        context.navigator.new_job(stored[0].sha256)
    else:
        context.navigator.to_program(stored[-1].sha256)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Intake", text)
