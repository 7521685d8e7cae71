"""The buttons of one job: what to do next, large; the rest in a menu; abort apart and held."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from cnc_station.engine.domain.actions import JobAction
from cnc_station.ui.job_commands import Command
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button, DangerButton, PrimaryButton
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.tap_guard import TapGuard

_ROW = "row"
_AT_ONCE = 3  # one fewer beside the abort
_REMEDIES = 4  # of a job that needs a person: none of them in a menu
_URGENT = frozenset(
    {
        JobAction.START,
        JobAction.FINISH,
        JobAction.HOLD,
        JobAction.CONTINUE,
        JobAction.RETRY,
        JobAction.SUBMIT,
    }
)


class JobActionRow(QWidget):
    """Shows commands in `room` pixels; `aborted` after the abort was held long enough."""

    aborted = Signal()

    def __init__(self, room: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[tuple[str, str], ...] = ()
        self._commands: dict[str, Command] = {}
        self._room = room
        self._guard = TapGuard(self)
        self._rows = QHBoxLayout(), QHBoxLayout()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme().metrics.gap)
        for row in self._rows:
            row.setSpacing(theme().metrics.gap)
            box.addLayout(row)
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
            self._guard.show(_ROW, shown or None, *self.buttons.values())
            return
        self._shown = shown
        self._clear()
        direct = [command for command in commands if command.run and not command.aside]
        most = _REMEDIES if JobAction.RETRY in self._commands else _AT_ONCE
        direct = direct[: most - 1 if can_abort else most]
        rest = [command for command in commands if command not in direct]
        parts: list[QWidget] = [self._button(command) for command in direct]
        if rest:
            parts.append(self._menu_button(rest))
        if can_abort:
            parts.append(self._abort_button())
        self._place(parts)
        self._guard.show(_ROW, shown or None, *self.buttons.values())

    def opened(self) -> None:
        """The panel has just come up under whatever was tapped."""
        self._guard.opened()

    def forget(self) -> None:
        """The job shown next was chosen by the person."""
        self._guard.forget()

    def _place(self, parts: list[QWidget]) -> None:
        """In one row, or in two where their words would be cut."""
        self._parts = parts
        wide = self._too_wide(parts)
        in_first = (len(parts) + 1) // 2 if wide and len(parts) > 2 else len(parts)
        while in_first > 1 and self._too_wide(parts[:in_first]):
            in_first -= 1
        for at, part in enumerate(parts):
            row = self._rows[0] if at < in_first else self._rows[1]
            row.addWidget(part, 0 if part in (self.more, self.abort) else 1)

    def _too_wide(self, parts: Sequence[QWidget]) -> bool:
        gap = theme().metrics.gap
        return sum(part.sizeHint().width() + gap for part in parts) > self._room

    def _abort_button(self) -> HoldButton:
        self.abort = HoldButton(self.tr("Abort: hold 2 s"))
        self.abort.setToolTip(
            self.tr("Stops the run and scraps the part. It is not an emergency stop.")
        )
        self.abort.held.connect(self.aborted)
        return self.abort

    def run(self, key: str) -> None:
        """Does what a button does, as it is meant now."""
        command = self._commands.get(key)
        if command is not None and command.run is not None:
            command.run()

    def _button(self, command: Command) -> QPushButton:
        button: QPushButton
        decides = JobAction.ACCEPT in self._commands  # no choice is the obvious one then
        if command.key in _URGENT and not decides:
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
