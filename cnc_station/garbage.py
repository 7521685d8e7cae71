"""Collects cyclic garbage on the window's thread, and on no other.

Python collects wherever the next allocation happens to be: a database thread that compiles a
statement may end up destroying a dialog that was closed a while ago. Qt objects belong to the
thread of the window; destroyed elsewhere they wait for a lock of Qt's that the window holds, while
the window waits for Python: both stand still for good (seen in one of ten runs of the page tests).
"""

import gc
from operator import gt

from PySide6.QtCore import QElapsedTimer, QObject, QTimer

EVERY_MS = 50
OLDEST_EVERY_MS = 60_000


class Collector(QObject):
    """Takes collecting over from Python for as long as the process lives.

    The young are looked at about as often as Python would; the oldest, whose number decides how
    long that takes, at most once a minute.
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
