"""A real window beside a real engine, as the program has them: what its figures stand on."""

import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize
from PySide6.QtWidgets import QWidget

from cnc_station.engine.door import Door
from cnc_station.loop import application
from cnc_station.ui.frame import Frame
from cnc_station.ui.shell import Shell
from cnc_station.ui.theme import Density, ThemeName, apply_theme
from tests.benchmarks.product import beside_window
from tests.benchmarks.shop import config
from tests.until import until

SIZE = QSize(1920, 1080)


@dataclass(frozen=True, slots=True)
class Station:
    """The door to the engine, and its window."""

    door: Door
    shell: Shell


@asynccontextmanager
async def station(
    path: Path, *, charts: bool = True, api_port: int | None = None
) -> AsyncIterator[Station]:
    """A shop's station with its window open on the floor, its charts drawn once if it has any."""
    apply_theme(application(), ThemeName.LIGHT, Density.DENSE)
    shell = Shell(Frame())
    try:
        async with beside_window(replace(config(path), api_port=api_port)) as door:
            shell.window.resize(SIZE)
            shell.window.show()
            shell.open(door, _no_demo)
            floor: Any = shell.window.page("floor")
            await until(lambda: floor.looks and (floor.charts.use or not charts), timeout=60)
            gc.freeze()  # as the program does
            yield Station(door, shell)
            await shell.close()
    finally:
        shell.window.finish()


async def _no_demo() -> None:
    raise AssertionError("nobody asks for the demo day")


class Painted(QObject):
    """Notes when a widget was last painted. `at`: seconds on `time.perf_counter`, 0.0 for never."""

    def __init__(self, watched: QWidget) -> None:
        super().__init__(watched)
        self.at = 0.0
        watched.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """The filter comes before the painting; a moment after it, all of it is done."""
        if event.type() == QEvent.Type.Paint:
            self.at = time.perf_counter()
        return False
