"""The buttons of a machine card."""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from cnc_station.ui.floor.card_text import CardAction
from cnc_station.ui.theme import Ink, Tone, theme
from cnc_station.ui.widgets.buttons import Button, PaintedButton, PrimaryButton, paint_face
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.literal import set_tip

_ICON = 18


class CornerButton(PaintedButton):
    """An icon button beside the figures."""

    def __init__(self, icon: str, words: str, tip: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setText(words)
        set_tip(self, tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QSize:
        return QSize(theme().metrics.control, theme().metrics.control)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_face(painter, self, theme().metrics.radius_control, ground=Ink.SUNKEN)
        ink = Ink.TEXT if self.isEnabled() else Ink.FAINT
        icon = theme().pixmap(self._icon, ink, _ICON, self.devicePixelRatioF())
        painter.drawPixmap((self.width() - _ICON) // 2, (self.height() - _ICON) // 2, icon)


def card_button(
    card: QWidget, action: CardAction, machine: str, asked: Callable[[], None]
) -> QAbstractButton:
    """The button of an action; Abort is a hold button."""
    button = _made(card, action)
    button.setCursor(Qt.CursorShape.ArrowCursor)
    button.setAccessibleName(f"{button.text()}, {machine}")
    if isinstance(button, HoldButton):
        button.held.connect(asked)
    else:
        button.clicked.connect(asked)
    return button


def _made(card: QWidget, action: CardAction) -> QAbstractButton:
    if action is CardAction.HOLD:
        tip = _tr("Hold this run (Space on the card)")
        return CornerButton("pause", _tr("Hold"), tip, card)
    if action is CardAction.FINISH:
        tip = _tr("Report this job as done")
        return CornerButton("check", _tr("Done"), tip, card)
    word = {
        CardAction.CONTINUE: _tr("Continue"),
        CardAction.ABORT: _tr("Abort: hold 2 s"),
        CardAction.CLEAR: _tr("Clear…"),
        CardAction.SET_UP: _tr("Set up…"),
        CardAction.UNLOCK: _tr("Unlock"),
        CardAction.END_MAINTENANCE: _tr("End maintenance"),
        CardAction.RECONNECT: _tr("Try again"),
        CardAction.CONFIRM_POSITION: _tr("Confirm…"),
        CardAction.DETAILS: _tr("Details"),
    }[action]
    if action is CardAction.ABORT:
        button = HoldButton(word, card)
        warning = _tr("Keep it pressed for 2 s. This is not an emergency stop: use the red button.")
        set_tip(button, warning)
        button.setAccessibleDescription(warning)
        return button
    if action in {CardAction.CLEAR, CardAction.SET_UP, CardAction.CONFIRM_POSITION}:
        return PrimaryButton(word, card, tone=Tone.OPERATOR)
    if action is CardAction.CONTINUE:
        return PrimaryButton(word, card)
    return Button(word, card)


def _tr(english: str) -> str:
    return QCoreApplication.translate("Floor", english)
