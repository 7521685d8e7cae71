"""Coalesce a view's queries: at most one in flight, and no request is lost."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject, QTimer
from shiboken6 import isValid

from cnc_station.ui.operations import Operations


class CoalescedTask(QObject):
    """`request()` starts the query; a request during a query repeats it once afterwards. At least
    `interval_ms` pass between two queries. `stop()` drops a pending one."""

    def __init__(
        self,
        operations: Operations,
        query: Callable[[], Coroutine[Any, Any, None]],
        parent: QObject,
        *,
        interval_ms: int = 0,
    ) -> None:
        super().__init__(parent)
        self._operations = operations
        self._query = query
        self._pending = False
        self._in_flight = False
        self._stopped = False
        self._interval = QTimer(self, singleShot=True, interval=interval_ms)
        self._interval.timeout.connect(self._start)

    @property
    def busy(self) -> bool:
        """Whether a query is in flight or pending."""
        return self._in_flight or self._pending

    def request(self) -> None:
        """Query now, or as soon as the last query and the interval are over."""
        self._pending = True
        self._stopped = False
        self._start()

    def request_now(self) -> None:
        """Query without waiting for the interval: a person has changed what is asked for."""
        self._interval.stop()
        self.request()

    def set_min_interval(self, interval_ms: int) -> None:
        """Set the interval from the next answer on."""
        self._interval.setInterval(interval_ms)

    def stop(self) -> None:
        """Start no further query until the next request."""
        self._pending = False
        self._stopped = True
        self._interval.stop()

    def _start(self) -> None:
        if self._pending and not self._in_flight and not self._interval.isActive():
            self._pending = False
            self._in_flight = True
            self._operations.run(self._query()).add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._in_flight = False
        if task.cancelled() or not isValid(self) or self._stopped:  # the view is closed or hidden
            return
        if self._interval.interval() > 0:
            self._interval.start()
        self._start()
