"""Buttons for the ticked rows of a list, in place of the other widgets above it."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button, DangerButton
from cnc_station.ui.widgets.layout import hbox
from cnc_station.ui.widgets.tap_guard import TapGuard


class TickedBar(QWidget):
    """Shows a button for each action with the number of rows that it is for; a button for none is
    disabled. Without a ticked row the widgets `otherwise` are on view instead."""

    def __init__(self, *otherwise: QWidget) -> None:
        super().__init__()
        self._otherwise = otherwise
        self._words: dict[str, str] = {}
        self.buttons: dict[str, Button] = {}
        self._box = hbox(on=self, gap=theme().metrics.gap)
        self._guard = TapGuard(self)
        self.hide()

    def add(self, key: str, words: str, run: Callable[[], object], *, loses: bool = False) -> None:
        """Add a button; `loses` marks an action that ends something."""
        button = (DangerButton if loses else Button)(words, clicked=run)
        self._words[key] = words
        self.buttons[key] = button
        self._box.addWidget(button)

    def show_counts(self, ticked: int, counts: Sequence[int]) -> None:
        """Show for how many of the ticked rows each action is, in the order they were added."""
        for (key, button), count in zip(self.buttons.items(), counts, strict=True):
            button.setText(f"{self._words[key]} ({count:,})")
            button.setEnabled(count > 0)
        for widget in self._otherwise:
            widget.setVisible(not ticked)
        self.setVisible(bool(ticked))
        self._guard.show("bar", True if ticked else None, *self.buttons.values())
