"""A log handler that nobody waits for: a thread of its own writes the lines."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeAlias

from cnc_station.logs.job_events import WrittenEvents, event_lines
from cnc_station.logs.lines import JsonLines

GATHER_S = 0.2  # lines of this time are written together
MOST_WAITING = 20_000  # lines; what a disk that stands still keeps in memory
CLOSING_S = 3.0  # for what is left at the end, if the disk does not answer

_Item: TypeAlias = str | WrittenEvents


class BackgroundHandler(logging.Handler):
    """Gives JSON lines to `write` on a thread. It raises OSError for lines that are not written:
    then `complain` is called once, and when it works again a line counts what was lost.

    Records are worded where they are logged, since what they refer to may change or belong to that
    thread. The events of a commit do not change, and are worded on the thread of the log.
    """

    def __init__(
        self,
        station: str,
        write: Callable[[str], None],
        complain: Callable[[str], None] = lambda _: None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        super().__init__()
        self._lines = JsonLines(station)
        self.setFormatter(self._lines)
        self._write, self._complain, self._most = write, complain, most_waiting
        self._items: list[_Item] = []
        self._waiting = self._lost = 0
        self._failed = False
        self._held = threading.Lock()
        self._woken, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line of a record."""
        try:
            line = self.format(record) + "\n"
        except Exception:  # noqa: BLE001 - a line that cannot be worded, as of a number of 5,000 digits
            self.handleError(record)
        else:
            self._put(line, 1)

    def write_events(self, written: WrittenEvents) -> None:
        """Queue the lines of a commit's events."""
        self._put(written, len(written.rows))

    def _put(self, item: _Item, count: int) -> None:
        with self._held:
            if self._waiting and self._waiting + count > self._most:
                self._lost += count
                return
            self._items.append(item)
            self._waiting += count
        if not self._woken.is_set():
            self._woken.set()

    def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        self._woken.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSING_S)
        super().close()

    # On the thread of the log

    def _run(self) -> None:
        while True:
            self._woken.wait()
            self._closing.wait(GATHER_S)
            last = self._closing.is_set()
            self._woken.clear()
            with self._held:
                items, self._items = self._items, []
                lost, self._lost = self._lost, 0
            if items or lost:
                self._output(items, lost)
            if last:
                return

    def _output(self, items: list[_Item], lost: int) -> None:
        count = sum(1 if isinstance(item, str) else len(item.rows) for item in items)
        text = "".join(self._worded(item) for item in items)
        if lost:
            text += self._counted(lost)
        try:
            if text:
                self._write(text)
        except OSError as error:
            lost += count
            if not self._failed:
                self._complain(f"the log can't be written: {error.strerror or error}")
            self._failed = True
        else:
            lost, self._failed = 0, False
        with self._held:
            self._waiting -= count
            self._lost += lost

    def _worded(self, item: _Item) -> str:
        return item if isinstance(item, str) else event_lines(item, self._lines.station)

    def _counted(self, lost: int) -> str:
        text = f"lines lost from this log: {lost:,}"
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None)
        record.created = time.time()
        return self._lines.format(record) + "\n"
