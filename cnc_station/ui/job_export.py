"""Writing a list of jobs into a file of the person's choice."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from cnc_station.engine.queries import ExportJobs
from cnc_station.engine.views import JobFilter, Sort
from cnc_station.ui.files import write_file
from cnc_station.ui.page_context import PageContext

FORMS = {"csv": "CSV (*.csv)", "json": "JSON (*.json)"}


class JobExport(QObject):
    """Asks for a name, then writes; the window stays alive meanwhile."""

    def __init__(self, context: PageContext, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._window = window

    def ask(self, chosen: JobFilter, order: Sequence[Sort], form: str) -> QFileDialog:
        """Opens the dialog for a file name; `form` is `csv` or `json`."""
        dialog = QFileDialog(self._window, self.tr("Export jobs"), "", FORMS[form])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(form)
        dialog.selectFile(f"jobs.{form}")
        dialog.fileSelected.connect(lambda name: self.write(chosen, order, form, Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    def write(self, chosen: JobFilter, order: Sequence[Sort], form: str, path: Path) -> None:
        """Writes the chosen jobs and says so."""
        words = self.tr("Exporting to {name} …").format(name=path.name)
        self._context.operations.run(self._write(chosen, order, form, path), words)

    async def _write(self, chosen: JobFilter, order: Sequence[Sort], form: str, path: Path) -> None:
        content = await self._context.door.ask(ExportJobs(chosen, order, form))
        await write_file(path, content)
        size = f"{len(content) / 1024:,.0f} KiB"
        self._context.operations.say(
            self.tr("Exported to {name}, {size}").format(name=path.name, size=size)
        )
