"""The form of a schedule: its rule with the next times beside it, and the job that it makes."""

from collections.abc import Coroutine, Iterable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QTimer, QTimeZone, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from cnc_station.engine.commands import CreateSchedule, EditSchedule
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.job import MACHINE_PROGRAM, JobSpec
from cnc_station.engine.domain.schedule import CatchUp, Overlap, Schedule
from cnc_station.engine.queries import ListMachines, ListPrograms, PreviewSchedule
from cnc_station.engine.views import SchedulePreview, ScheduleRow
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.dialogs.form_dialog import FormDialog
from cnc_station.ui.dialogs.job_fields import JobFields
from cnc_station.ui.formatting import duration
from cnc_station.ui.models.job_draft import JobDraft, pretty, seconds
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.schedule_detail import catch_up_words, local_time, overlap_words
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.card import Card, rule
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.job_editors import DueField
from cnc_station.ui.widgets.layout import fill
from cnc_station.ui.widgets.text import Note, Text

EXAMPLES = ("0 6 * * 1-5", "30 2 * * *", "*/15 8-17 * * *", "0 0 1 * *", "@hourly", "@daily")
_NOT_IN_TEMPLATES = ("due_at", "after", "external_id")
_PREVIEW_MS = 250
_DENSE, _TOUCH = (820, 740), (900, 760)


class ScheduleForm(FormDialog):
    """Adds a schedule, or changes `row`. `saved(schedule id)` when it is stored."""

    saved = Signal(int)

    def __init__(
        self, context: PageContext, parent: QWidget | None, row: ScheduleRow | None = None
    ) -> None:
        title, save = self.tr("New schedule"), self.tr("Add schedule")
        if row is not None:
            title, save = self.tr("Edit {name}").format(name=row.spec.name), self.tr("Save")
        super().__init__(context.operations, title, save, parent)
        self._context = context
        self._row = row
        self._preview = CoalescedTask(context.operations, self._look, self, interval_ms=_PREVIEW_MS)
        self._typing = QTimer(self, singleShot=True, interval=_PREVIEW_MS)
        self._typing.timeout.connect(self._preview.request)
        self._make_editors(context.now())
        self._place()
        self._fill(row.spec if row else None)
        self.cron.currentTextChanged.connect(self._typing.start)
        self.zone.currentTextChanged.connect(self._typing.start)
        self.jitter.textChanged.connect(self._typing.start)
        self.handler.textChanged.connect(self._fit_job)
        self._fit_job()
        self._loading = context.operations.run(self._offer())
        self._preview.request()
        self.fit(_DENSE, _TOUCH)

    def _make_editors(self, now: int) -> None:
        self.name = QLineEdit()
        self.name.setMaxLength(200)
        self.cron = _combo(EXAMPLES)
        zones = sorted(bytes(zone.data()).decode() for zone in QTimeZone.availableTimeZoneIds())
        self.zone = _combo([zone for zone in zones if "/" in zone or zone == "UTC"])
        self.catch_up = _choice(list(catch_up_words().values()))
        self.overlap = _choice(list(overlap_words().values()))
        self.jitter = QLineEdit()
        self.starts, self.ends = DueField(now), DueField(now)
        self.handler = QLineEdit()
        self.job = JobFields(now, new=True)
        for name in _NOT_IN_TEMPLATES:
            self.job.fields[name].hide()
        self.words = Text("", Role.STRONG, wrap=True)
        self.times = Text("", Role.NOTE, selectable=True)
        self.warnings = Text("", Role.NOTE, Ink.HELD, wrap=True)
        self.clock_rule = Note()
        self.preview = Card()
        fill(self.preview.body, self.words, self.times, self.warnings, self.clock_rule)

    def _place(self) -> None:
        tr = self.tr
        five = tr("minute hour day month weekday; or @hourly, @daily, @weekly…")
        self.add("name", Field(tr("Name"), self.name, wanted=True), 0, 0, 2)
        self.add("cron", Field(tr("Rule"), self.cron, hint=five, wanted=True), 1, 0)
        self.add("time_zone", Field(tr("Time zone"), self.zone, wanted=True), 1, 1)
        self.place(self.preview, 2)
        self.add("catch_up", Field(tr("Times missed while nothing ran"), self.catch_up), 3, 0)
        self.add("overlap", Field(tr("While a job of it is open"), self.overlap), 3, 1)
        self.add("starts_at", Field(tr("From"), self.starts), 4, 0, 2)
        self.add("ends_at", Field(tr("Until"), self.ends), 5, 0, 2)
        jitter = tr("each job comes up to so much later; mm:ss, or minutes")
        self.add("jitter_s", Field(tr("Jitter"), self.jitter, hint=jitter), 6, 0)
        handler = tr("empty: a machine makes the job")
        self.add("job.handler", Field(tr("Handler"), self.handler, hint=handler), 6, 1)
        self.place(rule(), 7)
        self.place(Text(tr("The job it makes"), Role.CARD_TITLE), 8)
        self.job.setProperty("part", "plain")
        self.place(self.job, 9)
        self.fill_below()

    def _fill(self, spec: Schedule | None) -> None:
        if spec is None:
            self.cron.setEditText(EXAMPLES[0])
            self.zone.setEditText(bytes(QTimeZone.systemTimeZoneId().data()).decode())
            self.job.show_draft(JobDraft())
            return
        self.name.setText(spec.name)
        self.cron.setEditText(spec.cron)
        self.zone.setEditText(spec.time_zone)
        self.catch_up.setCurrentIndex(list(CatchUp).index(spec.catch_up))
        self.overlap.setCurrentIndex(list(Overlap).index(spec.overlap))
        self.jitter.setText(duration(spec.jitter_s) if spec.jitter_s else "")
        self.starts.set_value(spec.starts_at)
        self.ends.set_value(spec.ends_at)
        self.handler.setText("" if spec.job.handler == MACHINE_PROGRAM else spec.job.handler)
        self.job.show_draft(draft_of(spec.job))

    async def _offer(self) -> None:
        door = self._context.door
        machines = await door.ask(ListMachines())
        materials = {m for row in machines for m in row.spec.capability.materials}
        types = dict.fromkeys(row.spec.machine_type for row in machines)
        self.job.offer(list(types), sorted(materials))
        self.job.program.offer(await door.ask(ListPrograms()))
        if self._row is None and not self.job.machine_type.currentText() and types:
            self.job.machine_type.setEditText(next(iter(types)))

    def _fit_job(self) -> None:
        """Hide what only a machine needs."""
        at_machine = not self.handler.text().strip()
        for name in ("machine_type", "material", "complexity", "axes", "program", "operation"):
            self.job.fields[name].setVisible(at_machine)

    def _schedule(self, job: JobSpec) -> Schedule:
        """Return what is typed. Raises InvalidInput for a jitter that can't be read."""
        text = self.jitter.text().strip()
        try:
            jitter_s = seconds(text) if text else 0.0
        except ValueError as error:
            raise InvalidInput(FieldError("jitter_s", str(error))) from error
        return Schedule(
            name=self.name.text(),
            cron=self.cron.currentText(),
            time_zone=self.zone.currentText().strip(),
            job=job,
            catch_up=list(CatchUp)[self.catch_up.currentIndex()],
            overlap=list(Overlap)[self.overlap.currentIndex()],
            jitter_s=jitter_s,
            starts_at=self.starts.value,
            ends_at=self.ends.value,
            paused=self._row is not None and self._row.spec.paused,
        )

    def _job(self) -> JobSpec:
        """Return the template that is typed, with what the form does not show as it was. Raises
        InvalidInput."""
        draft = replace(self.job.draft(), due_at=None, after="")
        draft = replace(draft, name=draft.name or self.name.text())
        before = self._row.spec.job if self._row else JobSpec("")
        handler = self.handler.text().strip()
        if handler:
            draft = replace(
                draft, handler=handler, machine_type="", program=None, material="", operation=""
            )
            before = replace(before, pinned_machine_id=None, envelope=None)
        return replace(before, **draft.values())

    async def _look(self) -> None:
        """Show the next times of what is typed; a rule that can't be read is named at its field."""
        job = JobSpec("preview", handler="test.echo", estimated_s=0.0)
        try:
            spec = replace(self._schedule(job), name=self.name.text() or "preview")
            seen = await self._context.door.ask(PreviewSchedule(spec))
        except InvalidInput as refused:
            self._show_preview(None, refused.errors)
        else:
            self._show_preview(seen, ())

    def _show_preview(self, seen: SchedulePreview | None, errors: Iterable[FieldError]) -> None:
        said = {error.field: error.reason for error in errors}
        for name in ("cron", "time_zone", "jitter_s", "starts_at", "ends_at"):
            self.fields[name].set_error(said.get(name, ""))
        self.preview.setVisible(seen is not None)
        if seen is None:
            return
        self.words.setText(seen.words)
        self.times.setText("\n".join(local_time(time) for time in seen.times))
        self.warnings.setText("\n".join(seen.warnings))
        self.warnings.setVisible(bool(seen.warnings))
        self.clock_rule.setText(seen.rule)

    def storing(self) -> Coroutine[Any, Any, Any]:
        return self._store(self._schedule(self._job()).validated())

    async def _store(self, spec: Schedule) -> None:
        door = self._context.door
        if self._row is None:
            schedule_id = await door.execute(CreateSchedule(spec))
        else:
            schedule_id = self._row.id
            await door.execute(EditSchedule(schedule_id, spec, self._row.version))
        self.saved.emit(schedule_id)

    def tell(self, errors: Iterable[FieldError]) -> None:
        """Show the errors of the job at its own fields."""
        given = tuple(errors)
        of_job = [
            FieldError(error.field.removeprefix("job."), error.reason)
            for error in given
            if error.field not in self.fields
        ]
        rest = self.job.show_errors(of_job)
        super().tell([error for error in given if error.field in self.fields])
        self.trouble.setText("; ".join(str(error) for error in rest))

    def done(self, result: int) -> None:
        self._typing.stop()
        self._preview.stop()
        self._loading.cancel()
        super().done(result)


def draft_of(job: JobSpec) -> JobDraft:
    """The form's values for the template of a schedule."""
    same = ("name", "machine_type", "material", "complexity", "axes", "priority", "quantity")
    return JobDraft(
        **{name: getattr(job, name) for name in (*same, "program", "work_order", "operation")},
        **{name: getattr(job, name) for name in ("description", "notes", "customer", "tenant")},
        handler=job.handler,
        estimated_s=duration(job.estimated_s),
        retry_limit="" if job.retry_limit is None else str(job.retry_limit),
        timeout_s="" if job.timeout_s is None else duration(job.timeout_s),
        payload=pretty(job.payload),
    )


def _combo(values: Iterable[str]) -> QComboBox:
    combo = QComboBox()
    combo.setEditable(True)
    combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    combo.addItems(list(values))
    return combo


def _choice(words: Iterable[str]) -> QComboBox:
    combo = QComboBox()
    combo.addItems(list(words))
    return combo
