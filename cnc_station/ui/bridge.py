"""The window's one subscription to the engine's notices and telemetry.

A busy shop commits hundreds of times a second. Notices are merged and emitted at most twenty times
a second, so that each view repaints once for many changes.
"""

from PySide6.QtCore import QObject, QTimer, Signal

from cnc_station.engine.domain.notice import NO_EVENTS, Notice
from cnc_station.engine.door import Door

FLUSH_EVERY_MS = 50


class Bridge(QObject):
    """Emits `changed(Notice)` and `telemetry(frozenset[machine id])`: the first at once, later ones
    merged."""

    changed = Signal(object)
    telemetry = Signal(object)

    def __init__(self, door: Door, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notice = NO_EVENTS
        self._machines: frozenset[int] = frozenset()
        self._timer = QTimer(self, singleShot=True, interval=FLUSH_EVERY_MS)
        self._timer.timeout.connect(self._flush)
        self._unsubscribe = (
            door.subscribe(self._add_notice),
            door.subscribe_telemetry(self._add_telemetry),
        )

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._timer.stop()

    def _add_notice(self, notice: Notice) -> None:
        self._notice |= notice
        if not self._timer.isActive():
            self._flush()

    def _add_telemetry(self, machines: frozenset[int]) -> None:
        self._machines |= machines
        if not self._timer.isActive():
            self._flush()

    def _flush(self) -> None:
        notice, self._notice = self._notice, NO_EVENTS
        machines, self._machines = self._machines, frozenset()
        if notice or machines:
            self._timer.start()
        if notice:
            self.changed.emit(notice)
        if machines:
            self.telemetry.emit(machines)
