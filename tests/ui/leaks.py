"""What a UI test may leave behind: nothing. Finds it and names it."""

import gc
import threading
import time
import weakref
from collections.abc import Iterator

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QThread, QTimer
from PySide6.QtWidgets import QApplication

LOOKS = 1_000
PAUSE_S = 0.01
"""Between two looks for what is ending: ten seconds in all, and not one of them is lost on a
computer that stands still."""


_set_aside: "weakref.WeakSet[QTimer | QThread]" = weakref.WeakSet()
"""The timers and threads among the objects that the collector no longer lists."""


class Leftovers:
    """Notes what is alive when it is made; `found()` names what has come since and stayed."""

    def __init__(self) -> None:
        _set_aside_what_is_old()
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
    for thing in (*_set_aside, *_timers_and_threads()):
        if not shiboken6.isValid(thing):
            continue
        if isinstance(thing, QThread):
            if thing.isRunning():
                yield thing, f"running {_named(thing)}"
        elif thing.isActive():
            yield thing, f"active timer of {thing.interval()} ms {_named(thing)}"


def _set_aside_what_is_old() -> None:
    """All that is alive is searched neither for garbage nor for timers any more: a worker that has
    run thousands of tests holds a million objects."""
    gc.collect()
    _set_aside.update(_timers_and_threads())
    gc.freeze()


def _timers_and_threads() -> list[QTimer | QThread]:
    """Those that the collector lists; not by isinstance, which would wake proxies."""
    return [thing for thing in gc.get_objects() if issubclass(type(thing), (QTimer, QThread))]


def _named(thing: QObject) -> str:
    return f"{type(thing).__name__}({thing.objectName()!r})"
