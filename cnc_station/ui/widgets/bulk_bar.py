"""What can be done to several selected jobs at once; it takes the place of the filter chips."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from cnc_station.ui.job_commands import Command
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button, DangerButton
from cnc_station.ui.widgets.job_actions import fill_menu
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.text import Text


class BulkBar(QWidget):
    """Shows how many are selected and their commands; `cleared` when that is enough of them."""

    cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.count = Text("", Role.STRONG)
        self._nothing = Text(
            self.tr("Nothing can be done to all of these at once"), Role.NOTE, Ink.MUTED
        )
        self._clear = Button(self.tr("Clear"), quiet=True)
        self._clear.clicked.connect(self.cleared)
        self._commands: dict[str, Command] = {}
        self._shown: tuple[tuple[str, str], ...] = ()
        self._parts: list[QWidget] = []
        self._guard = TapGuard(self)
        self._box = QHBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(theme().metrics.gap)
        self._box.addWidget(self.count)
        self._box.addWidget(self._nothing)
        self._box.addStretch(1)
        self._box.addWidget(self._clear)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_selection(self, count: int, commands: Sequence[Command]) -> None:
        """Shows commands for `count` jobs; the same ones again only renew what they do."""
        self.count.setText(self.tr("{count:,} selected").format(count=count))
        self._commands = {command.key: command for command in commands}
        self._nothing.setVisible(not commands)
        shown = tuple((command.key, command.words) for command in commands)
        if shown != self._shown:
            self._shown = shown
            self._make(commands)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width has room for other buttons."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._make(tuple(self._commands.values()))

    def _make(self, commands: Sequence[Command]) -> None:
        for part in self._parts:
            self._box.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts = []
        room = self.width() - self._clear.sizeHint().width() - self.count.sizeHint().width() - 90
        rest: list[Command] = []
        for command in commands:
            part = self._part(command)
            room -= part.sizeHint().width() + self._box.spacing()
            if room < 0 or rest:
                part.deleteLater()
                rest.append(command)
            else:
                self._add(part)
        if rest:
            more = QToolButton()
            more.setText("⋯")
            more.setAccessibleName(self.tr("More to do"))
            keys = [command.key for command in rest]
            self._menu_on(more, keys, flat=False)
            self._add(more)
        self._guard.show("bar", self._shown or None, *self._parts)

    def _add(self, part: QWidget) -> None:
        self._box.insertWidget(1 + len(self._parts), part)
        self._parts.append(part)

    def _part(self, command: Command) -> QWidget:
        if command.fill is not None:
            asks = QToolButton()
            asks.setText(f"{command.words} ▾")
            asks.setAccessibleName(command.words)
            self._menu_on(asks, [command.key], flat=True)
            return asks
        button = DangerButton(command.words) if command.loses else Button(command.words)
        button.clicked.connect(lambda: self.run(command.key))
        return button

    def _menu_on(self, button: QToolButton, keys: Sequence[str], *, flat: bool) -> None:
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)

        def fill() -> None:
            commands = [self._commands[key] for key in keys if key in self._commands]
            if flat and commands and commands[0].fill is not None:
                menu.clear()
                commands[0].fill(menu)
            else:
                fill_menu(menu, commands)

        menu.aboutToShow.connect(fill)
        button.setMenu(menu)

    def run(self, key: str) -> None:
        """Does what a button does, to those selected now."""
        command = self._commands.get(key)
        if command is not None and command.run is not None:
            command.run()
