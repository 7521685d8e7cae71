"""Collect cyclic garbage only on the thread of the window.

Python collects at any allocation: a database thread that compiles a statement could destroy a
dialog that was closed earlier. Qt objects belong to the thread of the window. Destroyed elsewhere
they wait for a lock of Qt that the window holds, while the window waits for Python: a deadlock,
seen in one of ten runs of the page tests.
"""

import gc
from operator import gt

from PySide6.QtCore import QElapsedTimer, QObject, QTimer

EVERY_MS = 50
OLDEST_EVERY_MS = 60_000


class Collector(QObject):
    """Replaces Python's automatic collection until the process ends.

    Young generations are collected about as often as by Python. The oldest, whose size decides the
    duration, is collected at most once a minute.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._since_oldest = QElapsedTimer()
        self._since_oldest.start()
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def _collect(self) -> None:
        young, middle, old = map(gt, gc.get_count(), gc.get_threshold())
        if old and self._since_oldest.hasExpired(OLDEST_EVERY_MS):
            self._since_oldest.start()
            gc.collect(2)
        elif middle:
            gc.collect(1)
        elif young:
            gc.collect(0)
