"""The window before the engine has started: painted at once, without the modules of its pages."""

import asyncio
import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from cnc_station.ui.main_window import MainWindow, PageSpec

if TYPE_CHECKING:
    from cnc_station.ui.page_context import PageContext


class Frame(QObject):
    """The window with its pages, which are made with `context` when they are first shown."""

    def __init__(self) -> None:
        super().__init__()
        self.context: PageContext | None = None
        self.window = MainWindow(self._pages())
        self.window.setEnabled(False)
        self._first_paint = _FirstPaint(self.window)

    async def painted(self, at_most_s: float) -> None:
        """Return when the window has been painted for the first time, or after so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._first_paint.done.wait(), at_most_s)

    def _pages(self) -> list[PageSpec]:
        tr = self.tr
        return [
            self._page("floor", tr("Floor"), "layout-grid", "floor.FloorPage"),
            self._page("jobs", tr("Jobs"), "list", "jobs.JobsPage"),
            self._page(
                "attention",
                tr("Jobs needing attention"),
                "triangle-alert",
                "attention.AttentionPage",
                tr("Attention"),
            ),
            self._page("runs", tr("Runs"), "play", "runs.RunsPage"),
            self._page("programs", tr("Programs"), "file", "programs.ProgramsPage"),
            self._page("schedules", tr("Schedules"), "clock", "schedules.SchedulesPage"),
            self._page("integrations", tr("Integrations"), "send", "integrations.IntegrationsPage"),
            self._page("machines", tr("Machines"), "factory", "machines.MachinesPage"),
            self._page("stations", tr("Stations"), "monitor", "stations.StationsPage"),
            self._page("settings", tr("Settings"), "settings", "settings.SettingsPage"),
            self._page("people", tr("People"), "user", "people.PeoplePage"),
        ]

    def _page(self, key: str, title: str, icon: str, where: str, word: str = "") -> PageSpec:
        """A page whose module is imported when it is first shown."""

        def make() -> QWidget:
            assert self.context is not None, "no page is shown before the engine has started"
            page: QWidget = import_late(f"pages.{where}")(self.context)
            return page

        return PageSpec(key, title, icon, make, word)


class _FirstPaint(QObject):
    """Sets `done` when `widget` is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.done = asyncio.Event()
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            self.done.set()
        return False


def import_late(where: str) -> Any:
    """Return a part of the window that is imported on first use, to start fast."""
    module, _, name = where.rpartition(".")
    return getattr(import_module(f"cnc_station.ui.{module}"), name)
