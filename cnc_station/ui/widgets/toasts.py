"""The shelf below every page, which shows the result of the user's last action, alerts, and the
progress of long work. It is always there, so a toast covers no button and moves nothing."""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import count

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.buttons import Button, CloseButton
from cnc_station.ui.widgets.layout import STRETCH, hbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.text import Text

SECONDS = 6.0
_MAX_SHOWN = 2
_ICON = 20


@dataclass(frozen=True, slots=True)
class Message:
    """What a toast shows. `stays`: until it is closed or withdrawn. `action` is a button's text and
    what it does; `details` are the system's own text. A message with a `key` is an alert: the
    button ends it, so one that stays has no other."""

    words: str
    tone: Tone = Tone.NORMAL
    stays: bool = False
    action: tuple[str, Callable[[], None]] | None = None
    details: str = ""
    more: Callable[[], object] | None = None
    key: Hashable = None
    icon: str = ""


class Toast(QFrame):
    """One message; `ended` carries the toast when it expires, is closed or its action is taken. It
    keeps no reference to its shelf: the last one, in a child, would delete parent and child
    twice."""

    ended = Signal(object)

    def __init__(self, message: Message, number: int, seconds: float) -> None:
        super().__init__()
        self.number = number
        self.message = message
        self.setProperty("part", "toast")
        self.setProperty("tone", message.tone.value)
        ink = Ink.TEXT if message.tone is Tone.NORMAL else tone_ink(message.tone)
        self.words = words = Text("", Role.NOTE, ink)
        words.setWordWrap(True)
        words.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        box = hbox(on=self, gap=8, margins=(14, 0, 4, 0))
        if message.icon:
            self._picture = Text()
            box.addWidget(self._picture)
            self._draw_icon()
            theme().changed.connect(self._draw_icon)
        box.addWidget(words, 1)
        self.buttons: list[QWidget] = []
        if message.action:
            self._add_button(box, Button(message.action[0], quiet=True, clicked=self._act))
        if message.details:
            self.details = Button(self.tr("Details"), quiet=True)
            set_tip(self.details, message.details)
            self.details.clicked.connect(lambda: self._show_details(message.details))
            self._add_button(box, self.details)
        if message.more:
            show = Button(self.tr("Show all"), quiet=True, clicked=message.more)
            self._add_button(box, show)
        if message.key is None or not message.stays:
            self._add_button(box, CloseButton(self.tr("Close"), clicked=self.close_now))
        self.set_words(message.words)
        self._timer = QTimer(self, singleShot=True, interval=round(seconds * 1000))
        self._timer.timeout.connect(self.close_now)
        if not message.stays:
            self._timer.start()

    def _draw_icon(self) -> None:
        tone = self.message.tone
        ink = Ink.TEXT if tone is Tone.NORMAL else tone_ink(tone)
        ratio = self.devicePixelRatioF()
        self._picture.setPixmap(theme().pixmap(self.message.icon, ink, _ICON, ratio))

    def _add_button(self, box: QHBoxLayout, button: QWidget) -> None:
        self.buttons.append(button)
        box.addWidget(button)

    def set_words(self, words: str) -> None:
        self.words.setText(words)
        set_tip(self.words, words)
        self.words.setMinimumWidth(self._width_of(self.words))
        self.setAccessibleName(words)

    @staticmethod
    def _width_of(words: Text) -> int:
        """Allow one line for a short text, otherwise two lines up to 520 px."""
        advance = words.fontMetrics().horizontalAdvance(words.text()) + 8
        return min(advance, 520) if advance <= 420 else min(520, max(300, advance // 2 + 60))

    def _show_details(self, details: str) -> None:
        self.set_words(details)
        self.setAccessibleName(self.message.words)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details.hide()

    def _act(self) -> None:
        if self.message.action:
            self.message.action[1]()
        self.close_now()

    def close_now(self) -> None:
        self._timer.stop()
        self.ended.emit(self)


class ToastShelf(QFrame):
    """Shows two messages at a time and queues the rest; a message's time starts when it appears."""

    def __init__(self, seconds: float = SECONDS) -> None:
        super().__init__()
        self.setProperty("part", "shelf")
        self._seconds = seconds
        self._shown: list[Toast] = []
        self._numbers = count(1)
        self._guard = TapGuard(self)
        self._queue: deque[Message] = deque()
        self._box = hbox(STRETCH, on=self, gap=theme().metrics.gap, margins=(16, 4, 16, 4))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._fit_height()
        theme().changed.connect(self._fit_height)

    def add_left(self, widget: QWidget) -> None:
        """Put a permanent widget at the left, such as a BusyBar."""
        self._box.insertWidget(self._box.count() - 1 - len(self._shown), widget)

    def say(self, words: str, undo: Callable[[], None] | None = None) -> None:
        """Report what was done, for 6 s; with `undo`, offer to undo it."""
        self._take(Message(words, action=(self.tr("Undo"), undo) if undo else None))

    def fail(self, words: str, details: str = "", more: Callable[[], object] | None = None) -> None:
        """Report an error and its remedy until the user closes it; `details`, and what `more`
        opens, are one tap away."""
        if words not in self.messages():
            self._take(Message(words, Tone.ALARM, stays=True, details=details, more=more))

    def alert(self, message: Message) -> None:
        """Show an alert, in place of the one with its key."""
        for toast in self._shown:
            if toast.message.key == message.key:
                toast.set_words(message.words)
                return
        self._queue = deque(queued for queued in self._queue if queued.key != message.key)
        self._take(message)

    def withdraw(self, key: Hashable) -> None:
        """Remove the alert with this key, if it is there."""
        self._queue = deque(message for message in self._queue if message.key != key)
        for toast in [toast for toast in self._shown if toast.message.key == key]:
            self._remove(toast)
        self._fill()

    def messages(self) -> list[str]:
        return [toast.accessibleName() for toast in self._shown]

    def _take(self, message: Message) -> None:
        if message.stays:
            self._queue.appendleft(message)
        else:
            self._queue.append(message)
        self._fill()

    def _fill(self) -> None:
        while self._queue:
            if len(self._shown) >= _MAX_SHOWN:
                removable = [toast for toast in self._shown if not toast.message.stays]
                if not removable:
                    break
                self._remove(removable[0])
            toast = Toast(self._queue.popleft(), next(self._numbers), self._seconds)
            toast.ended.connect(self._ended)
            self._shown.append(toast)
            self._box.addWidget(toast, 0, Qt.AlignmentFlag.AlignRight)
        self._guard_buttons()

    def _guard_buttons(self) -> None:
        """Guard the buttons: a message that comes or goes moves the others."""
        buttons = [button for toast in self._shown for button in toast.buttons]
        shown = tuple(toast.number for toast in self._shown)
        self._guard.show("shelf", shown or None, *buttons)

    def _ended(self, toast: Toast) -> None:
        self._remove(toast)
        self._fill()

    def _remove(self, toast: Toast) -> None:
        if toast in self._shown:
            self._shown.remove(toast)
            self._box.removeWidget(toast)
            toast.hide()
            toast.deleteLater()

    def _fit_height(self) -> None:
        self.setFixedHeight(theme().metrics.shelf)
