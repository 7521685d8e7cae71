"""Keeps a button dead for a second after another took its place, or after it does something else.

A person who taps twice, or aims at what was there a moment ago, must not do the opposite, nor the
same to the next job.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

SETTLE_MS = 1000
"""How long a place stays dead after a change; 0 switches the guard off (tests of other things)."""


@dataclass(slots=True)
class _Place:
    """What can be done at a place now, and what could be before."""

    what: Hashable | None = None
    former: Hashable | None = None
    left_at: float = 0.0  # when `former` went away
    dead_until: float = 0.0
    buttons: tuple[QWidget, ...] = ()


class TapGuard(QObject):
    """Decides which buttons of `area` can be pressed. Call `show` with every change.

    The buttons given to it are enabled and disabled by the guard alone.
    """

    def __init__(self, area: QWidget) -> None:
        super().__init__(area)
        self._area = area
        self._places: dict[Hashable, _Place] = {}
        self._opened_until = 0.0
        self._focus: QWidget | None = None  # had the keyboard when it went dead
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._refresh)

    def show(self, place: Hashable, what: Hashable | None, *buttons: QWidget) -> None:
        """At `place` stand `buttons`, which do `what`; None: nothing that can be done now.

        A place is a name: whatever may come to lie under the same finger shares it. A button that
        stands at several places needs all of them settled.
        """
        at = self._places.get(place)
        if at is not None and (at.what, at.buttons) == (what, buttons):
            return
        now = _now_ms()
        at = self._places.setdefault(place, _Place(what))
        at.buttons = buttons
        if what != at.what:
            if at.what is not None:
                at.former, at.left_at = at.what, now
            another = at.former not in (None, what) and now - at.left_at < SETTLE_MS
            if what is not None and another:
                at.dead_until = now + SETTLE_MS
            at.what = what
        self._refresh()

    def opened(self) -> None:
        """The whole area has just come up under whatever was tapped: all of it is dead at first."""
        self._opened_until = _now_ms() + SETTLE_MS
        self._refresh()

    def forget(self) -> None:
        """What is shown next was chosen by the person: nothing was aimed at what stood there."""
        self._places.clear()

    def is_settled(self, place: Hashable) -> bool:
        """Whether what is done at a place can be done now: for a key, which has no button."""
        at = self._places.get(place)
        return at is not None and at.what is not None and self._dead_until(at) <= _now_ms()

    def _dead_until(self, at: _Place) -> float:
        return max(at.dead_until, self._opened_until)

    def _refresh(self) -> None:
        now = _now_ms()
        alive: dict[QWidget, bool] = {}
        for at in self._places.values():
            settled = at.what is not None and self._dead_until(at) <= now
            for button in at.buttons:
                if isValid(button):
                    alive[button] = alive.get(button, True) and settled
        for button, on in alive.items():
            self._enable(button, on=on)
        ends = [self._dead_until(at) for at in self._places.values()]
        if later := [end for end in ends if end > now]:
            self._timer.start(1 + int(min(later) - now))
        else:
            self._timer.stop()

    def _enable(self, button: QWidget, *, on: bool) -> None:
        """Keep the keyboard in the area: Qt would hand it on to the button beside a dead one."""
        if on is not button.isEnabledTo(self._area):
            if not on and button.hasFocus():
                self._focus = button
                self._area.setFocus(Qt.FocusReason.OtherFocusReason)
            button.setEnabled(on)
            if on and self._focus is button:
                self._focus = None
                if self._area.hasFocus():
                    button.setFocus(Qt.FocusReason.OtherFocusReason)


def _now_ms() -> float:
    return monotonic() * 1000
