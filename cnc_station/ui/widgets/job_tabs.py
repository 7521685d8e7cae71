"""The details of a job in tabs: timeline, runs, program, payload, fields."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from cnc_station.engine.domain.event import Event
from cnc_station.engine.views import JobDetail, ProgramDetail, Telemetry
from cnc_station.ui.models.job_draft import pretty
from cnc_station.ui.models.job_text import entries, fields, run_entries
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.set_up.panel import SetUpPanel
from cnc_station.ui.theme import Ink, Role, Tone
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.card import scrolling
from cnc_station.ui.widgets.code_view import CodeView
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.tabs import TabStack
from cnc_station.ui.widgets.text import Note, Text, restyle
from cnc_station.ui.widgets.timeline import Timeline

TIMELINE, RUNS, SET_UP = "timeline", "runs", "set-up"
PROGRAM, PAYLOAD, FIELDS = "program", "payload", "fields"
_MARKS = {"error": Tone.ALARM, "warning": Tone.HELD}


class JobTabs(TabStack):
    """Shows a job's detail and events; `program_wanted` when the program's text must be loaded."""

    program_wanted = Signal()

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self.timeline = Timeline()
        self.runs = Timeline()
        self.runs.setAccessibleName(self.tr("Runs, oldest first"))
        self.set_up = SetUpPanel(context)
        self.code = CodeView()
        self.program = _ProgramTab(self.code)
        self.payload = _PayloadTab()
        self.fields = KeyValue()
        for key, title, widget in (
            (TIMELINE, self.tr("Timeline"), self.timeline),
            (RUNS, self.tr("Runs"), self.runs),
            (SET_UP, self.tr("Set-up"), self.set_up),
            (PROGRAM, self.tr("Program"), self.program),
            (PAYLOAD, self.tr("Extra data"), self.payload),
            (FIELDS, self.tr("Details"), scrolling(self.fields)),
        ):
            self.add(key, title, widget)
        restyle(self.tabs, room="narrow")
        self.tabs.chosen.connect(self._show)

    def show_events(
        self, events: Sequence[Event], detail: JobDetail, machines: Mapping[int, str], now: int
    ) -> None:
        self.timeline.set_entries(entries(events, machines, now))
        self.runs.set_entries(run_entries(detail.runs, now))
        self.tabs.set_count(RUNS, len(detail.runs) or None)
        self.payload.show_payload(detail.payload)
        self.fields.set_pairs(fields(detail, machines, now))
        if detail.row.program is None:
            self.program.show_none()

    def show_telemetry(self, now: Telemetry | None) -> None:
        """Follow the machine's current line, unless the user is reading the text."""
        if now is not None and now.line is not None and not self.code.hasFocus():
            self.code.go_to(now.line)

    def _show(self, key: str) -> None:
        if key == PROGRAM:
            self.program_wanted.emit()


class _ProgramTab(QWidget):
    opened = Signal()

    def __init__(self, code: CodeView) -> None:
        super().__init__()
        self._code = code
        self._words = Note()
        self._open = Button(self.tr("Open the program"), clicked=self.opened)
        vbox(self._words, (code, 1), self._open, on=self)
        self.show_none()

    def show_none(self) -> None:
        self._words.setText(self.tr("No program: the job runs for its estimated time."))
        self._code.hide()
        self._open.hide()

    def show_program(self, program: ProgramDetail | None) -> None:
        if program is None:
            self._words.setText(self.tr("The program is no longer stored here."))
            self._code.hide()
            return
        row = program.row
        self._words.setText(
            self.tr("{name} r{revision} · {lines:,} lines · {findings} warnings").format(
                name=row.name,
                revision=row.revision,
                lines=row.lines,
                findings=len(program.findings),
            )
        )
        self._code.set_text(
            program.text, {f.line: _MARKS.get(f.severity, Tone.HELD) for f in program.findings}
        )
        self._code.show()
        self._open.show()


class _PayloadTab(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName(self.tr("Extra data as JSON"))
        self._none = Text(self.tr("This job has no payload."), Role.NOTE, Ink.MUTED)
        self._copy = Button(self.tr("Copy"), clicked=self.copy)
        box = vbox(self._none, (self.text, 1), self._copy, on=self)
        box.addStretch(0)

    def show_payload(self, payload: Mapping[str, object]) -> None:
        shown = pretty(payload)
        if shown != self.text.toPlainText():
            self.text.setPlainText(shown)
        self._none.setVisible(not shown)
        self.text.setVisible(bool(shown))
        self._copy.setVisible(bool(shown))

    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
