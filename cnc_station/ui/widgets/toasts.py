"""The shelf below every page, which shows the result of the user's last action and the progress of
long work. It is always there, so a toast covers no button and moves nothing."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.widgets.buttons import Button, CloseButton
from cnc_station.ui.widgets.layout import STRETCH, hbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.text import Text

SECONDS = 6.0
_MAX_SHOWN = 2


@dataclass(frozen=True, slots=True)
class _Message:
    words: str
    undo: Callable[[], None] | None
    error: bool
    details: str = ""
    more: Callable[[], object] | None = None


class Toast(QFrame):
    """One message; `ended` carries the toast when it expires, is closed or is undone. It keeps no
    reference to its shelf: the last one, in a child, would delete parent and child twice."""

    ended = Signal(object)

    def __init__(self, message: _Message, number: int, seconds: float) -> None:
        super().__init__()
        self.number = number
        self.error = message.error
        self._undo = message.undo
        self.setProperty("part", "toast")
        self.setProperty("tone", Tone.ALARM.value if message.error else Tone.NORMAL.value)
        ink = Ink.ALARM if message.error else Ink.TEXT
        self.words = words = Text(message.words, Role.NOTE, ink)
        words.setWordWrap(True)
        words.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        set_tip(words, message.words)
        words.setMinimumWidth(self._width_of(words))
        self.setAccessibleName(message.words)
        box = hbox((words, 1), on=self, gap=8, margins=(14, 0, 4, 0))
        self.buttons: list[QWidget] = []
        if message.undo:
            undo = Button(self.tr("Undo"), quiet=True, clicked=self._undo_and_close)
            box.addWidget(undo)
            self.buttons.append(undo)
        if message.details:
            self.details = Button(self.tr("Details"), quiet=True)
            set_tip(self.details, message.details)
            self.details.clicked.connect(lambda: self._show_details(message.details))
            box.addWidget(self.details)
            self.buttons.append(self.details)
        if message.more:
            show = Button(self.tr("Show all"), quiet=True, clicked=message.more)
            box.addWidget(show)
            self.buttons.append(show)
        close = CloseButton(self.tr("Close"), clicked=self.close_now)
        self.buttons.append(close)
        box.addWidget(close)
        self._timer = QTimer(self, singleShot=True, interval=round(seconds * 1000))
        self._timer.timeout.connect(self.close_now)
        if not message.error:
            self._timer.start()

    @staticmethod
    def _width_of(words: Text) -> int:
        """Allow one line for a short text, otherwise two lines up to 520 px."""
        advance = words.fontMetrics().horizontalAdvance(words.text()) + 8
        return min(advance, 520) if advance <= 420 else min(520, max(300, advance // 2 + 60))

    def _show_details(self, details: str) -> None:
        self.words.setText(details)
        set_tip(self.words, details)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.setMinimumWidth(self._width_of(self.words))
        self.details.hide()

    def _undo_and_close(self) -> None:
        if self._undo:
            self._undo()
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
        self._queue: deque[_Message] = deque()
        self._box = hbox(STRETCH, on=self, gap=theme().metrics.gap, margins=(16, 4, 16, 4))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._fit_height()
        theme().changed.connect(self._fit_height)

    def add_left(self, widget: QWidget) -> None:
        """Put a permanent widget at the left, such as a BusyBar."""
        self._box.insertWidget(self._box.count() - 1 - len(self._shown), widget)

    def say(self, words: str, undo: Callable[[], None] | None = None) -> None:
        """Report what was done, for 6 s; with `undo`, offer to undo it."""
        self._take(_Message(words, undo, error=False))

    def fail(self, words: str, details: str = "", more: Callable[[], object] | None = None) -> None:
        """Report an error and its remedy until the user closes it; `details`, and what `more`
        opens, are one tap away."""
        self._take(_Message(words, None, error=True, details=details, more=more))

    def messages(self) -> list[str]:
        return [toast.accessibleName() for toast in self._shown]

    def _take(self, message: _Message) -> None:
        if message.error:
            if message.words in self.messages():
                return
            self._queue.appendleft(message)
        else:
            self._queue.append(message)
        self._fill()

    def _fill(self) -> None:
        while self._queue:
            if len(self._shown) >= _MAX_SHOWN:
                removable = [toast for toast in self._shown if not toast.error]
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
