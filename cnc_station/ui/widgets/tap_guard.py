"""Disables a button for a second after it replaced another or changed its action, so that a double
tap or a late tap does not trigger the opposite action or act on the next job."""

from collections.abc import Hashable
from dataclasses import dataclass
from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

SETTLE_MS = 1000
"""How long a place stays disabled after a change; 0 switches the guard off for tests."""


@dataclass(slots=True)
class _Place:
    """The current action at a place and the previous one."""

    action: Hashable | None = None
    previous: Hashable | None = None
    replaced_at: float = 0.0  # when `previous` was replaced
    disabled_until: float = 0.0
    buttons: tuple[QWidget, ...] = ()


class TapGuard(QObject):
    """Enables and disables the buttons of `area` alone. Call `show` with every change."""

    def __init__(self, area: QWidget) -> None:
        super().__init__(area)
        self._area = area
        self._places: dict[Hashable, _Place] = {}
        self._opened_until = 0.0
        self._focus: QWidget | None = None  # had the focus when it was disabled
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._refresh)

    def show(self, place: Hashable, action: Hashable | None, *buttons: QWidget) -> None:
        """Register the `buttons` at `place` and what they do; None disables them. Actions that can
        appear under the same finger share a place; a button needs all its places settled."""
        at = self._places.get(place)
        if at is not None and (at.action, at.buttons) == (action, buttons):
            return
        now = _now_ms()
        at = self._places.setdefault(place, _Place(action))
        at.buttons = buttons
        if action != at.action:
            if at.action is not None:
                at.previous, at.replaced_at = at.action, now
            another = at.previous not in (None, action) and now - at.replaced_at < SETTLE_MS
            if action is not None and another:
                at.disabled_until = now + SETTLE_MS
            at.action = action
        self._refresh()

    def opened(self) -> None:
        """Disable the whole area for a second: it has just appeared under the pointer."""
        self._opened_until = _now_ms() + SETTLE_MS
        self._refresh()

    def forget(self) -> None:
        """Forget all places: the user chose what comes next, so no tap was aimed at old buttons."""
        self._places.clear()

    def is_settled(self, place: Hashable) -> bool:
        """Whether the action at a place may run now, for a shortcut without a button."""
        at = self._places.get(place)
        return at is not None and at.action is not None and self._disabled_until(at) <= _now_ms()

    def _disabled_until(self, at: _Place) -> float:
        return max(at.disabled_until, self._opened_until)

    def _refresh(self) -> None:
        now = _now_ms()
        enabled: dict[QWidget, bool] = {}
        for at in self._places.values():
            settled = at.action is not None and self._disabled_until(at) <= now
            for button in at.buttons:
                if isValid(button):
                    enabled[button] = enabled.get(button, True) and settled
        for button, on in enabled.items():
            self._enable(button, on=on)
        ends = [self._disabled_until(at) for at in self._places.values()]
        if later := [end for end in ends if end > now]:
            self._timer.start(1 + int(min(later) - now))
        else:
            self._timer.stop()

    def _enable(self, button: QWidget, *, on: bool) -> None:
        """Keep the focus in the area: Qt would move it from a disabled button to its neighbour."""
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
