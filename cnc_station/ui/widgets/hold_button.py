"""A button for what cannot be taken back: it acts only when it is held long enough."""

from PySide6.QtCore import QElapsedTimer, QEvent, QRectF, QTimer, Signal
from PySide6.QtGui import QHideEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QPushButton, QWidget

from cnc_station.ui.theme import Ink, theme
from cnc_station.ui.widgets.buttons import Slot

SECONDS = 2.0
_FRAME_MS = 25
_LONGEST_FRAME_MS = 100
"""What counts of a frame that took longer: the window stood still, and may not know yet that the
finger is gone."""
_VEIL = 0.3


class HoldButton(QPushButton):
    """Emits `held` once the finger, mouse or space bar has been on it for `seconds`.

    While it is held it fills up; let go early and nothing has happened. `clicked` means nothing.
    `danger` False is for what loses nothing and still cannot be taken back.
    """

    held = Signal()

    def __init__(
        self,
        text: str,
        parent: QWidget | None = None,
        *,
        seconds: float = SECONDS,
        danger: bool = True,
        held: Slot | None = None,
    ) -> None:
        super().__init__(text, parent)
        if danger:
            self.setProperty("kind", "danger")
        self._ink = Ink.ALARM if danger else Ink.OPERATOR
        self.setAutoDefault(False)
        self._seconds = seconds
        self._clock = QElapsedTimer()  # since the last frame
        self._held_ms = 0
        self._timer = QTimer(self, interval=_FRAME_MS)
        self._timer.timeout.connect(self._advance)
        self.pressed.connect(self._begin)
        self.released.connect(self._end)
        words = self.tr("Press and hold for {seconds:g} s").format(seconds=seconds)
        self.setToolTip(words)
        self.setAccessibleDescription(words)
        if held is not None:
            self.held.connect(held)

    @property
    def fraction(self) -> float:
        """How much of the time it has been held, from 0 to 1."""
        if not self._timer.isActive():
            return 0.0
        return self._held_ms / (self._seconds * 1000)

    def _begin(self) -> None:
        self._held_ms = 0
        self._clock.start()
        self._timer.start()

    def _end(self) -> None:
        self._timer.stop()
        self.update()

    def _advance(self) -> None:
        self._held_ms += min(self._clock.restart(), _LONGEST_FRAME_MS)
        if self.fraction >= 1.0:
            self._end()
            self.setDown(False)
            self.held.emit()
        else:
            self.update()

    def hideEvent(self, event: QHideEvent) -> None:
        """What is out of sight is not held."""
        super().hideEvent(event)
        self._end()

    def changeEvent(self, event: QEvent) -> None:
        """Nor is what can't be pressed any more."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
            self.setDown(False)
            self._end()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints the button, and over it how far one has got."""
        super().paintEvent(event)
        fraction = self.fraction
        if not fraction:
            return
        live = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shape = QPainterPath()
        shape.addRoundedRect(
            QRectF(self.rect()), live.metrics.radius_control, live.metrics.radius_control
        )
        painter.setClipPath(shape)
        painter.setOpacity(_VEIL)
        painter.fillRect(
            QRectF(0, 0, self.width() * fraction, self.height()), live.colour(self._ink)
        )
