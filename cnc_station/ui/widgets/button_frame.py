"""What the self-painted buttons have in common: ground, frame, pressed and focus state."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QAbstractButton

from cnc_station.ui.theme import Ink, theme

FOCUS_WIDTH = 2


def focus_pen() -> QPen:
    """The pen of a keyboard focus ring."""
    return theme().pen(Ink.OPERATOR, FOCUS_WIDTH)


def paint_face(
    painter: QPainter,
    button: QAbstractButton,
    radius: float,
    *,
    ground: Ink | None = Ink.SURFACE,
    line: Ink | None = Ink.LINE,
) -> None:
    """Paints the face of a button; under a finger the ground darkens and the frame thickens."""
    live = theme()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = live.pen(line) if line else QPen(Qt.PenStyle.NoPen)
    if button.isDown():
        ground, pen = Ink.PRESSED, live.pen(Ink.TEXT, FOCUS_WIDTH)
    elif button.hasFocus():
        pen = focus_pen()
    half = pen.widthF() / 2
    painter.setPen(pen)
    painter.setBrush(live.brush(ground) if ground else Qt.BrushStyle.NoBrush)
    rect = QRectF(button.rect()).adjusted(half, half, -half, -half)
    painter.drawRoundedRect(rect, radius, radius)
