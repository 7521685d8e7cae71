"""The form for a new job, a copy, or a change. An error keeps everything typed."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from cnc_station.engine.commands import AddProgram, EditJob, SubmitJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import CncStationError, InvalidInput
from cnc_station.engine.outside_file import MOST_PROGRAM_BYTES, FileRefused, read_outside_file
from cnc_station.engine.queries import ListMachines, ListPrograms
from cnc_station.engine.views import JobDetail, ProgramRow
from cnc_station.ui import outcome_text
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.dialogs.job_fields import JobFields
from cnc_station.ui.formatting import duration, sentence
from cnc_station.ui.models.job_draft import JobDraft, draft_of
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button, PrimaryButton, add_key
from cnc_station.ui.widgets.card import scrolling
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.text import Text

_SIZE, _SIZE_TOUCH = (680, 730), (760, 760)
_ABOUT_FIELD = 24  # px that are shown beside a field with an error


class JobForm(Dialog):
    """Make it with `new`, `copy` or `change`, then `open()` it; `saved(job id)` when stored."""

    saved = Signal(int)

    def __init__(
        self,
        context: PageContext,
        parent: QWidget,
        *,
        title: str,
        draft: JobDraft,
        editing: JobDetail | None = None,
        retry: bool = False,
    ) -> None:
        super().__init__(title, parent)
        self._context = context
        self._editing = editing
        self._retry = retry
        self._before = draft
        self.fields = JobFields(context.now(), new=editing is None)
        self.fields.program.picked.connect(self._take_from_program)
        self.fields.program.file_chosen.connect(self._keep_file)
        self.banner = Text("", Role.NOTE, Ink.ALARM, wrap=True)
        self.banner.hide()
        self.last_error = Text(self._last_error(), Role.NOTE, Ink.ALARM, wrap=True, selectable=True)
        self.last_error.setVisible(bool(self.last_error.text()))
        self.submit = PrimaryButton(self._submit_words(), clicked=self._save)
        self.acting = [self.submit]
        self.submit.setDefault(True)
        self.as_draft = Button(self.tr("Keep as draft"), clicked=lambda: self._save(draft=True))
        self._place(title)
        self.fields.show_draft(draft)
        self.fields.name.setFocus()
        self._loading = [context.operations.run(self._load())]

    @classmethod
    def new(cls, context: PageContext, parent: QWidget, program: str | None = None) -> "JobForm":
        """The form for a new job, perhaps for a stored program."""
        title = parent.tr("New job")
        return cls(context, parent, title=title, draft=JobDraft(program=program))

    @classmethod
    def copy(cls, context: PageContext, parent: QWidget, detail: JobDetail) -> "JobForm":
        """The form for a copy of a job."""
        title = parent.tr("Copy of {name}").format(name=detail.row.title)
        return cls(context, parent, title=title, draft=replace(draft_of(detail), external_id=""))

    @classmethod
    def change(
        cls, context: PageContext, parent: QWidget, detail: JobDetail, *, retry: bool = False
    ) -> "JobForm":
        """The form for a job that is not at a machine; with `retry`, saving queues it again."""
        title = parent.tr("Edit {name}").format(name=detail.row.title)
        draft = draft_of(detail)
        return cls(context, parent, title=title, draft=draft, editing=detail, retry=retry)

    def _submit_words(self) -> str:
        if self._retry:
            return self.tr("Save and retry")
        return self.tr("Add the job") if self._editing is None else self.tr("Save")

    def _last_error(self) -> str:
        """What the person who retries a job has to put right."""
        if not self._retry or self._editing is None or not self._editing.row.last_error:
            return ""
        error = sentence(self._editing.row.last_error)
        runs = self._editing.runs
        if not runs:
            return self.tr("What happened: {error}").format(error=error)
        tried = self.tr("Attempt {n} on {machine}: {error}")
        return tried.format(n=runs[0].attempt, machine=runs[0].machine, error=error)

    def _place(self, title: str) -> None:
        self.fields.setProperty("part", "plain")
        area = scrolling(self.fields, right=0, focus=True)
        self.fields.wrong.connect(lambda field: area.ensureWidgetVisible(field, 0, _ABOUT_FIELD))
        self.as_draft.setVisible(self._editing is None)
        set_tip(self.submit, self.tr("Ctrl+Enter"))
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            add_key(self, self.submit.text(), keys, self._save)
        buttons = hbox(self.as_draft, STRETCH, self.cancel_button(), self.submit)
        head = Text(title, Role.PAGE_TITLE)
        margins = (20, 16, 20, 16)
        parts = (head, self.last_error, self.banner, (area, 1), buttons)
        vbox(*parts, on=self, gap=12, margins=margins)
        self.fit(_SIZE, _SIZE_TOUCH)

    @property
    def loaded(self) -> bool:
        """Whether everything it offers has arrived."""
        return all(task.done() for task in self._loading)

    async def _load(self) -> None:
        door = self._context.door
        machines, programs = await asyncio.gather(
            door.ask(ListMachines()), door.ask(ListPrograms())
        )
        types = [kind for kind, _ in Counter(m.spec.machine_type for m in machines).most_common()]
        materials = {m for machine in machines for m in machine.spec.capability.materials}
        self.fields.offer(types, sorted(materials))
        self.fields.program.offer(programs)
        if self._editing is None and not self.fields.machine_type.currentText() and types:
            self.fields.machine_type.setEditText(types[0])
        chosen = {row.sha256: row for row in programs}.get(self._before.program or "")
        if chosen is not None and not self._before.name:
            self._take_from_program(chosen)

    def _take_from_program(self, row: ProgramRow) -> None:
        """Take the estimate from the program, and its name if the job has none."""
        if row.duration_s > 0:
            self.fields.estimated.setText(duration(row.duration_s))
        if not self.fields.name.text().strip():
            self.fields.name.setText(Path(row.name).stem.replace("_", " ").capitalize())

    def _keep_file(self, path: Path) -> None:
        words = self.tr("Reading {name}…").format(name=path.name)
        self._loading.append(self._context.operations.run(self._keep(path), words))

    async def _keep(self, path: Path) -> None:
        field = self.fields.fields["program"]
        try:
            source = await read_outside_file(path, MOST_PROGRAM_BYTES)
            row = await self._context.door.execute(AddProgram(path.name, source))
        except FileRefused as error:
            field.set_error(error.sentence)
            return
        except InvalidInput as error:
            field.set_error("\n".join(str(fault) for fault in error.errors))
            return
        field.set_error("")
        self.fields.program.offer(await self._context.door.ask(ListPrograms()))
        self.fields.program.set_value(row.sha256)
        self._take_from_program(row)

    def _save(self, *, draft: bool = False) -> None:
        if not self._doing:
            self.do(self._context.operations, self._store(draft=draft), self.tr("Saving…"))

    async def _store(self, *, draft: bool) -> None:
        job_id = await (self._submit(draft=draft) if self._editing is None else self._change())
        self.saved.emit(job_id)

    def complain(self, error: CncStationError) -> None:
        """Show each error at its field, and the rest above them all."""
        faults = error.errors if isinstance(error, InvalidInput) else ()
        rest = [str(fault) for fault in self.fields.show_errors(faults)]
        words = " ".join(rest) if faults else str(error)
        self.banner.setText(words)
        self.banner.setVisible(bool(words))

    async def _submit(self, *, draft: bool) -> int:
        spec = self.fields.draft().spec(draft=draft)
        (job_id,) = await self._context.door.execute(SubmitJobs([spec]))
        done = self.tr("saved as a draft") if draft else self.tr("added")
        self._context.operations.say(f"{self.tr('Job')} {job_id}: {done}")
        return job_id

    async def _change(self) -> int:
        assert self._editing is not None
        row = self._editing.row
        changes = self.fields.draft().changes(self._before)
        if changes or self._retry:
            edit = EditJob(row.id, changes, version=row.version, retry=self._retry)
            await self._context.door.execute(edit)
            done = self.tr("changed") if changes else ""
            if self._retry:
                again = outcome_text.DONE[JobAction.RETRY]
                done = self.tr("changed, {again}").format(again=again) if changes else again
            self._context.operations.say(f"{self.tr('Job')} {row.id}: {done}")
        return row.id

    def done(self, result: int) -> None:
        for task in self._loading:
            task.cancel()
        super().done(result)
