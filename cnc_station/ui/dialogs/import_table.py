"""Import jobs from a table: map its columns, check its rows, import all or nothing."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from cnc_station.engine.commands import ImportJobs
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.outside_file import MOST_TABLE_BYTES, FileRefused, read_outside_file
from cnc_station.engine.programs_beside import programs_beside, store_programs
from cnc_station.engine.queries import PreviewImport, ReadingProgress
from cnc_station.engine.views import ImportPreview
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.dialogs.import_lists import ImportLists
from cnc_station.ui.dialogs.import_preview import ImportMapping
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import PrimaryButton
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.progress import BusyBar
from cnc_station.ui.widgets.text import Text

_SIZE = (1080, 660)
_LOOK_EVERY_MS = 150


class ImportDialog(Dialog):
    """Previews a table and imports it; `imported` when it is stored."""

    imported = Signal(tuple)  # the ids of the jobs

    def __init__(
        self, context: PageContext, parent: QWidget | None, path: Path, content: bytes
    ) -> None:
        super().__init__(self.tr("Import jobs"), parent)
        self.resize(*_SIZE)
        self.setAcceptDrops(True)
        self._context = context
        self._path = path
        self._beside: Mapping[str, Path] = {}  # programs that come along
        self._content = content
        self._stale = False
        self._task: asyncio.Task[None] | None = None
        self._reading = uuid4().hex
        self._looks = QTimer(self, interval=_LOOK_EVERY_MS)
        self._looks.timeout.connect(self._show_progress)
        self.preview: ImportPreview | None = None
        self.mapping = ImportMapping()
        self.mapping.changed.connect(self._read)
        self._place()
        self._read()

    def _place(self) -> None:
        self.lists = ImportLists()
        middle = hbox(self.mapping, (self.lists, 1), gap=16)
        self.summary = Text("", Role.BODY, Ink.MUTED, wrap=True)
        box = vbox(on=self, gap=12, margins=16)
        self.title = Text(self.tr("Import {name}").format(name=self._path.name), Role.PAGE_TITLE)
        fill(box, self.title, self.summary, (middle, 1), self._foot())

    def _foot(self) -> QHBoxLayout:
        self.busy = BusyBar()
        self.import_button = PrimaryButton(self.tr("Import"), clicked=self._import)
        self.import_button.setEnabled(False)
        self.acting = [self.import_button, self.mapping]
        rule = Text(self.tr("Imports only if every row is valid."), Role.NOTE, Ink.MUTED)
        return hbox(rule, self.busy, STRETCH, self.cancel_button(), self.import_button)

    def _read(self) -> None:
        """Read the table with the current choices; one reading at a time."""
        self.import_button.setEnabled(False)
        self._stale = True
        if self._task is None or self._task.done():
            self._task = self._context.operations.run(self._look())

    async def _look(self) -> None:
        """When the dialog closes meanwhile this is cancelled at the await."""
        while self._stale:
            self._stale = False
            chosen = self.mapping.mapping if self.preview else None
            self._start(self.tr("Reading the table…"))
            try:
                preview = await self._preview(chosen)
            except CncStationError as error:
                self._finish()
                self._say(str(error), Ink.ALARM)
            else:
                self._finish()
                self.show_preview(preview)

    async def _preview(self, chosen: dict[str, str] | None) -> ImportPreview:
        """Return the preview. Programs that it misses come along if they lie beside the table."""
        self._beside = {}
        path = self._path
        query = PreviewImport(path.name, self._content, chosen, self._reading)
        preview = await self._context.door.ask(query)
        if preview.missing:
            beside = await programs_beside(path, preview.missing)
            if beside:
                preview = await self._context.door.ask(replace(query, beside=tuple(beside)))
                self._beside = beside
        return preview

    def _start(self, words: str) -> None:
        self.busy.start(words)
        self._looks.start()

    def _finish(self) -> None:
        self._looks.stop()
        self.busy.finish()

    def _part(self) -> float | None:
        """How much of the table is read; None if it is not being read."""
        return self._context.door.peek(ReadingProgress(self._reading))

    def _show_progress(self) -> None:
        part = self._part()
        if part is not None:
            self.busy.set_fraction(part)

    def show_preview(self, preview: ImportPreview) -> None:
        if self.preview is None:
            self.mapping.offer(preview.columns, preview.mapping)
        self.preview = preview
        self.mapping.ask(preview.asked)
        self.lists.show_preview(preview)
        if preview.ready:
            self._say(" ".join((self._ready(preview), *self._notes(preview))), Ink.MUTED)
        else:
            wrong = self.tr(
                "Nothing is imported while something is wrong: choose other columns, or fix the "
                "file and import it again."
            )
            self._say(wrong, Ink.ALARM)
        self.import_button.setText(self._action(preview))
        self.import_button.setEnabled(preview.ready and not self._stale)

    def _ready(self, preview: ImportPreview) -> str:
        """What is ready, in a sentence for each fact."""
        words = [self.tr("{count} rows ready to import.").format(count=f"{preview.total:,}")]
        if preview.shape:
            words.append(self.tr("Read as an export of {name}.").format(name=preview.shape))
        if preview.remembered:
            words.append(self.tr("Columns are those of the last import of such a table."))
        if self._beside:
            count = len(self._beside)
            along = self.tr("{count} programs beside the table come along.")
            one = self.tr("1 program beside the table comes along.")
            words.append(one if count == 1 else along.format(count=f"{count:,}"))
        if preview.stored:
            words.append(self._stored(preview))
        return " ".join(words)

    def _stored(self, preview: ImportPreview) -> str:
        """How many of the jobs are new, changed and so on, without those of which there is none."""
        same = preview.stored - preview.changed - preview.kept
        counts = (
            (preview.total - preview.stored, self.tr("{count} new")),
            (preview.changed, self.tr("{count} changed")),
            (same, self.tr("{count} unchanged")),
            (preview.kept, self.tr("{count} started or ended and left as they are")),
        )
        return ", ".join(words.format(count=f"{n:,}") for n, words in counts if n) + "."

    def _action(self, preview: ImportPreview) -> str:
        if not preview.ready:
            return self.tr("Import")
        new = f"{preview.total - preview.stored:,}"
        one = preview.total - preview.stored == 1
        if not preview.stored:
            return self.tr("Import 1 job") if one else self.tr("Import {n} jobs").format(n=new)
        words = self.tr("Import {new} new, change {changed}")
        return words.format(new=new, changed=f"{preview.changed:,}")

    def _notes(self, preview: ImportPreview) -> Iterator[str]:
        """Yield the first note, and how many more there are."""
        for note in preview.notes[:1]:
            row = self.tr("Row {row}").format(row=f"{note.row:,}") if note.row else ""
            where = ", ".join(part for part in (row, note.column) if part)
            message = note.message if where else note.message[:1].upper() + note.message[1:]
            yield f"{where}: {message}." if where else f"{message}."
        if more := len(preview.notes[1:]):
            yield self.tr("{count} more notes.").format(count=f"{more:,}")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = Path(event.mimeData().urls()[0].toLocalFile())
        event.acceptProposedAction()
        self.take(path)

    def take(self, path: Path) -> None:
        """Read another file; columns with the same names keep their mapping."""
        words = self.tr("Reading {name}…").format(name=path.name)
        self._context.operations.run(self._take(path), words)

    async def _take(self, path: Path) -> None:
        try:
            content = await read_outside_file(path, MOST_TABLE_BYTES)
        except FileRefused as error:
            self._say(error.sentence, Ink.ALARM)
            return
        if self._over or self._doing:
            return
        self._content = content
        self._path = path
        self.title.setText(self.tr("Import {name}").format(name=self._path.name))
        if self.preview is not None and not self.preview.columns:
            self.preview = None
        self._read()

    def _say(self, sentence: str, ink: Ink) -> None:
        self.summary.set_ink(ink)
        self.summary.setText(sentence)

    def _import(self) -> None:
        self.do(self._context.operations, self._store(self.mapping.mapping), "")

    async def _store(self, mapping: dict[str, str]) -> None:
        operations = self._context.operations
        self._start(self.tr("Importing…"))
        command = ImportJobs(self._path.name, self._content, mapping, self._reading)
        try:
            await store_programs(self._context.door, self._beside)
            ids = await self._context.door.execute(command)
        finally:
            if not self._over:
                self._finish()
        done = self.tr("{count} jobs imported from {name}")
        operations.say(done.format(count=f"{len(ids):,}", name=self._path.name))
        self.imported.emit(ids)

    def complain(self, error: CncStationError) -> None:
        self._say(str(error), Ink.ALARM)

    def reject(self) -> None:
        """Close. An import can be stopped while it reads its table: nothing is stored before."""
        if self._doing and self._work is not None and self._part() is not None:
            self._work.cancel()
            self._doing = False
        super().reject()

    def done(self, result: int) -> None:
        if self._task is not None:
            self._task.cancel()
        super().done(result)
