"""Twenty thousand Qt events through Python: `python -m tests.ui.event_storm` prints their number.

A PySide6 that loses references of None and True aborts the process long before; hence a process of
its own.
"""

import asyncio

from PySide6.QtCore import QObject, QTimer, QTimerEvent, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from cnc_station.loop import run

EACH = 5_000


class Source(QObject):
    changed = Signal(object)


class Ticking(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.ticks = 0
        self.done = asyncio.Event()

    def timerEvent(self, event: QTimerEvent) -> None:
        self.ticks += 1
        if self.ticks >= EACH:
            self.killTimer(event.timerId())
            self.done.set()


class Painted(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.paints = 0

    def paintEvent(self, _event: QPaintEvent) -> None:
        self.paints += 1


async def storm() -> int:
    seen: list[object] = []
    source = Source()
    source.changed.connect(seen.append)
    for number in range(EACH):
        source.changed.emit(None if number % 2 else True)

    shots: list[bool] = []
    while len(shots) < EACH:
        for _ in range(100):
            QTimer.singleShot(0, lambda: shots.append(True))
        await asyncio.sleep(0.001)

    ticking = Ticking()
    ticking.startTimer(0)
    await ticking.done.wait()

    painted = Painted()
    painted.show()
    while painted.paints < EACH:
        painted.repaint()
        await asyncio.sleep(0)
    painted.close()
    return len(seen) + len(shots) + ticking.ticks + painted.paints


if __name__ == "__main__":
    print(run(storm()))
