"""Fingers that tap twice, or where something was a moment ago."""

import asyncio
from collections.abc import Callable
from time import monotonic

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

TOO_SOON = (0.2, 0.6, 0.99)  # of the time in which a button settles


class TapClock:
    """The clock of the tap guard, which a test can stop: a busy computer may notice late what has
    changed, and a second tap would come when everything is settled."""

    def __init__(self, settle_s: float) -> None:
        self.settle_s = settle_s
        self._ahead = 0.0
        self._stopped_at: float | None = None

    def __call__(self) -> float:
        return monotonic() + self._ahead if self._stopped_at is None else self._stopped_at

    def stop(self) -> None:
        """Nothing settles any more; what changes from now on is new in `too_soon`."""
        self._stopped_at = self()

    async def too_soon(self, again: Callable[[], object]) -> None:
        """Do it again while what has changed is not settled yet; then the clock goes on."""
        changed_at = self._stopped_at
        assert changed_at is not None
        for share in TOO_SOON:
            self._stopped_at = changed_at + share * self.settle_s
            await asyncio.sleep(0)  # what the tap before has posted is handled
            again()
        self._ahead = changed_at + self.settle_s - monotonic()
        self._stopped_at = None


def click(button: QWidget) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def click_at(place: QPoint, page: QWidget) -> None:
    """Where something was, whatever is there now."""
    there = page.window().childAt(place)
    assert there is not None
    click(there)


def middle(button: QWidget) -> QPoint:
    return button.mapTo(button.window(), button.rect().center())
