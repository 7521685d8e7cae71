"""The buttons of one job: what to do next, large; the rest in a menu; abort apart and held."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from cnc_station.engine.domain.actions import JobAction
from cnc_station.ui.job_commands import Command
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button, DangerButton, PrimaryButton
from cnc_station.ui.widgets.hold_button import HoldButton

_AT_ONCE = 3
_URGENT = frozenset({JobAction.HOLD, JobAction.CONTINUE, JobAction.RETRY, JobAction.SUBMIT})


class JobActionRow(QWidget):
    """Shows commands; `aborted` after the abort was held long enough."""

    aborted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[tuple[str, str], ...] = ()
        self._commands: dict[str, Command] = {}
        self._box = QHBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(theme().metrics.gap)
        self._parts: list[QWidget] = []
        self.buttons: dict[str, QPushButton] = {}
        self.abort: HoldButton | None = None
        self.more: QToolButton | None = None

    def show_commands(self, commands: Sequence[Command], *, can_abort: bool) -> None:
        """Shows these; the same ones again only renew what they do."""
        self._commands = {command.key: command for command in commands}
        shown = tuple((command.key, command.words) for command in commands)
        shown = (*shown, ("abort", "")) if can_abort else shown
        if shown == self._shown:
            return
        self._shown = shown
        self._clear()
        room = _AT_ONCE - 1 if can_abort else _AT_ONCE
        direct = [command for command in commands if command.run and not command.aside][:room]
        for command in direct:
            self._add(self._button(command), 1)
        rest = [command for command in commands if command not in direct]
        if rest:
            self._add(self._menu_button(rest))
        if can_abort:
            self.abort = HoldButton(self.tr("Abort: press 2 s"))
            self.abort.setToolTip(
                self.tr("Stops the run and scraps the part. It is not an emergency stop.")
            )
            self.abort.held.connect(self.aborted)
            self._add(self.abort)

    def _add(self, part: QWidget, stretch: int = 0) -> None:
        self._box.addWidget(part, stretch)
        self._parts.append(part)

    def run(self, key: str) -> None:
        """Does what a button does, as it is meant now."""
        command = self._commands.get(key)
        if command is not None and command.run is not None:
            command.run()

    def _button(self, command: Command) -> QPushButton:
        button: QPushButton
        if command.key in _URGENT:
            button = PrimaryButton(command.words)
        elif command.loses:
            button = DangerButton(command.words)
        else:
            button = Button(command.words)
        button.clicked.connect(lambda: self.run(command.key))
        self.buttons[command.key] = button
        return button

    def _menu_button(self, commands: Sequence[Command]) -> QToolButton:
        self.more = QToolButton()
        self.more.setText("⋯")
        self.more.setAccessibleName(self.tr("More to do"))
        self.more.setToolTip(self.more.accessibleName())
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more)
        menu.aboutToShow.connect(
            lambda: fill_menu(menu, [self._commands[command.key] for command in commands])
        )
        self.more.setMenu(menu)
        return self.more

    def _clear(self) -> None:
        self.abort = self.more = None
        self.buttons.clear()
        for part in self._parts:
            self._box.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts = []


def fill_menu(menu: QMenu, commands: Sequence[Command]) -> None:
    """Makes a menu of commands, those that ask how as submenus, those that end a job apart."""
    menu.clear()
    loses = False
    for command in commands:
        if command.loses and not loses:
            menu.addSeparator()
        loses = command.loses
        if command.fill is not None:
            submenu = menu.addMenu(command.words)
            command.fill(submenu)
        elif command.run is not None:
            menu.addAction(command.words, command.run)
