"""One machine as a card. It paints its own text: a tick of fifty cards must cost nothing."""

from functools import partial

from PySide6.QtCore import QElapsedTimer, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from cnc_station.ui import formatting as say
from cnc_station.ui.floor.card_buttons import card_button
from cnc_station.ui.floor.card_paint import paint_card_text
from cnc_station.ui.floor.card_places import (
    GAP,
    PAD,
    card_height,
    pause_place,
    places,
    remedy_places,
)
from cnc_station.ui.floor.card_text import CardAction, CardText
from cnc_station.ui.theme import Ink, theme
from cnc_station.ui.widgets.buttons import FOCUS_WIDTH, focus_pen
from cnc_station.ui.widgets.card import Card
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.tap_guard import TapGuard

SAME_TAP_MS = 700


class MachineCardView(Card):
    """Shows a `CardText`; `asked` carries the action wanted, `opened`: show the machine."""

    asked = Signal(CardAction)
    opened = Signal()
    focused = Signal(bool)

    def __init__(self, words: CardText, now: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = words
        self._compact = False
        self.lasted = ""
        self._pressed = False
        self._buttons: dict[CardAction, QAbstractButton] = {}
        self._guard = TapGuard(self)
        self._asked_for: CardAction | None = None
        self._asked_ago = QElapsedTimer()
        self._at = places(self.width(), self.height(), compact=False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._take_words()
        self._show_buttons()
        self._tick(now)
        theme().changed.connect(self._arrange)

    def button(self, action: CardAction) -> QAbstractButton | None:
        """The button of an action, if the card offers it now."""
        button = self._buttons.get(action)
        return None if button is None or button.isHidden() else button

    def set_words(self, words: CardText, now: int) -> None:
        """Show this text and time in state; repaint only the lines that differ."""
        if words != self.words:
            before, self.words = self.words, words
            self._take_words()
            if (words.remedies, words.corner) != (before.remedies, before.corner):
                self._show_buttons()
                self.update()
            for place in self._differing(before):
                self.update(place)
        self._tick(now)

    def _take_words(self) -> None:
        self.set_tone(self.words.tone)
        self.setAccessibleName(self.words.spoken)
        set_tip(self, self.words.foot if self._compact else "")

    def _differing(self, before: CardText) -> list[QRect]:
        at = self._at
        places = (at.head, at.title, at.note, at.figures, at.bar, at.foot or QRect())
        lines = zip(places, _lines(before), _lines(self.words), strict=True)
        return [place for place, then, now in lines if then != now]

    def _tick(self, now: int) -> None:
        lasted = say.lasted(self.words.since, now)
        if lasted != self.lasted:
            self.lasted = lasted
            self.update(self._at.head)

    def set_compact(self, *, compact: bool) -> None:
        if compact != self._compact:
            self._compact = compact
            self._take_words()
            self._arrange()

    def sizeHint(self) -> QSize:
        return QSize(300, card_height(compact=self._compact))

    def _show_buttons(self) -> None:
        corner = self.words.corner
        wanted = [*self.words.remedies, *([corner] if corner else [])]
        for action in wanted:
            if action not in self._buttons:
                ask = partial(self._ask, action)
                self._buttons[action] = card_button(self, action, self.words.name, ask)
        for action, button in self._buttons.items():
            if action not in wanted and button.hasFocus():
                self.setFocus()  # otherwise the focus would move to another machine
            button.setVisible(action in wanted)
        self._guard_buttons()
        self._arrange()

    def _guard_buttons(self) -> None:
        """The corner lies within the last remedy. Hold, which is always safe, is live as soon as it
        stands where no other button was tapped; a hold button can't be tapped at all."""
        words = self.words
        first = words.remedies[0] if words.remedies else None
        last = words.corner or (words.remedies[-1] if words.remedies else None)
        for place, action in (("left", first), ("right", last)):
            button = self._buttons.get(action) if action else None
            if button is None or isinstance(button, HoldButton):
                self._guard.show(place, None)
            else:
                self._guard.show(place, action, button)
        by_key = self._by_key()
        go_on = [self._buttons[by_key]] if by_key is CardAction.CONTINUE else []
        self._guard.show("key", by_key, *go_on)

    def _by_key(self) -> CardAction | None:
        if self.words.corner is CardAction.HOLD:
            return CardAction.HOLD
        return CardAction.CONTINUE if CardAction.CONTINUE in self.words.remedies else None

    def hold_or_go_on(self) -> None:
        action = self._by_key()
        if action is not None and self._guard.is_settled("key"):
            self._ask(action)

    def _ask(self, action: CardAction) -> None:
        """Ignore a second tap right after the first: it may come from a glove."""
        if action is self._asked_for and self._asked_ago.elapsed() < SAME_TAP_MS:
            return
        self._asked_for = action
        self._asked_ago.start()
        self.asked.emit(action)

    def _arrange(self) -> None:
        self._at = places(self.width(), self.height(), compact=self._compact)
        remedies = [self._buttons[action] for action in self.words.remedies]
        if remedies:
            spots = remedy_places(self._at, [each.sizeHint().width() for each in remedies])
            for button, spot in zip(remedies, spots, strict=True):
                button.setGeometry(spot)
        if self.words.corner:
            self._buttons[self.words.corner].setGeometry(pause_place(self._at))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        inside = self.rect().adjusted(PAD, GAP, -PAD, -GAP).contains(event.rect())
        if not inside:
            super().paintEvent(event)
        painter = QPainter(self)
        if inside:
            painter.fillRect(event.rect(), theme().brush(Ink.SURFACE))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_card_text(painter, event.region(), self._at, self.words, self.lasted)
        if self._pressed or self.hasFocus():
            painter.setPen(theme().pen(Ink.TEXT, FOCUS_WIDTH) if self._pressed else focus_pen())
            painter.setBrush(Qt.BrushStyle.NoBrush)
            radius = theme().metrics.radius_card
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius, radius)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = True
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed:
            self._pressed = False
            self.update()
            if self.rect().contains(event.position().toPoint()):
                self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._pressed = False
        self.focused.emit(False)


def _lines(text: CardText) -> tuple[tuple[object, ...], ...]:
    return (
        (text.name, text.model, text.look),
        (text.title, text.idle),
        (text.note,),
        (text.figure, text.aside),
        (text.fraction, text.look),
        (text.foot, text.late, text.count),
    )
