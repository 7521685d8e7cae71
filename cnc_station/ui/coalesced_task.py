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
        ask: Callable[[], Coroutine[Any, Any, None]],
        parent: QObject,
        *,
        interval_ms: int = 0,
    ) -> None:
        super().__init__(parent)
        self._operations = operations
        self._ask = ask
        self._wanted = False
        self._under_way = False
        self._rest = QTimer(self, singleShot=True, interval=interval_ms)
        self._rest.timeout.connect(self._put)

    @property
    def busy(self) -> bool:
        """Whether a query is in flight or pending."""
        return self._under_way or self._wanted

    def request(self) -> None:
        """Query now, or as soon as the last query and the interval are over."""
        self._wanted = True
        self._put()

    def set_min_interval(self, interval_ms: int) -> None:
        """Set the interval from the next answer on."""
        self._rest.setInterval(interval_ms)

    def stop(self) -> None:
        """Start no further query."""
        self._wanted = False
        self._rest.stop()

    def _put(self) -> None:
        if self._wanted and not self._under_way and not self._rest.isActive():
            self._wanted = False
            self._under_way = True
            self._operations.run(self._ask()).add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._under_way = False
        if task.cancelled() or not isValid(self):  # the view was closed meanwhile
            return
        if self._rest.interval() > 0:
            self._rest.start()
        self._put()
