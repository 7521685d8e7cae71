"""A thin progress bar, and a bar with words for work that takes longer than a second."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cnc_station.ui import formatting
from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.layout import hbox
from cnc_station.ui.widgets.text import ElidedLabel


class ProgressBar(QWidget):
    """Shows a fraction from 0 to 1; None means unknown and shows an empty bar."""

    def __init__(self) -> None:
        super().__init__()
        self._fraction: float | None = None
        self._tone = Tone.RUNNING
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_fraction(self, fraction: float | None, tone: Tone = Tone.RUNNING) -> None:
        fraction = None if fraction is None else min(1.0, max(0.0, fraction))
        if (fraction, tone) == (self._fraction, self._tone):
            return
        self._fraction, self._tone = fraction, tone
        self.setAccessibleName("" if fraction is None else formatting.percent(fraction))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        groove = QPainterPath()
        groove.addRoundedRect(rect, rect.height() / 2, rect.height() / 2)
        painter.fillPath(groove, live.brush(Ink.SUNKEN))
        if self._fraction:
            painter.setClipPath(groove)
            bar = QRectF(0, 0, self.width() * self._fraction, self.height())
            painter.fillRect(bar, live.colour(tone_ink(self._tone)))
            painter.setClipping(False)
        painter.setPen(live.pen(Ink.LINE, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(groove)


_WIDTH = 360


class BusyBar(QWidget):
    """Words and a bar, shown only after the work has taken `patience_s` seconds; a button, if the
    work can be stopped."""

    def __init__(self, patience_s: float = 1.0) -> None:
        super().__init__()
        self._words = ElidedLabel("", Role.NOTE, Ink.MUTED)
        self._bar = ProgressBar()
        self._timer = QTimer(self, singleShot=True, interval=round(patience_s * 1000))
        self._timer.timeout.connect(self.show)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.stop = Button(self.tr("Stop"), clicked=self._stop_work)
        hbox(self._words, (self._bar, 1), self.stop, on=self, gap=10)
        self.setFixedWidth(_WIDTH)
        self._stop_wanted: Callable[[], None] | None = None
        self.hide()

    def start(self, words: str, stop: Callable[[], None] | None = None) -> None:
        """Start the wait; the bar appears if the work lasts. `stop` ends the work soon."""
        self._stop_wanted = stop
        self.stop.setVisible(stop is not None)
        self.stop.setEnabled(True)
        self._words.setText(words)
        self._words.setMinimumWidth(min(180, self._words.sizeHint().width()))
        self._bar.set_fraction(None)
        self._timer.start()

    def set_fraction(self, fraction: float) -> None:
        self._bar.set_fraction(fraction, Tone.OPERATOR)

    def advance(self, words: str, fraction: float) -> None:
        """Show how far it is, in words too."""
        if self.stop.isEnabled():
            self._words.setText(words)
        self.set_fraction(fraction)

    def finish(self) -> None:
        self._stop_wanted = None
        self._timer.stop()
        self.hide()

    def _stop_work(self) -> None:
        self.stop.setEnabled(False)
        self._words.setText(self.tr("Stopping…"))
        if self._stop_wanted is not None:
            self._stop_wanted()
