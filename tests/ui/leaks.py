"""What a UI test may leave behind: nothing. Finds it and names it."""

import gc
import threading
import time
from collections.abc import Iterator

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QThread, QTimer
from PySide6.QtWidgets import QApplication

LOOKS = 1_000
PAUSE_S = 0.01
"""Between two looks for what is ending: ten seconds in all, and not one of them is lost on a
computer that stands still."""


class Leftovers:
    """Notes what is alive when it is made; `found()` names what has come since and stayed."""

    def __init__(self) -> None:
        self._before = [thing for thing, _ in _alive()]  # kept, so that no id is used twice

    def found(self, looks: int = LOOKS) -> list[str]:
        """One line each for what was left behind; looks so often again for what is ending."""
        names = self._names()
        while names and (looks := looks - 1) >= 0:
            gc.collect()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            names = self._names()
            time.sleep(PAUSE_S)
        return names

    def _names(self) -> list[str]:
        before = {id(thing) for thing in self._before}
        return [name for thing, name in _alive() if id(thing) not in before]


def _alive() -> Iterator[tuple[object, str]]:
    for thread in threading.enumerate():
        yield thread, f"thread {thread.name}"
    for widget in QApplication.topLevelWidgets():
        yield widget, f"top-level widget {_named(widget)}"
    # Qt lists neither timers nor threads; those made in Python are known to the collector.
    for thing in gc.get_objects():
        kind = type(thing)  # not isinstance: that would wake proxies
        if issubclass(kind, QTimer) and shiboken6.isValid(thing) and thing.isActive():
            yield thing, f"active timer of {thing.interval()} ms {_named(thing)}"
        elif issubclass(kind, QThread) and shiboken6.isValid(thing) and thing.isRunning():
            yield thing, f"running {_named(thing)}"


def _named(thing: QObject) -> str:
    return f"{type(thing).__name__}({thing.objectName()!r})"
