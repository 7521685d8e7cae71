"""The whole program in a process of its own, watched: tells where a person would tap next.

Each line on stdout is a step: its name, the place on the screen, and the id of the window there.
A picture of the screen at each step goes into the folder that is the first argument.
"""

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QApplication, QCheckBox, QFileDialog, QLineEdit, QWidget

from cnc_station.cli.run import run
from cnc_station.loop import application
from cnc_station.ui.dialogs.job_form import JobForm
from cnc_station.ui.dialogs.machine_form import MachineForm
from cnc_station.ui.first_run.first_run import PROGRAM, FirstRun
from cnc_station.ui.main_window import MainWindow
from tests.until import until

W = TypeVar("W", bound=QWidget)


async def shown(kind: type[W]) -> W:
    """The widget of this kind, once it is on the screen."""

    def find() -> QWidget | None:
        seen = (one for one in QApplication.allWidgets() if isinstance(one, kind))
        return next((one for one in seen if one.isVisible()), None)

    found = await until(find)
    assert isinstance(found, kind)
    return found


class Watch:
    """Says and pictures each step."""

    def __init__(self, pictures: Path) -> None:
        self._pictures = pictures

    async def step(self, name: str, widget: QWidget) -> None:
        await until(lambda: widget.isVisible() and widget.isEnabled())
        await asyncio.sleep(0.15)  # it has its place, and is painted
        middle = widget.rect().center()
        at = widget.mapToGlobal(QPoint(12, middle.y()) if isinstance(widget, QCheckBox) else middle)
        QApplication.primaryScreen().grabWindow(0).save(str(self._pictures / f"{name}.png"))
        print(name, at.x(), at.y(), int(widget.window().winId()), flush=True)

    async def walk(self) -> None:
        first = await shown(FirstRun)
        await self.step("alone", first.question.own_choice)
        await until(lambda: first.finder.isVisible() and "Look" not in first.finder.said.text())
        at_this_pc = first.finder.choices
        await self.step("address", first.finder.address)
        await until(lambda: first.finder.choices is not at_this_pc and first.finder.choices)
        await self.step("found", first.finder.choices[0])
        form = await shown(MachineForm)
        await self.step("name", form.name)
        await self.step("test", form.test.button)
        await until(lambda: form.test.report is not None)
        await self.step("starts", form.operator_starts)
        await until(lambda: not form.operator_starts.isChecked())
        await self.step("clears", form.operator_clears)
        await until(lambda: not form.operator_clears.isChecked())
        await self.step("save", form.save_button)
        await until(lambda: first.step == PROGRAM)
        await self.step("choose", first.program.choose)
        chooser = await shown(QFileDialog)
        await self.step("file", chooser.findChild(QLineEdit, "fileNameEdit") or chooser)
        job = await shown(JobForm)
        await until(lambda: job.loaded)
        await self.step("submit", job.submit)
        await until(completed)
        await self.step("finished", await shown(MainWindow))


def completed() -> bool:
    """Whether the one job has been made."""
    with closing(sqlite3.connect(os.environ["CNC_DATABASE"])) as opened:
        return opened.execute("SELECT state FROM job").fetchall() == [("completed",)]


def main(pictures: Path) -> int:
    application()
    walking: list[asyncio.Task[None]] = []
    QTimer.singleShot(0, lambda: walking.append(asyncio.ensure_future(Watch(pictures).walk())))
    return run([], os.environ)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
