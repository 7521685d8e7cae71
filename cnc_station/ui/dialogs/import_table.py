"""Import jobs from a table: map its columns, check its rows, import all or nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from PySide6.QtCore import QItemSelectionModel, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QTableView, QWidget

from cnc_station.engine.commands import ImportJobs
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.outside_file import MOST_TABLE_BYTES, FileRefused, read_outside_file
from cnc_station.engine.queries import PreviewImport, ReadingProgress
from cnc_station.engine.views import ImportIssue, ImportPreview
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.dialogs.import_preview import ImportMapping, PreviewModel
from cnc_station.ui.models.row_model import Column, RowList
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import PrimaryButton
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.progress import BusyBar
from cnc_station.ui.widgets.table import table_card
from cnc_station.ui.widgets.tabs import TabStack
from cnc_station.ui.widgets.text import Text

_SIZE = (1080, 660)
_FIRST_WIDTH = 170
_LOOK_EVERY_MS = 150
_ROWS, _PROBLEMS = "rows", "problems"


class ImportDialog(Dialog):
    """Previews a table and imports it; `imported` when it is stored."""

    imported = Signal(tuple)  # the ids of the jobs

    def __init__(
        self, context: PageContext, parent: QWidget | None, name: str, content: bytes
    ) -> None:
        super().__init__(self.tr("Import jobs"), parent)
        self.resize(*_SIZE)
        self.setAcceptDrops(True)
        self._context = context
        self._name = name
        self._content = content
        self._stale = False
        self._task: asyncio.Task[None] | None = None
        self._reading = uuid4().hex
        self._looks = QTimer(self, interval=_LOOK_EVERY_MS)
        self._looks.timeout.connect(self._show_progress)
        self.preview: ImportPreview | None = None
        self.mapping = ImportMapping()
        self.mapping.changed.connect(self._read)
        self.problems = RowList(self._columns(), lambda issue: issue, self)
        self._place()
        self._read()

    def _columns(self) -> tuple[Column[ImportIssue], ...]:
        return (
            Column(
                self.tr("Row"), lambda i: f"{i.row:,}" if i.row else formatting.NONE, 64, right=True
            ),
            Column(self.tr("Column"), lambda i: i.column or formatting.NONE, 150, strong=True),
            Column(self.tr("What is wrong"), lambda i: i.message, ink=lambda _: Ink.ALARM),
        )

    def _place(self) -> None:
        self.rows = QTableView()
        self.rows.setProperty("part", "bare")
        self.rows.setAccessibleName(self.tr("The first rows of the table"))
        self.rows.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.rows.setShowGrid(False)
        self.rows.setWordWrap(False)
        self.rows.setTabKeyNavigation(False)
        self.rows.verticalHeader().setDefaultSectionSize(theme().metrics.row)
        self.problem_table = ListTable(self.problems, self.tr("What is wrong, row by row"))
        self.problem_table.opened.connect(self._to_row)
        right = TabStack()
        self.tabs = right.tabs
        for key, label, table in (
            (_ROWS, self.tr("First rows"), self.rows),
            (_PROBLEMS, self.tr("Problems"), self.problem_table),
        ):
            right.add(key, label, table_card(table))
        middle = hbox(self.mapping, (right, 1), gap=16)
        self.summary = Text("", Role.BODY, Ink.MUTED, wrap=True)
        box = vbox(on=self, gap=12, margins=16)
        self.title = Text(self.tr("Import {name}").format(name=self._name), Role.PAGE_TITLE)
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
                query = PreviewImport(self._name, self._content, chosen, self._reading)
                preview = await self._context.door.ask(query)
            except CncStationError as error:
                self._finish()
                self._say(str(error), Ink.ALARM)
            else:
                self._finish()
                self.show_preview(preview)

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
        before = self.rows.model()
        self.rows.setModel(PreviewModel(preview, self))
        if preview.columns:
            self.rows.setColumnWidth(0, _FIRST_WIDTH)
        if before is not None:
            before.deleteLater()
        self.problems.take(preview.issues)
        self.tabs.set_count(_PROBLEMS, len(preview.issues) or None)
        self.tabs.choose(_PROBLEMS if preview.issues else _ROWS)
        count = f"{preview.total:,}"
        if preview.ready:
            ready = self.tr("{count} rows ready to import. Look at the first ones, then import.")
            self._say(" ".join((ready.format(count=count), *self._notes(preview))), Ink.MUTED)
            self.import_button.setText(self.tr("Import {count} jobs").format(count=count))
        else:
            wrong = self.tr(
                "Nothing is imported while something is wrong: choose other columns, or correct "
                "the file and drop it again."
            )
            self._say(wrong, Ink.ALARM)
            self.import_button.setText(self.tr("Import"))
        self.import_button.setEnabled(preview.ready and not self._stale)

    def _notes(self, preview: ImportPreview) -> Iterator[str]:
        """Yield the first note, and how many more there are."""
        for note in preview.notes[:1]:
            words = self.tr("Row {row}, {column}: {message}.")
            yield words.format(row=note.row, column=note.column, message=note.message)
        if more := len(preview.notes[1:]):
            yield self.tr("{count} more rows have such notes.").format(count=f"{more:,}")

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
        self._name = path.name
        self.title.setText(self.tr("Import {name}").format(name=self._name))
        if self.preview is not None and not self.preview.columns:
            self.preview = None
        self._read()

    def _say(self, sentence: str, ink: Ink) -> None:
        self.summary.set_ink(ink)
        self.summary.setText(sentence)

    def _to_row(self, issue: ImportIssue) -> None:
        """Scroll to a problem's row if the preview has it."""
        model = self.rows.model()
        if 0 < issue.row <= model.rowCount():
            self.tabs.choose(_ROWS)
            index = model.index(issue.row - 1, 0)
            flags = QItemSelectionModel.SelectionFlag
            self.rows.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.rows.scrollTo(index)

    def _import(self) -> None:
        self.do(self._context.operations, self._store(self.mapping.mapping), "")

    async def _store(self, mapping: dict[str, str]) -> None:
        operations = self._context.operations
        self._start(self.tr("Importing…"))
        command = ImportJobs(self._name, self._content, mapping, self._reading)
        try:
            ids = await self._context.door.execute(command)
        finally:
            if not self._over:
                self._finish()
        done = self.tr("{count} jobs imported from {name}")
        operations.say(done.format(count=f"{len(ids):,}", name=self._name))
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
