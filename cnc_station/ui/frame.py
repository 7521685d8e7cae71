"""The window before the engine has started: painted at once, without the modules of its pages."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
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
            self._page("programs", tr("Programs"), "file", "programs.ProgramsPage"),
            self._page("machines", tr("Machines"), "factory", "machines.MachinesPage"),
            self._page("stations", tr("Stations"), "monitor", "stations.StationsPage"),
            self._page("settings", tr("Settings"), "settings", "settings.SettingsPage"),
        ]

    def _page(self, key: str, title: str, icon: str, where: str, word: str = "") -> PageSpec:
        """A page whose module is imported when it is first shown."""

        def make() -> QWidget:
            assert self.context is not None, "no page is shown before the engine has started"
            page: QWidget = import_late(f"pages.{where}")(self.context)
            return page

        return PageSpec(key, title, icon, make, word)


def import_late(where: str) -> Any:
    """Return a part of the window that is imported on first use, to start fast."""
    module, _, name = where.rpartition(".")
    return getattr(import_module(f"cnc_station.ui.{module}"), name)
