"""Fingers that tap twice, or where something was a moment ago."""

from collections.abc import Callable
from time import monotonic

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from tests.until import until

TOO_SOON = (0.2, 0.6)


async def too_soon(again: Callable[[], None], settled_s: float) -> None:
    """Does it again 0.2 s and 0.6 s after what has just changed."""
    changed_at = monotonic()
    for share in TOO_SOON:
        await passed(changed_at, share * settled_s)
        again()


async def passed(since: float, seconds: float) -> None:
    """So long has passed since a moment of `monotonic`."""
    await until(lambda: monotonic() > since + seconds)


def click(button: QWidget) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def click_at(place: QPoint, page: QWidget) -> None:
    """Where something was, whatever is there now."""
    there = page.window().childAt(place)
    assert there is not None
    click(there)


def middle(button: QWidget) -> QPoint:
    return button.mapTo(button.window(), button.rect().center())
