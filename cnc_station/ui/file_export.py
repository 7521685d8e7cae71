"""Write files for the person at the window."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from cnc_station import private_files
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.queries import ExportJobs
from cnc_station.engine.views import JobFilter, Sort
from cnc_station.ui.file_dialogs import file_dialogs
from cnc_station.ui.page_context import PageContext


async def write_file(path: Path, content: bytes) -> None:
    """Write the file in a thread; in a private folder it is private too. Raises Unavailable with
    what to do."""
    mode = private_files.FILE_MODE if private_files.is_private(path.parent) else None
    try:
        await asyncio.to_thread(private_files.replace, path, content, mode)
    except OSError as error:
        said = QCoreApplication.translate(
            "Files", "{name} can't be written: {why}. Choose another place."
        )
        raise Unavailable(said.format(name=path, why=error.strerror or error)) from error


FORMS = {"csv": "CSV (*.csv)", "json": "JSON (*.json)"}


class JobExport(QObject):
    """Asks for a file name, then exports jobs while the window stays responsive."""

    def __init__(self, context: PageContext, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._window = window

    def ask(self, chosen: JobFilter, order: Sequence[Sort], form: str) -> QFileDialog:
        """Open the dialog for a file name; `form` is `csv` or `json`."""
        dialog = file_dialogs.make(self._window, self.tr("Export jobs"), FORMS[form])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(form)
        dialog.selectFile(f"jobs.{form}")
        dialog.fileSelected.connect(lambda name: self.write(chosen, order, form, Path(name)))
        dialog.open()
        return dialog

    def write(self, chosen: JobFilter, order: Sequence[Sort], form: str, path: Path) -> None:
        words = self.tr("Exporting to {name}…").format(name=path.name)
        self._context.operations.run(self._write(chosen, order, form, path), words)

    async def _write(self, chosen: JobFilter, order: Sequence[Sort], form: str, path: Path) -> None:
        content = await self._context.door.ask(ExportJobs(chosen, order, form))
        await write_file(path, content)
        done = self.tr("Exported to {name}, {size}")
        size = f"{len(content) / 1024:,.0f} KiB"
        self._context.operations.say(done.format(name=path.name, size=size))
