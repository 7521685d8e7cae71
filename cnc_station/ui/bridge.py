"""The window's one subscription to the engine's changes.

A busy shop commits hundreds of times a second; nobody reads that fast. What changed is gathered
and handed on at most twenty times a second, so that each view repaints once for many changes.
"""

from PySide6.QtCore import QObject, QTimer, Signal

from cnc_station.engine.door import Door
from cnc_station.engine.views import Changes

FLUSH_EVERY_MS = 50


class Bridge(QObject):
    """Emits `changed(Changes)`: the first change at once, those that follow gathered."""

    changed = Signal(object)

    def __init__(self, door: Door, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gathered = Changes()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FLUSH_EVERY_MS)
        self._timer.timeout.connect(self._flush)
        self._unsubscribe = door.subscribe(self._take)

    def close(self) -> None:
        """Hear nothing more."""
        self._unsubscribe()
        self._timer.stop()

    def _take(self, changes: Changes) -> None:
        self._gathered |= changes
        if not self._timer.isActive():
            self._flush()

    def _flush(self) -> None:
        if self._gathered != Changes():
            changes, self._gathered = self._gathered, Changes()
            self._timer.start()
            self.changed.emit(changes)
