"""One program: its path, the reader's findings, its text, its revisions."""

from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QWidget,
)

from cnc_station.engine.views import ProgramDetail, ProgramFinding, ProgramRow, Telemetry, Toolpath
from cnc_station.ui import assumptions, formatting, reading_text
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.set_up.panel import SetUpPanel
from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.card import Card
from cnc_station.ui.widgets.code_view import CodeView
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.literal import plain, set_tip
from cnc_station.ui.widgets.tabs import TabStack
from cnc_station.ui.widgets.text import ElidedLabel, Note, Text
from cnc_station.ui.widgets.toolpath import ToolpathView

_FINDINGS_HIGH = 3
_SHARES = (240, 300)
_ERROR = "error"


class ProgramDetailCard(Card):
    """Shows a program; the page connects its buttons."""

    revision_chosen = Signal(str)  # the SHA-256

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._now = context.now
        self.set_up = SetUpPanel(context)
        self.shown: ProgramDetail | None = None
        self._toolpath: Toolpath | None = None
        self._ends: list[tuple[int, int]] = []  # line, the last point it leads to
        self._name = ElidedLabel("", Role.CARD_TITLE)
        self._about = ElidedLabel("", Role.NOTE, Ink.MUTED)
        self.reading = Note()
        self.reading.hide()
        self.assumes = Note()
        self.assumes.hide()
        self.path = ToolpathView()
        self.code = CodeView()
        self.code.line_changed.connect(self._show_tool_at)
        self.findings = QListWidget()
        self.findings.setAccessibleName(self.tr("Warnings on lines"))
        self.findings.setWordWrap(True)
        self.findings.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.findings.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.findings.itemClicked.connect(self._to_line)
        self.findings.itemActivated.connect(self._to_line)
        self._clean = Text(self.tr("No warnings."), Role.NOTE, Ink.MUTED)
        head = (self._name, self._about, self.reading, self.assumes)
        fill(self.body, *head, 4, self._buttons(), 4, (self._reading(), 1))
        theme().changed.connect(self._fit_findings)

    def _buttons(self) -> QHBoxLayout:
        self.revisions = QComboBox()
        self.revisions.setAccessibleName(self.tr("Revision"))
        self.revisions.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.revisions.activated.connect(self._choose_revision)
        self.jobs_button = Button("")
        self.new_job_button = PrimaryButton(self.tr("New job from this program"))
        return hbox(
            self.new_job_button, self.jobs_button, STRETCH, self.revisions, gap=theme().metrics.gap
        )

    def _reading(self) -> QSplitter:
        below = QWidget()
        vbox(self._clean, self.findings, (self.code, 1), on=below, gap=6)
        self.parts = TabStack()
        self.parts.add("text", self.tr("Program"), below)
        self.parts.add("set-up", self.tr("Set-up"), self.set_up)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.path)
        splitter.addWidget(self.parts)
        splitter.setSizes(list(_SHARES))
        return splitter

    def show_program(self, program: ProgramDetail) -> None:
        """Show a program; the same one again keeps the place in its text."""
        same = self.shown is not None and self.shown.row.sha256 == program.row.sha256
        self.shown = program
        row = program.row
        self.set_up.show_program(row.sha256)
        self._name.setText(row.name)
        self._about.setText(self._said(row, doubtful=program.doubtful))
        set_tip(self._about, f"SHA-256 {row.sha256}")
        self.reading.setText(reading_text.read_as(program.reading))
        set_tip(self.reading, reading_text.reasons(program.reading))
        self.reading.setVisible(bool(self.reading.text()))
        self.assumes.setText(assumptions.assumes(program.assumes))
        set_tip(self.assumes, assumptions.assumes_in_full(program.assumes))
        self.assumes.setVisible(bool(self.assumes.text()))
        self.jobs_button.setText(self.tr("Jobs: {count}").format(count=f"{row.jobs:,}"))
        self.jobs_button.setEnabled(row.jobs > 0)
        self._show_revisions(program.revisions, row.sha256)
        if not same:
            self.show_path(None)
            self._show_text(program)

    def show_path(self, path: Toolpath | None) -> None:
        """Show the toolpath; moving through the text moves the tool on it."""
        self._toolpath = path
        ends = {line: at for at, line in enumerate(path.line)} if path else {}
        self._ends = sorted(ends.items())
        self.path.show_path(path)

    def _show_tool_at(self, line: int) -> None:
        """Show the tool at the end of this line."""
        path = self._toolpath
        place = bisect_right(self._ends, line, key=itemgetter(0)) - 1
        if path is None or place < 0 or not path.duration_s:
            self.path.show_tool(None)
            return
        at = self._ends[place][1]
        done = path.seconds[at] / path.duration_s
        x, y, z = path.x[at], path.y[at], path.z[at]
        self.path.show_tool(Telemetry(line=line, x=x, y=y, z=z, part_fraction=done))

    def _said(self, row: ProgramRow, *, doubtful: bool) -> str:
        lines = self.tr("{lines} lines").format(lines=f"{row.lines:,}")
        time_text = reading_text.time_a_part(row.duration_s, doubtful=doubtful)
        time = self.tr("{time} a part").format(time=time_text)
        when = formatting.moment(row.added_at, self._now())
        added = self.tr("added {when} by {who}").format(when=when, who=row.added_by)
        return " · ".join((lines, time, added, row.sha256[:12]))

    def _show_revisions(self, revisions: Sequence[ProgramRow], sha256: str) -> None:
        with QSignalBlocker(self.revisions):
            self.revisions.clear()
            for row in revisions:
                when = formatting.moment(row.added_at, self._now())
                self.revisions.addItem(f"r{row.revision} · {when}", row.sha256)
            self.revisions.setCurrentIndex(self.revisions.findData(sha256))
        self.revisions.setEnabled(len(revisions) > 1)

    def _choose_revision(self, place: int) -> None:
        self.revision_chosen.emit(self.revisions.itemData(place))

    def _show_text(self, program: ProgramDetail) -> None:
        tones = {finding.line: _tone(finding) for finding in program.findings}
        self.code.set_text(program.text, tones)
        self.findings.clear()
        for finding in program.findings:
            item = QListWidgetItem(plain(self._finding_words(finding)))
            item.setData(Qt.ItemDataRole.UserRole, finding.line)
            ink = Ink.ALARM if finding.severity == _ERROR else Ink.HELD
            item.setIcon(theme().icon("triangle-alert", ink, 16))
            set_tip(item, finding.message)
            self.findings.addItem(item)
        some = len(program.findings)
        self.findings.setVisible(some > 0)
        self._clean.setVisible(some == 0)
        self._fit_findings()

    def _fit_findings(self) -> None:
        rows = min(self.findings.count(), _FINDINGS_HIGH)
        self.findings.setFixedHeight(rows * theme().metrics.row + 2)

    def _finding_words(self, finding: ProgramFinding) -> str:
        if not finding.line:
            return finding.message
        words = self.tr("Line {line}: {message}")
        return words.format(line=f"{finding.line:,}", message=finding.message)

    def _to_line(self, item: QListWidgetItem) -> None:
        if line := item.data(Qt.ItemDataRole.UserRole):
            self.code.go_to(line)
            self.code.setFocus()


def _tone(finding: ProgramFinding) -> Tone:
    return Tone.ALARM if finding.severity == _ERROR else Tone.HELD
