"""The controller's current status: position, line, feed, spindle, overrides."""

from pathlib import PureWindowsPath

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from cnc_station.engine.views import Doing, Status, Telemetry
from cnc_station.ui import formatting
from cnc_station.ui.theme import Ink, Role, Tone
from cnc_station.ui.widgets.card import rule
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.progress import ProgressBar
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.text import ElidedLabel, Note, Text


class Reading(QWidget):
    """A name and a figure. Ten changes a second repaint the figure only."""

    def __init__(self, name: str, role: Role = Role.CARD_TITLE) -> None:
        super().__init__()
        self._name = name
        self._value = Text("", role)
        self._value.setAlignment(Qt.AlignmentFlag.AlignLeft)
        vbox(Text(name, Role.CAPTION, Ink.MUTED), self._value, on=self, gap=0)

    @property
    def value(self) -> str:
        return self._value.text()

    def show_value(self, value: str, ink: Ink = Ink.TEXT) -> None:
        """Show another figure; an empty one hides the reading."""
        if value != self._value.text():
            self._value.setText(value)
            self.setAccessibleName(f"{self._name}: {value}")
        self._value.set_ink(ink)
        if self.isHidden() is bool(value):
            self.setVisible(bool(value))


_COLUMNS = 3
_FULL = 1.0
_TOLERANCE = 0.005  # controllers report overrides in whole percent


class LivePanel(QWidget):
    """Shows a `Status` and the `Telemetry` of the active run; unknown values are hidden."""

    def __init__(self) -> None:
        super().__init__()
        self._nothing = Note()
        self._chip = StateChip(look_of(Doing.READY))
        self._program = ElidedLabel("", Role.NOTE, Ink.MUTED)
        tr = self.tr
        self.axes = {axis: Reading(f"{axis} mm", Role.PAGE_TITLE) for axis in "XYZ"}
        self.feed = Reading(tr("Feed mm/min"))
        self.spindle = Reading(tr("Spindle rpm"))
        self.tool = Reading(tr("Tool"))
        self.feed_override = Reading(tr("Feed override"))
        self.rapid_override = Reading(tr("Rapid override"))
        self.spindle_override = Reading(tr("Spindle override"))
        self.line = Reading(tr("Line"))
        self.parts = Reading(tr("Part"))
        self.left = Reading(tr("Left of this run"))
        self.counter = Reading(tr("Its part counter"))
        self._bar = ProgressBar()
        self._readings = QWidget()
        vbox(self._nothing, self._readings, STRETCH, on=self, gap=8, margins=(0, 8, 0, 0))
        self._place()

    def _place(self) -> None:
        head = hbox(self._chip, (self._program, 1), gap=10)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(10)
        rows = (
            tuple(self.axes.values()),
            (self.feed, self.spindle, self.tool),
            (self.feed_override, self.rapid_override, self.spindle_override),
            (self.line, self.parts, self.left),
            (self.counter,),
        )
        for row, readings in enumerate(rows):
            for column, reading in enumerate(readings):
                grid.addWidget(reading, row, column, Qt.AlignmentFlag.AlignTop)
        for column in range(_COLUMNS):
            grid.setColumnStretch(column, 1)
        vbox(head, rule(), grid, self._bar, on=self._readings, gap=10)

    def show_nothing(self, why: str) -> None:
        self._nothing.setText(why)
        self._nothing.show()
        self._readings.hide()

    def show_status(self, status: Status, run: Telemetry | None) -> None:
        """Show the latest status; `run` is None without an active run of this program."""
        self._nothing.hide()
        self._readings.show()
        self._chip.set_look(look_of(status.doing))
        self._program.setText(PureWindowsPath(status.program).name)  # accepts both kinds of slashes
        set_tip(self._program, status.program)
        for axis, place in (("X", status.x), ("Y", status.y), ("Z", status.z)):
            self.axes[axis].show_value("" if place is None else f"{place:.3f}")
        self.feed.show_value(_whole(status.feed_mm_min))
        self.spindle.show_value(_whole(status.spindle_rpm))
        self.tool.show_value("" if status.tool is None else f"T{status.tool}")
        for reading, share in (
            (self.feed_override, status.feed_override),
            (self.rapid_override, status.rapid_override),
            (self.spindle_override, status.spindle_override),
        ):
            turned = share is not None and abs(share - _FULL) > _TOLERANCE
            percent = "" if share is None else formatting.percent(share)
            reading.show_value(percent, Ink.HELD if turned else Ink.TEXT)
        self.line.show_value(_whole(status.line))
        self._show_run(status, run)

    def _show_run(self, status: Status, run: Telemetry | None) -> None:
        self._bar.setVisible(run is not None)
        self.counter.show_value(_whole(status.parts))
        if run is None:
            self.parts.show_value("")
            self.left.show_value("")
            return
        several = self.tr("{n:,} of {m:,}").format(n=run.part, m=run.parts)
        self.parts.show_value(several if run.parts > 1 else "")
        self.left.show_value(
            "" if run.remaining_s is None else formatting.duration(run.remaining_s)
        )
        held = status.doing is Doing.HELD
        self._bar.set_fraction(run.fraction, Tone.HELD if held else Tone.RUNNING)


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
