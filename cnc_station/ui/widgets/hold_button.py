"""A button for actions that cannot be undone: it acts only when held long enough."""

from PySide6.QtCore import QElapsedTimer, QEvent, QRectF, QTimer, Signal
from PySide6.QtGui import QHideEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QWidget

from cnc_station.ui.theme import Ink, theme
from cnc_station.ui.widgets.buttons import Button, Slot
from cnc_station.ui.widgets.literal import set_tip

SECONDS = 2.0
_FRAME_MS = 25
_LONGEST_FRAME_MS = 100
"""A longer frame counts only this much: while the window was blocked, the finger may have gone."""
_FILL_OPACITY = 0.3


class HoldButton(Button):
    """Emits `held` after the finger, mouse or space bar has been down for `seconds`; `clicked`
    means nothing. `danger` False is for an action that loses nothing but cannot be undone."""

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
        self._seconds = seconds
        self._clock = QElapsedTimer()  # since the last frame
        self._held_ms = 0
        self._timer = QTimer(self, interval=_FRAME_MS)
        self._timer.timeout.connect(self._advance)
        self.pressed.connect(self._begin)
        self.released.connect(self._end)
        words = self.tr("Press and hold for {seconds:g} s").format(seconds=seconds)
        set_tip(self, words)
        self.setAccessibleDescription(words)
        if held is not None:
            self.held.connect(held)

    @property
    def fraction(self) -> float:
        """The share of the hold time that has passed, from 0 to 1."""
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
        super().hideEvent(event)
        self._end()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
            self.setDown(False)
            self._end()

    def paintEvent(self, event: QPaintEvent) -> None:
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
        painter.setOpacity(_FILL_OPACITY)
        painter.fillRect(
            QRectF(0, 0, self.width() * fraction, self.height()), live.colour(self._ink)
        )
