"""A view's one question to the engine: never two in flight, never one lost."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject, QTimer
from shiboken6 import isValid

from cnc_station.ui.operations import Operations


class CoalescedTask(QObject):
    """`request()` asks; while an answer is under way it asks once more afterwards.

    At least `interval_ms` pass between two questions. `stop()` drops one that was not put yet.
    """

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
        """Whether an answer is under way, or a question waits for its time."""
        return self._under_way or self._wanted

    def request(self) -> None:
        """Ask, now or as soon as the last answer is there and the rest is over."""
        self._wanted = True
        self._put()

    def set_min_interval(self, interval_ms: int) -> None:
        """Let another time pass between two questions from the next answer on."""
        self._rest.setInterval(interval_ms)

    def stop(self) -> None:
        """Put no further question."""
        self._wanted = False
        self._rest.stop()

    def _put(self) -> None:
        if self._wanted and not self._under_way and not self._rest.isActive():
            self._wanted = False
            self._under_way = True
            self._operations.run(self._ask()).add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._under_way = False
        if task.cancelled() or not isValid(self):  # its view was closed meanwhile
            return
        if self._rest.interval() > 0:
            self._rest.start()
        self._put()
