"""The base of every dialog: its size, its buttons, and when it may close."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.ui.operations import Operations
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.literal import window_title

_FRAME = 24  # a title bar, or the window's own edge
Size = tuple[int, int]


class Dialog(QDialog):
    """Open it with `open()`; closing deletes it. `do` runs a button's work and closes the dialog
    when it succeeds. Meanwhile the widgets in `acting` are disabled and Esc and Cancel do nothing.
    An error goes to `complain`."""

    def __init__(self, title: str, parent: QWidget | None, *, modal: bool = False) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(window_title(title))
        self.setModal(modal)
        self.acting: list[QWidget] = []
        self._doing = False
        self._over = False
        self._work: asyncio.Task[None] | None = None

    def fit(self, dense: Size, touch: Size) -> None:
        """Take the first of these sizes that fits the window: the buttons at the bottom must stay
        on the screen."""
        width, height = touch if theme().metrics.touch else dense
        window: QWidget | None = None
        parent = self.parentWidget()
        while parent is not None:  # of a dialog on a dialog the main window counts
            window = parent.window()
            parent = window.parentWidget()
        if window is not None:
            room = window.size()
            width, height = min(width, room.width()), min(height, room.height() - _FRAME)
        self.resize(width, height)

    def cancel_button(self) -> Button:
        """A button that closes without a change."""
        return Button(self.tr("Cancel"), clicked=self.reject)

    def do(
        self, operations: Operations, work: Coroutine[Any, Any, Any], words: str, done: str = ""
    ) -> None:
        """Run `work`, described by `words` while it takes long; then show `done` and close."""
        self._doing = True
        for widget in self.acting:
            widget.setEnabled(False)
        self._work = operations.run(self._do(operations, work, done), words)

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
        """Show why the work failed."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Enable the buttons that can be pressed now."""

    def reject(self) -> None:
        """Close without doing anything, unless work is in progress."""
        if not self._doing:
            super().reject()

    def done(self, result: int) -> None:
        self._over = True
        super().done(result)
