"""The frame of every dialog: how large it is, what a button does, and when it may be closed."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.ui.operations import Operations
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button

_FRAME = 24  # a title bar, or the window's own edge
Size = tuple[int, int]


class Dialog(QDialog):
    """Open it with `open()`; it is deleted when it is closed.

    `do` runs what a button is for. The dialog closes when that is done, and not before: while it
    runs the widgets in `acting` are dead, and Esc and Cancel do nothing. What the engine refuses
    is for `complain`.
    """

    def __init__(self, title: str, parent: QWidget | None, *, modal: bool = False) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setModal(modal)
        self.acting: list[QWidget] = []
        self._doing = False
        self._over = False

    def fit(self, dense: Size, touch: Size) -> None:
        """Takes one of these sizes, as far as its window has room: what can be pressed stands at
        the bottom, and must not lie below the screen."""
        width, height = touch if theme().metrics.touch else dense
        parent = self.parentWidget()
        if parent is not None:
            room = parent.window().size()
            width, height = min(width, room.width()), min(height, room.height() - _FRAME)
        self.resize(width, height)

    def cancel_button(self) -> Button:
        """A button that leaves everything as it is."""
        return Button(self.tr("Cancel"), clicked=self.reject)

    # what its buttons do

    def do(
        self, operations: Operations, work: Coroutine[Any, Any, Any], words: str, done: str = ""
    ) -> None:
        """Runs `work`, named by `words` while it takes long; then says `done` and closes."""
        self._doing = True
        for widget in self.acting:
            widget.setEnabled(False)
        operations.run(self._do(operations, work, done), words)

    async def _do(self, operations: Operations, work: Coroutine[Any, Any, Any], done: str) -> None:
        try:
            await work
        except CncStationError as error:
            self.complain(error)
        else:
            if done:
                operations.say(done)
            self._doing = False
            self.accept()
        finally:
            self._doing = False
            if not self._over:
                for widget in self.acting:
                    widget.setEnabled(True)
                self.refresh()

    def complain(self, error: CncStationError) -> None:
        """Says why what was asked for was not done."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Sets which buttons can be pressed now."""

    def reject(self) -> None:
        """Closes without doing anything, unless it is being done."""
        if not self._doing:
            super().reject()

    def done(self, result: int) -> None:
        """It is over: what comes back from the engine now is not shown."""
        self._over = True
        super().done(result)
