"""One job that needs a person: what happened, every attempt, and what can be done about it."""

import json
import re
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import JobDetail, JobRow, ProgramDetail, RunRow, Status
from cnc_station.ui import formatting
from cnc_station.ui.theme import Ink, Role, Tone
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.card import Card, rule, scrolling
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.code_view import CodeView
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.text import ElidedLabel, Note, Text, restyle

_LINE = re.compile(r"\bline (\d[\d,]*)", re.IGNORECASE)
_HOLD_S = 1.0
_EXCERPT_HEIGHT = 116
_BUTTONS = "buttons"


def line_of(error: str) -> int | None:
    """The line of the program that an error names."""
    found = _LINE.search(error)
    return int(found[1].replace(",", "")) if found else None


class AttentionDetail(Card):
    """Shows a job; the page connects its buttons."""

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__()
        self._now = now
        self.shown: JobDetail | None = None
        self._guard = TapGuard(self)
        self._picked: int | None = None
        self._name = ElidedLabel("", Role.CARD_TITLE)
        self._chip = StateChip(look_of(JobState.NEEDS_ATTENTION))
        self._about = ElidedLabel("", Role.NOTE, Ink.MUTED)
        head = hbox((self._name, 1), self._chip)
        fill(self.body, head, self._about, 8, self._buttons(), 8, (self._scrolled(), 1))

    def _buttons(self) -> QVBoxLayout:
        self.retry_button = PrimaryButton(self.tr("Retry"))
        self.edit_button = Button(self.tr("Edit and retry…"))
        self.scrap_button = Button(self.tr("Scrap, make another"))
        complete, discard = self.tr("It is complete: hold 1 s"), self.tr("Discard: hold 1 s")
        self.accept_button = HoldButton(complete, seconds=_HOLD_S, danger=False)
        self.discard_button = HoldButton(discard, seconds=_HOLD_S)
        first = (self.retry_button, self.edit_button, self.scrap_button)
        second = (self.accept_button, self.discard_button)
        self._guarded = (*first, *second)
        for button in (self.edit_button, self.scrap_button):
            button.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.MinimumExpanding)
        rows = (hbox(*((button, 1) for button in row), gap=8) for row in (first, second))
        return vbox(*rows, gap=8)

    def _scrolled(self) -> QScrollArea:
        self.advice = Text("", Role.NOTE, Ink.MUTED, wrap=True, selectable=True)
        self.error = Text("", Role.STRONG, Ink.ALARM, wrap=True, selectable=True)
        self.known = KeyValue()
        self.excerpt = CodeView()
        self.excerpt.setFixedHeight(_EXCERPT_HEIGHT)
        self.excerpt.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.excerpt.hide()
        self._attempts = vbox(gap=6)
        self._attempts_title = Text("", Role.STRONG)
        self._payload_title = Text(self.tr("Extra data"), Role.STRONG)
        self.payload = CodeView()
        self.payload.setAccessibleName(self.tr("Extra data"))
        self.more_button = Button(self.tr("All about this job"))
        inner = QWidget()
        vbox(
            self.error,
            self.advice,
            self.known,
            self.excerpt,
            rule(),
            self._attempts_title,
            self._attempts,
            rule(),
            self._payload_title,
            self.payload,
            (self.more_button, 0, Qt.AlignmentFlag.AlignLeft),
            STRETCH,
            on=inner,
            gap=8,
        )
        return scrolling(inner, focus=True)

    def show_job(
        self, job: JobDetail, program: ProgramDetail | None, status: Status | None = None
    ) -> None:
        """Show a job; `program` is set if its error names a line of it, `status` is the status of
        its machine's controller now."""
        row = job.row
        self._guard_buttons(row)
        same_runs = self.shown is not None and self.shown.runs == job.runs
        self.shown = job
        self._name.setText(row.title)
        self._chip.set_look(look_of(row.state), formatting.lasted(row.state_since, self._now()))
        self._about.setText(self._summary(job))
        interrupted = row.state is JobState.INTERRUPTED
        for button in (self.accept_button, self.scrap_button):
            button.setVisible(interrupted)
        self.edit_button.setVisible(not interrupted)
        retry, discard = self.tr("Retry"), self.tr("Discard: hold 1 s")
        self.retry_button.setText(self.tr("Run again from line 1") if interrupted else retry)
        self.discard_button.setText(self.tr("Cancel: hold 1 s") if interrupted else discard)
        self.known.set_pairs(self._facts_of(job, status) if interrupted else ())
        self.known.setVisible(interrupted)
        # An interrupted part has no obvious next step: look at it first.
        restyle(self.retry_button, kind="" if interrupted else "primary")
        self.error.setText(formatting.sentence(row.last_error) or self.tr("No reason was given."))
        self.advice.setText(self._advice_for(job))
        self._show_line(row.last_error, program)
        if not same_runs:
            self._show_attempts(job.runs)
        self._show_payload(job)

    def picked(self, job_id: int) -> None:
        """A person has chosen the job that is shown next."""
        self._picked = job_id

    def opened(self) -> None:
        self._guard.opened()

    @property
    def is_settled(self) -> bool:
        """Whether the buttons have been on view long enough for a deliberate tap."""
        return self._guard.is_settled(_BUTTONS)

    def _guard_buttons(self, row: JobRow) -> None:
        """When a job goes, the next takes its place without a choice by a person."""
        if self._picked == row.id:
            self._guard.forget()
        self._picked = None
        self._guard.show(_BUTTONS, (row.id, row.state), *self._guarded)

    def _facts_of(self, job: JobDetail, status: Status | None) -> list[tuple[str, str]]:
        """What matters for the decision about an unfinished part."""
        row, now = job.row, self._now()
        run = job.runs[0] if job.runs else None
        pairs = []
        if run is not None and run.started_at is not None:
            ended = run.ended_at if run.ended_at is not None else now
            began = formatting.moment(run.started_at, now)
            pairs.append((self.tr("It ran on"), run.machine))
            pairs.append((self.tr("Started"), began))
            pairs.append((self.tr("Last contact"), formatting.moment(ended, now)))
            lasted = formatting.lasted(run.started_at, ended)
            wanted = formatting.duration(row.estimated_s * row.quantity)
            ran = self.tr("{lasted} of about {wanted}").format(lasted=lasted, wanted=wanted)
            pairs.append((self.tr("It ran for"), ran))
        pairs.append((self.tr("Wanted"), formatting.parts(row.quantity)))
        if status is not None:
            says = " · ".join(word for word in (look_of(status.doing).word, status.why) if word)
            pairs.append((self.tr("The machine now"), says))
            if position := formatting.position(status.x, status.y, status.z):
                pairs.append((self.tr("Its position"), position))
        return pairs

    def clock_moved(self) -> None:
        if self.shown is not None:
            row = self.shown.row
            self._chip.set_look(look_of(row.state), formatting.lasted(row.state_since, self._now()))

    def _summary(self, job: JobDetail) -> str:
        row = job.row
        due = self.tr("due {due}").format(due=formatting.due(row.due_at, self._now()))
        parts = [
            self.tr("Job {id}").format(id=row.id),
            row.machine or row.machine_type,
            row.material,
            self.tr("{count} pieces").format(count=f"{row.quantity:,}") if row.quantity > 1 else "",
            self.tr("priority {priority}").format(priority=row.priority),
            due if row.due_at else "",
        ]
        return " · ".join(part for part in parts if part)

    def _advice_for(self, job: JobDetail) -> str:
        if job.row.state is JobState.INTERRUPTED:
            return self.tr(
                "It stopped half-way. Look at the part first, then decide. Run again starts the "
                "program from line 1; Scrap counts this part as lost and makes another."
            )
        if not job.runs or job.runs[0].error != job.row.last_error:
            return self.tr("An operator sent it here. Correct the cause, then retry it.")
        return self.tr("All its retries are used up. Correct the cause, then retry it.")

    def _show_line(self, error: str, program: ProgramDetail | None) -> None:
        line = line_of(error)
        if program is None or line is None or line > program.row.lines:
            self.excerpt.hide()
        else:
            self.excerpt.show()
            self.excerpt.set_text(program.text, {line: Tone.ALARM})
            self.excerpt.go_to(line)

    def _show_attempts(self, runs: tuple[RunRow, ...]) -> None:
        while (item := self._attempts.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._attempts_title.setText(self.tr("Attempts {count}").format(count=len(runs)))
        for run in runs:
            self._attempts.addWidget(_Attempt(run, self._now()))

    def _show_payload(self, job: JobDetail) -> None:
        text = json.dumps(dict(job.payload), indent=2, ensure_ascii=False) if job.payload else ""
        self._payload_title.setVisible(bool(text))
        self.payload.setVisible(bool(text))
        self.payload.setFixedHeight(min(240, 24 + 21 * (text.count("\n") + 1)))
        self.payload.set_text(text)


class _Attempt(QWidget):
    """One run: where, when, how long, and how it ended."""

    def __init__(self, run: RunRow, now: int) -> None:
        super().__init__()
        title = self.tr("Attempt {number} on {machine}")
        title = title.format(number=run.attempt, machine=run.machine)
        begun = run.started_at if run.started_at is not None else run.assigned_at
        when = Text(formatting.moment(begun, now), Role.NOTE, Ink.MUTED)
        head = hbox((ElidedLabel(title, Role.NOTE), 1), when)
        ended = run.ended_at if run.ended_at is not None else now
        lasted = formatting.lasted(begun, ended)
        ending = Text(f"{look_of(run.state).word} · {lasted}", Role.NOTE, Ink.MUTED)
        error = Note(formatting.sentence(run.error))
        error.setVisible(bool(run.error))
        self.setAccessibleName(f"{title}: {look_of(run.state).word}, {run.error}")
        vbox(head, ending, error, on=self, gap=1)
