"""Close the window: at once if nothing runs, otherwise after asking what happens to the runs."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.queries import ListActiveRuns, ListMachines
from cnc_station.engine.views import AtClosing
from cnc_station.ui.background import Background
from cnc_station.ui.dialogs.closing import Choice, ClosingDialog
from cnc_station.ui.page_context import PageContext


class Closing(QObject):
    """Emits `agreed` when the program may end. Asking again while the dialog is open raises it."""

    agreed = Signal()

    def __init__(self, context: PageContext, window: QWidget, background: Background) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self._background = background
        self.asking = False
        self._machines: dict[int, str] = {}
        self.dialog: ClosingDialog | None = None
        background.closing_wanted.connect(self.ask)
        context.bridge.changed.connect(self._show)
        context.bridge.telemetry.connect(self._show)

    def ask(self) -> None:
        runs = self._context.door.peek(ListActiveRuns())
        if all(run.at_closing is AtClosing.RETURNED for run in runs) and self.dialog is None:
            self.agreed.emit()
        elif self.asking:
            self._background.leave()
            if self.dialog is not None:
                self.dialog.raise_()
        else:
            self.asking = True
            self._context.operations.run(self._ask())

    async def _ask(self) -> None:
        try:
            choice = await self._chosen()
        finally:
            self.asking = False
        if choice is Choice.KEEP_RUNNING:
            self._background.enter()
        elif choice is Choice.CLOSE:
            self.agreed.emit()

    async def _chosen(self) -> Choice:
        self._background.leave()  # the desktop may ask while the window is hidden
        self._machines = await self._names()
        self.dialog = ClosingDialog(self._background.way_back, self._window)
        self.dialog.finished.connect(self._closed)
        self._show()
        return await self.dialog.choose()

    def _closed(self) -> None:
        self.dialog = None

    async def _names(self) -> dict[int, str]:
        """The machines' names; none while the database is down: the window must still close."""
        try:
            return {row.id: row.spec.name for row in await self._context.door.ask(ListMachines())}
        except CncStationError:
            return {}

    def _show(self, _notice: object = None) -> None:
        if self.dialog is not None:
            self.dialog.show_runs(self._context.door.peek(ListActiveRuns()), self._machines)
