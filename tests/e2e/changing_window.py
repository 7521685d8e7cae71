"""A process of its own: a person at the first window goes to the demo day and back to the shop.

Prints a line for each step. Ends by the signal that its first argument names, in the third window.
"""

import asyncio
import gc
import os
import sys
import weakref
from pathlib import Path

from PySide6.QtCore import QRect, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from cnc_station.cli.window import own_demo
from cnc_station.config import Config
from cnc_station.desktop import open_window
from cnc_station.end_signals import EndSignals
from cnc_station.loop import application
from cnc_station.one_window import OneWindow
from cnc_station.opening import Data, Opening
from cnc_station.ui.first_run.demo_bar import DemoBar
from cnc_station.ui.first_run.first_run import FirstRun
from cnc_station.ui.main_window import MainWindow
from tests.until import until


def windows() -> list[MainWindow]:
    """The windows on view."""
    shown = (w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
    return [window for window in shown if window.isVisible()]


async def shown(kind: type[QWidget]) -> MainWindow:
    """The one window on view, once it has such a widget."""
    await until(lambda: len(windows()) == 1 and windows()[0].findChild(kind), 30)
    return windows()[0]


async def second_start(config: Config, window: MainWindow, file: Path) -> bool:
    """Whether this window takes the file with which the program is started again."""
    taken: list[Path] = []
    window.files_dropped.connect(taken.extend)
    confirmed = await asyncio.to_thread(OneWindow(config).bring_to_front, [file])
    window.files_dropped.disconnect(taken.extend)
    return confirmed and taken == [file]


async def gone(window: "weakref.ref[MainWindow]") -> bool:
    """Whether nothing keeps the window, in Qt or in Python."""
    return bool(await until(lambda: gc.collect() >= 0 and window() is None, 10))


async def walk(config: Config) -> None:
    first = await shown(FirstRun)
    place = QRect(40, 30, 1111, 777)
    first.setGeometry(place)
    question = first.findChild(FirstRun)
    assert isinstance(question, FirstRun)
    question.question.demo_choice.click()
    del question
    kept = weakref.ref(first)
    del first
    demo = await shown(DemoBar)
    print("the same place:", demo.geometry() == place, flush=True)
    asked = [await second_start(config, demo, config.data_folder / f"{n}.nc") for n in range(2)]
    print("a second start:", asked, flush=True)
    print("the first is gone:", await gone(kept), flush=True)
    bar = demo.findChild(DemoBar)
    assert isinstance(bar, DemoBar)
    bar.leave.click()
    shop = await shown(FirstRun)
    print("no demo:", shop.findChild(DemoBar) is None, flush=True)


async def walk_to_the_end(config: Config, number: int) -> None:
    try:
        await walk(config)
    finally:
        os.kill(os.getpid(), number)


def main(folder: Path, number: int) -> int:
    config = Config(folder, f"sqlite:///{folder / 'station.db'}", health_port=0)

    def reopen(data: Data) -> Opening:
        return own_demo(config) if data is Data.DEMO else Opening(config)

    application()
    walking: list[asyncio.Task[None]] = []
    QTimer.singleShot(
        0, lambda: walking.append(asyncio.ensure_future(walk_to_the_end(config, number)))
    )
    with EndSignals() as ends:
        return open_window(Opening(config), ends, reopen=reopen)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
