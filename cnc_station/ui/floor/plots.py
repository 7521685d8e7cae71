"""The live charts drawn by pyqtgraph. Import this module late: it costs 0.4 s.

A bare view with a plane and an axis each: pyqtgraph's own plots add a form of options and menus.
Ranges are fixed and set only when they change, items are kept and given new values, pens are one
pixel wide: a redraw stays under a frame.
"""

from collections.abc import Sequence
from math import ceil

import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPen
from PySide6.QtWidgets import QGraphicsLinearLayout, QWidget

from cnc_station.ui.floor.state_strip import mixed
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.layout import vbox

_BAR_WIDTH = 0.66
_SHARE = 0.55
_HEADROOM = 1.28
_FILL = 0.16


class Plot(QWidget):
    """A plot without frame, menu or mouse handling; `chosen` carries the index of the tapped
    value."""

    chosen = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.view = pg.GraphicsView()
        self.view.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setFrameShape(self.view.Shape.NoFrame)
        self.plane = pg.ViewBox(enableMenu=False, enableMouse=False)
        self.axis = pg.AxisItem("bottom", showValues=True)
        self.axis.setStyle(tickLength=0, tickTextOffset=4, tickAlpha=0)
        self.axis.linkToView(self.plane)
        central = pg.GraphicsWidget()
        rows = QGraphicsLinearLayout(Qt.Orientation.Vertical)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        for part in (self.plane, self.axis):
            rows.addItem(part)
        central.setLayout(rows)
        self.view.setCentralItem(central)
        self._ranges: tuple[float, float] = (0.0, 0.0)
        self.count = 0
        vbox(self.view, on=self)
        theme().changed.connect(self.dress)

    def fix_ranges(self, count: int, top: float) -> None:
        """From 0 to `top` for `count` values side by side; unchanged ranges cost nothing."""
        self.count = count
        if (float(count), top) != self._ranges:
            self._ranges = (float(count), top)
            self.plane.setXRange(-0.5, count - 0.5, padding=0)
            self.plane.setYRange(0, top, padding=0)

    def label(self, ticks: Sequence[tuple[float, str]]) -> None:
        """Label places below the values."""
        self.axis.setTicks([list(ticks)])

    def dress(self) -> None:
        """Apply the theme's colours and fonts."""
        self.view.setBackground(theme().colour(Ink.SURFACE))
        self.axis.setPen(pg.mkPen(None))
        self.axis.setTickPen(pg.mkPen(None))
        self.axis.setTextPen(theme().colour(Ink.MUTED))
        self.axis.setTickFont(theme().font(Role.CAPTION))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        at = self.plane.mapSceneToView(event.position())
        place = round(at.x())
        if 0 <= place < self.count:
            self.chosen.emit(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self.count:
            self.chosen.emit(self.count - 1)
        else:
            super().keyPressEvent(event)


class BarsPlot(Plot):
    """Counts as bars with their values, and a line at the target if there is one."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.values: tuple[float, ...] = ()
        self._bars = pg.BarGraphItem(x=[], height=[], width=_BAR_WIDTH)
        self._target = pg.InfiniteLine(angle=0, movable=False)
        self._target.hide()
        self._words: list[pg.TextItem] = []
        self.plane.addItem(self._bars)
        self.plane.addItem(self._target)
        self.dress()

    def show_bars(
        self, values: Sequence[float], labels: Sequence[str], target: float | None
    ) -> None:
        """One bar a value; labels below, as many as there is room for."""
        self.values = tuple(values)
        highest = max([*values, target or 0.0, 1.0])
        self.fix_ranges(len(values), ceil(highest * _HEADROOM * 2) / 2)
        self._bars.setOpts(x=range(len(values)), height=list(values), width=_BAR_WIDTH)
        self.label([(place, label) for place, label in enumerate(labels) if label])
        self._target.setVisible(target is not None)
        if target is not None:
            self._target.setValue(target)
        self._write(values)
        bars = zip(labels, values, strict=True)
        self.setAccessibleDescription(", ".join(f"{label} {value:.0f}" for label, value in bars))

    def _write(self, values: Sequence[float]) -> None:
        while len(self._words) < len(values):
            word = pg.TextItem(anchor=(0.5, 1.0))
            word.setFont(theme().font(Role.CAPTION))
            word.setColor(theme().colour(Ink.MUTED))
            self.plane.addItem(word, ignoreBounds=True)
            self._words.append(word)
        for place, word in enumerate(self._words):
            shown = place < len(values) and values[place] > 0
            word.setVisible(shown)
            if shown:
                word.setText(f"{values[place]:.0f}")
                word.setPos(place, values[place])

    def dress(self) -> None:
        super().dress()
        pure = theme().tokens.line_width > 1
        self._bars.setOpts(brush=mixed(Ink.RUNNING, 1.0 if pure else _SHARE), pen=None)
        pen = QPen(theme().colour(Ink.MUTED), 1, Qt.PenStyle.DotLine)
        pen.setCosmetic(True)
        self._target.setPen(pen)
        for word in self._words:
            word.setFont(theme().font(Role.CAPTION))
            word.setColor(theme().colour(Ink.MUTED))


class LinePlot(Plot):
    """One quiet line over a thin fill."""

    def __init__(self, name: str, *, highest: float | None = None) -> None:
        super().__init__(name)
        self._highest = highest
        self._line = pg.PlotCurveItem(stepMode=None)
        self.plane.addItem(self._line)
        self.dress()

    def show_line(self, values: Sequence[float], ticks: Sequence[tuple[float, str]]) -> None:
        """Values side by side; `ticks` label places. Without a fixed height the largest decides."""
        highest = self._highest or max([*values, 1.0]) * _HEADROOM
        self.fix_ranges(len(values), highest)
        self._line.setData(list(range(len(values))), list(values))
        self.label(ticks)
        self.setAccessibleDescription(f"{values[-1]:.2f}" if values else "")

    def dress(self) -> None:
        super().dress()
        colour = theme().colour(Ink.RUNNING)
        fill = QColor(colour)
        fill.setAlphaF(_FILL)
        self._line.setPen(pg.mkPen(colour, width=1))
        self._line.setBrush(fill)
        self._line.setFillLevel(0.0)
