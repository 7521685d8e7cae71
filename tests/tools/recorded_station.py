"""`python -m tests.tools.recorded_station`: a station with its window on the Jobs page, recorded.

It is the program's own `main`, told by the environment what to open. It reads commands from stdin,
a line each, and answers on stdout with a line of JSON:
  ready          when the Jobs page shows rows: {}
  job NAME       record until the row of NAME was painted, has left the list of open jobs and the
                 list was painted again: {"seconds", "functions"}
  idle SECONDS   record for so long: {"seconds", "functions"}
It knows the window only as a person does: by its titles and the texts in its rows.
"""

import json
import queue
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from tests.tools.recorder import Recorder

PAGE = "Jobs"
_LOOK_MS = 20


class _Watcher:
    """Carries out the commands, a step at every tick of a timer in the window's own loop."""

    def __init__(self, recorder: Recorder, commands: "queue.Queue[str]") -> None:
        from PySide6.QtCore import QEvent, QObject, QTimer  # noqa: PLC0415 - the program has it now

        watcher = self

        class Painted(QObject):
            def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.Paint:
                    QTimer.singleShot(0, watcher.look)  # the filter comes before the painting
                return False

        self._recorder = recorder
        self._commands = commands
        self._work: Iterator[None] | None = None
        self._shown: list[str] = []
        self._painted = Painted()
        self._timer = QTimer(interval=_LOOK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def look(self) -> None:
        """Note what the rows say that have just been painted."""
        with self._recorder.paused():
            self._shown = self._rows()
        self._tick()

    def _tick(self) -> None:
        with self._recorder.paused():
            if self._work is None and not self._commands.empty():
                verb, _, argument = self._commands.get().partition(" ")
                works = {"ready": self._ready, "job": self._job, "idle": self._idle}
                self._work = works[verb](argument)
            if self._work is not None and next(self._work, self) is self:
                self._work = None

    def _ready(self, _argument: str) -> Iterator[None]:
        while (window := self._window()) is None or not window.isEnabled():
            yield
        (page,) = (action for action in window.actions() if action.text() == PAGE)
        page.trigger()
        while not any(self._rows()):
            yield
        self._view().viewport().installEventFilter(self._painted)
        self._view().viewport().update()
        while not self._shown:
            yield
        _answer({})

    def _job(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        self._recorder.start()
        for expected in (True, False):
            while any(name in row for row in self._shown) is not expected:
                yield
        self._report(begun)

    def _idle(self, seconds: str) -> Iterator[None]:
        begun = time.monotonic()
        self._recorder.start()
        while time.monotonic() - begun < float(seconds):
            yield
        self._report(begun)

    def _report(self, begun: float) -> None:
        functions = self._recorder.stop()
        _answer({"seconds": time.monotonic() - begun, "functions": functions})

    def _window(self) -> Any:
        from PySide6.QtWidgets import QApplication, QMainWindow  # noqa: PLC0415 - as above

        windows = QApplication.topLevelWidgets()
        return next((window for window in windows if isinstance(window, QMainWindow)), None)

    def _view(self) -> Any:
        from PySide6.QtWidgets import QTableView  # noqa: PLC0415 - as above

        views = self._window().findChildren(QTableView)
        return next((view for view in views if view.isVisible()), None)

    def _rows(self) -> list[str]:
        view = self._view()
        if view is None:
            return []
        model = view.model()
        rows, columns = range(model.rowCount()), range(model.columnCount())
        return ["|".join(str(model.index(row, at).data()) for at in columns) for row in rows]


def _answer(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


def _serve(recorder: Recorder) -> None:
    """Read commands, and start the watcher once there is an application."""
    commands: queue.Queue[str] = queue.Queue()
    while (core := sys.modules.get("PySide6.QtCore")) is None or (
        application := core.QCoreApplication.instance()
    ) is None:
        time.sleep(_LOOK_MS / 1000)
    watchers: list[_Watcher] = []  # Qt keeps no reference to one
    start = partial(_Watcher, recorder, commands)
    core.QTimer.singleShot(0, application, lambda: watchers.append(start()))
    for line in sys.stdin:
        commands.put(line.strip())
    threading.Event().wait()  # the reference stays to the end of the process


def main() -> None:
    """Run the station until it is told to end."""
    recorder = Recorder()
    recorder.install()
    threading.Thread(target=_serve, args=[recorder], daemon=True).start()
    from cnc_station.__main__ import main as program  # noqa: PLC0415 - after the recorder is there

    sys.argv = ["cnc-station"]
    program()


if __name__ == "__main__":
    main()
