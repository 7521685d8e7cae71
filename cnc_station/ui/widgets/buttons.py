"""Buttons by importance, and the frame that every self-painted button shares."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt, SignalInstance
from PySide6.QtGui import QAction, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QMenu, QPushButton, QToolButton, QWidget

from cnc_station.ui.theme import Ink, Tone, theme
from cnc_station.ui.widgets.literal import caption, from_caption

FOCUS_WIDTH = 2
_CROSS = 16

Slot = Callable[..., object] | SignalInstance


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
    """Paint the background and frame of a button; while pressed, both are stronger."""
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


class PaintedButton(QAbstractButton):
    """The base of buttons that paint themselves; their text is literal, without a key."""

    def setText(self, text: str) -> None:
        super().setText(caption(text))

    def text(self) -> str:
        return from_caption(super().text())


class Button(QPushButton):
    """An ordinary action. A `quiet` button has no frame until it is pointed at."""

    def __init__(
        self,
        text: str,
        parent: QWidget | None = None,
        *,
        quiet: bool = False,
        clicked: Slot | None = None,
    ) -> None:
        super().__init__(parent)
        self.setText(text)
        if quiet:
            self.setProperty("kind", "quiet")
        self.setAutoDefault(False)
        if clicked is not None:
            self.clicked.connect(clicked)

    def setText(self, text: str) -> None:
        super().setText(caption(text))

    def text(self) -> str:
        return from_caption(super().text())


class CloseButton(Button):
    """A cross that closes the widget it stands on."""

    def __init__(self, name: str, *, clicked: Slot | None = None) -> None:
        super().__init__("", quiet=True, clicked=clicked)
        self.setAccessibleName(name)
        self._draw()
        theme().changed.connect(self._draw)

    def _draw(self) -> None:
        self.setIcon(theme().icon("x", Ink.MUTED, _CROSS))


class PrimaryButton(Button):
    """The main action of its place; 20 mm high in touch mode. Tone OPERATOR: an operator's step."""

    def __init__(
        self,
        text: str,
        parent: QWidget | None = None,
        *,
        tone: Tone = Tone.NORMAL,
        clicked: Slot | None = None,
    ) -> None:
        super().__init__(text, parent, clicked=clicked)
        self.setProperty("kind", "primary")
        self.setProperty("tone", tone.value)


class DangerButton(Button):
    """An action that loses something but can be undone; otherwise use HoldButton."""

    def __init__(self, text: str, *, clicked: Slot | None = None) -> None:
        super().__init__(text, clicked=clicked)
        self.setProperty("kind", "danger")


def add_key(
    widget: QWidget,
    text: str,
    key: str | QKeySequence.StandardKey,
    triggered: Slot,
    *,
    context: Qt.ShortcutContext = Qt.ShortcutContext.WindowShortcut,
    repeats: bool = True,
) -> QAction:
    """Add a command with a keyboard shortcut; the list of shortcuts shows it as `text`."""
    action = QAction(caption(text), widget)
    action.setShortcut(QKeySequence(key))
    action.setShortcutContext(context)
    action.setAutoRepeat(repeats)
    action.triggered.connect(triggered)
    widget.addAction(action)
    return action


class MenuButton(QToolButton):
    """Opens a menu that `fill` fills first. `name` says what it is for."""

    def __init__(self, words: str, name: str, fill: Callable[[QMenu], None]) -> None:
        super().__init__()
        self.setText(caption(words))
        self.setAccessibleName(name)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.aboutToShow.connect(lambda: fill(menu))
        self.setMenu(menu)
