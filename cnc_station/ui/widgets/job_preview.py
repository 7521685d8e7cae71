"""What a job's machine is doing: tool path, line, progress and time left."""

from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.states import LIVE_JOBS, JobState
from cnc_station.engine.views import JobRow, Telemetry, Toolpath
from cnc_station.ui import assumptions, formatting
from cnc_station.ui.theme import Ink, Role, Tone
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.progress import ProgressBar
from cnc_station.ui.widgets.text import ElidedLabel, Note
from cnc_station.ui.widgets.toolpath_camera import View
from cnc_station.ui.widgets.toolpath_canvas import ToolpathCanvas

_PICTURE_PX = 132


class JobPreview(QWidget):
    """A caption, the program's path and assumptions, and the progress at the machine."""

    def __init__(self) -> None:
        super().__init__()
        self._row: JobRow | None = None
        self.program: str | None = None
        self.caption = ElidedLabel("", Role.CAPTION, Ink.MUTED)
        self.picture = ToolpathCanvas()
        self.picture.setMinimumHeight(_PICTURE_PX // 2)
        self.picture.setMaximumHeight(_PICTURE_PX)
        self.assumes = Note()
        self.assumes.hide()
        self.left = ElidedLabel("", Role.STRONG)
        self.progress = ProgressBar()
        vbox(self.caption, self.picture, self.assumes, self.left, self.progress, on=self, gap=4)

    def show_job(self, row: JobRow) -> bool:
        """Show a job; return whether the caller must load another path (see `show_path`)."""
        self._row = row
        changed = row.program != self.program
        if changed:
            self.program = row.program
            self.show_path(None)
        self.picture.setVisible(row.program is not None)
        self.show_telemetry(None)
        return changed and row.program is not None

    def show_path(self, path: Toolpath | None) -> None:
        lathe = path is not None and path.lathe
        self.picture.show_path(path, View.LATHE if lathe else View.TOP)
        assumed = path.assumes if path is not None else ()
        self.assumes.setText(assumptions.assumes(assumed))
        set_tip(self.assumes, assumptions.assumes_in_full(assumed))
        self.assumes.setVisible(bool(self.assumes.text()))

    def show_telemetry(self, now: Telemetry | None) -> None:
        row = self._row
        if row is None:
            return
        live = row.state in LIVE_JOBS
        self.picture.show_tool(now if live else None)
        self.caption.setText(" · ".join(self._caption_parts(row, now if live else None)))
        self.left.setVisible(live)
        self.progress.setVisible(live)
        if live:
            self.left.setText(self._left(row, now))
            tone = Tone.HELD if row.state is JobState.HELD else Tone.RUNNING
            self.progress.set_fraction(now.fraction if now else None, tone)

    def _caption_parts(self, row: JobRow, now: Telemetry | None) -> list[str]:
        if row.program is None:
            each = formatting.duration(row.estimated_s)
            program = self.tr("No program · {time} a part").format(time=each)
        else:
            program = f"{row.program_name} r{row.program_revision}"
        return [*self._live_parts(now), program] if now is not None else [program]

    def _live_parts(self, now: Telemetry) -> list[str]:
        parts = []
        if now.line is not None:
            of = f" of {now.lines:,}" if now.lines else ""
            parts.append(self.tr("line {line:,}{of}").format(line=now.line, of=of))
        if now.feed_mm_min is not None:
            parts.append(f"F {now.feed_mm_min:,.0f}")
        if now.spindle_rpm is not None:
            parts.append(f"S {now.spindle_rpm:,.0f}")
        if now.tool is not None:
            parts.append(f"T{now.tool}")
        return parts

    def _left(self, row: JobRow, now: Telemetry | None) -> str:
        if now is None:
            return row.next
        parts = []
        if now.remaining_s is not None:
            parts.append(self.tr("{time} left").format(time=formatting.duration(now.remaining_s)))
        parts.append(formatting.percent(now.fraction))
        if now.parts > 1:
            parts.append(self.tr("part {part} of {parts}").format(part=now.part, parts=now.parts))
        return " · ".join(parts)
