"""One start of a window, watched from inside its process; `tests.benchmarks.start` runs these.

`python -m tests.benchmarks.first_paint BEGUN empty|station [FOLDER]` prints
{"frame": seconds, "rows": seconds, "memory": MB}, counted from BEGUN (seconds since the epoch, when
the process was started). It imports nothing that the program would not.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Seen = dict[str, float]
SETTLE_S = 2.0
DISPLAYS = ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")


def _empty(seen: Seen) -> None:
    """What any program pays that shows a window of PySide6 with a chart of pyqtgraph."""
    import pyqtgraph  # noqa: PLC0415 - part of what is timed
    from PySide6.QtWidgets import QApplication, QMainWindow  # noqa: PLC0415 - part of what is timed

    app = QApplication([])
    window = QMainWindow()
    plot = pyqtgraph.PlotWidget()
    window.setCentralWidget(plot)

    def painted() -> None:
        _note(seen, "frame")
        app.quit()

    _when_painted(plot.viewport(), painted)
    window.resize(1920, 1080)
    window.show()
    app.exec()


def _station(seen: Seen, folder: str) -> None:
    """The program itself, by its own command line; then its Jobs page; then it is closed."""
    from cnc_station.cli.run import run  # noqa: PLC0415 - part of what is timed
    from cnc_station.ui import frame  # noqa: PLC0415 - part of what is timed

    class Watched(frame.Frame):
        def __init__(self) -> None:
            super().__init__()
            self.window.resize(1920, 1080)
            _when_painted(self.window, lambda: _note(seen, "frame"))

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "context" and value is not None:  # the engine has started
                value.operations.run(_watch(value.navigator, seen))

    frame.Frame = Watched  # type: ignore[misc] # - the program is watched, not changed
    environ = {name: os.environ[name] for name in DISPLAYS if name in os.environ}
    environ |= {"CNC_DATA_FOLDER": folder, "CNC_STATION": "bench", "CNC_OPERATOR": "benchmark"}
    environ["CNC_DATABASE_URL"] = f"sqlite:///{Path(folder) / 'station.db'}"
    if code := run([], environ):
        raise AssertionError(f"the station ended with {code}")


async def _watch(shell: Any, seen: Seen) -> None:
    """Rows are there when the floor has been painted with what the engine said of its machines."""
    import asyncio  # noqa: PLC0415 - the program has imported it by now

    from tests.until import until  # noqa: PLC0415 - after the frame is painted

    floor = shell.window.page("floor")
    await until(lambda: floor.feed.card(1))
    painted = asyncio.Event()
    _when_painted(floor.column, painted.set)
    floor.column.update()
    await painted.wait()
    _note(seen, "rows")
    shell.to_page("jobs")
    jobs = shell.window.page("jobs")
    await until(lambda: jobs.model.total and jobs.feed.settled)
    await asyncio.sleep(SETTLE_S)
    seen["memory"] = _memory()
    os.kill(os.getpid(), signal.SIGTERM)  # a click would be asked back: machines are at work


def _when_painted(widget: Any, tell: Callable[[], None]) -> None:
    from PySide6.QtCore import QEvent, QObject, QTimer  # noqa: PLC0415 - the program has it by now

    class Watch(QObject):
        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                widget.removeEventFilter(self)
                QTimer.singleShot(0, tell)  # the filter comes before the painting
            return False

    widget.installEventFilter(Watch(widget))


def _note(seen: Seen, what: str) -> None:
    seen[what] = time.time()


def _memory() -> float:
    """Resident MB of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    begun, kind, *rest = sys.argv[1:]
    noted: Seen = {}
    if kind == "empty":
        _empty(noted)
        noted["memory"] = _memory()
    else:
        _station(noted, *rest)
    times = {k: v if k == "memory" else v - float(begun) for k, v in noted.items()}
    print(json.dumps(times))
