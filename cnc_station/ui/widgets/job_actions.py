"""Commands as buttons: those of one job, and those of several jobs at once."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from cnc_station.engine.domain.actions import JobAction
from cnc_station.ui.job_commands import Command
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button, DangerButton, MenuButton, PrimaryButton
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.literal import caption, set_tip
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.text import Text

_MAX_BUTTONS = 3  # one less beside the abort button
_MAX_REMEDIES = 4  # for a job that needs attention: all of them as buttons
_BAR_MARGIN_PX = 90  # px of the bar without buttons
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


class _CommandParts(QWidget):
    """Makes buttons of commands. The same commands again keep their buttons."""

    def __init__(self) -> None:
        super().__init__()
        self._commands: dict[str, Command] = {}
        self._shown: tuple[tuple[str, str], ...] = ()
        self._parts: list[QWidget] = []
        self._guard = TapGuard(self)

    def run(self, key: str) -> None:
        """Run the current command of a button."""
        command = self._commands.get(key)
        if command is not None and command.run is not None:
            command.run()

    def _take(self, commands: Sequence[Command], *more: tuple[str, str]) -> bool:
        """Store the commands; return whether the buttons have to change."""
        self._commands = {command.key: command for command in commands}
        before = self._shown
        self._shown = (*((command.key, command.words) for command in commands), *more)
        return self._shown != before

    def _button(self, command: Command, *, primary: bool = False) -> QPushButton:
        kind = PrimaryButton if primary else DangerButton if command.loses else Button
        return kind(command.words, clicked=lambda: self.run(command.key))

    def _menu_button(self, words: str, name: str, fill: Callable[[QMenu], None]) -> QToolButton:
        return MenuButton(words, name, fill)

    def _more_button(self, commands: Sequence[Command]) -> QToolButton:
        keys = [command.key for command in commands]
        return self._menu_button(
            "⋯",
            self.tr("More to do"),
            lambda menu: fill_menu(
                menu, [self._commands[key] for key in keys if key in self._commands]
            ),
        )

    def _remove_parts(self) -> None:
        for part in self._parts:
            part.hide()
            part.deleteLater()
        self._parts = []


class BulkBar(_CommandParts):
    """Shows how many jobs are selected, and commands for all of them, in place of the chips.
    `all_wanted`: the commands are to be for all jobs that match the filter."""

    cleared = Signal()
    all_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.count = Text("", Role.STRONG)
        nothing = self.tr("Nothing can be done to all of these at once")
        self._nothing = Text(nothing, Role.NOTE, Ink.MUTED)
        self._clear = Button(self.tr("Clear"), quiet=True, clicked=self.cleared)
        self.take_all = Button("", quiet=True, clicked=self.all_wanted)
        gap = theme().metrics.gap
        ends = (STRETCH, self.take_all, self._clear)
        self._box = hbox(self.count, self._nothing, *ends, on=self, gap=gap)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_selection(self, count: int, commands: Sequence[Command], total: int = 0) -> None:
        """Show commands for `count` selected jobs, of the `total` that match the filter."""
        words = self.tr("All {total} that match").format(total=f"{total:,}")
        self.take_all.setText(words if count < total else "")
        self._show(self.tr("{count:,} selected").format(count=count), commands)

    def show_matching(self, total: int, commands: Sequence[Command]) -> None:
        """Show commands for all jobs that match the filter."""
        self.take_all.setText("")
        words = self.tr("All {total} that match the filter").format(total=f"{total:,}")
        self._show(words, commands)

    def _show(self, words: str, commands: Sequence[Command]) -> None:
        self.count.setText(words)
        self.take_all.setVisible(bool(self.take_all.text()))
        self._nothing.setVisible(not commands)
        mode = "some" if self.take_all.text() else "all"
        if self._take(commands, ("mode", mode)):
            self._make()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._make()

    def _make(self) -> None:
        for part in self._parts:
            self._box.removeWidget(part)
        self._remove_parts()
        fixed = (self._clear, self.count, self.take_all)
        taken = _BAR_MARGIN_PX + sum(w.sizeHint().width() for w in fixed if not w.isHidden())
        room = self.width() - taken
        rest: list[Command] = []
        for command in self._commands.values():
            part = self._part(command)
            room -= part.sizeHint().width() + self._box.spacing()
            if room < 0 or rest:
                part.deleteLater()
                rest.append(command)
            else:
                self._add(part)
        if rest:
            self._add(self._more_button(rest))
        self._guard.show("bar", self._shown or None, *self._parts)

    def _add(self, part: QWidget) -> None:
        self._box.insertWidget(1 + len(self._parts), part)
        self._parts.append(part)

    def _part(self, command: Command) -> QWidget:
        if command.fill is None:
            return self._button(command)

        def fill(menu: QMenu) -> None:
            menu.clear()
            now = self._commands.get(command.key)
            if now is not None and now.fill is not None:
                now.fill(menu)

        return self._menu_button(f"{command.words} ▾", command.words, fill)


class JobActionRow(_CommandParts):
    """The next steps of one job as large buttons, the rest in a menu, and a held abort (`aborted`).
    It is laid out for a width of `room` pixels."""

    aborted = Signal()

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room
        gap = theme().metrics.gap
        self._rows = hbox(gap=gap), hbox(gap=gap)
        vbox(*self._rows, on=self, gap=gap)
        self.buttons: dict[str, QPushButton] = {}
        self.abort: HoldButton | None = None
        self.more: QToolButton | None = None

    def show_commands(self, commands: Sequence[Command], *, can_abort: bool) -> None:
        if self._take(commands, *((("abort", ""),) if can_abort else ())):
            self._make(commands, can_abort=can_abort)
        self._guard.show("row", self._shown or None, *self.buttons.values())

    def _make(self, commands: Sequence[Command], *, can_abort: bool) -> None:
        self.abort = self.more = None
        self._remove_parts()
        direct = [command for command in commands if command.run and not command.aside]
        most = _MAX_REMEDIES if JobAction.RETRY in self._commands else _MAX_BUTTONS
        direct = direct[: most - 1 if can_abort else most]
        rest = [command for command in commands if command not in direct]
        decides = JobAction.ACCEPT in self._commands  # then no command is the default
        self.buttons = {
            command.key: self._button(command, primary=command.key in _URGENT and not decides)
            for command in direct
        }
        parts: list[QWidget] = [*self.buttons.values()]
        if rest:
            self.more = self._more_button(rest)
            set_tip(self.more, self.more.accessibleName())
            parts.append(self.more)
        if can_abort:
            self.abort = HoldButton(self.tr("Abort: hold 2 s"), held=self.aborted)
            warning = self.tr("Stops the run and scraps the part. It is not an emergency stop.")
            set_tip(self.abort, warning)
            parts.append(self.abort)
        self._place(parts)

    def opened(self) -> None:
        """Guard the buttons: the panel has just appeared under the pointer."""
        self._guard.opened()

    def forget(self) -> None:
        """Do not guard the next change: the user chose another job."""
        self._guard.forget()

    def _place(self, parts: list[QWidget]) -> None:
        """Use one row, or two where the words would be cut."""
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


def fill_menu(menu: QMenu, commands: Sequence[Command]) -> None:
    """Fill a menu with commands: choices as submenus, commands that end a job below a separator."""
    menu.clear()
    loses = False
    for command in commands:
        if command.loses and not loses:
            menu.addSeparator()
        loses = command.loses
        if command.fill is not None:
            submenu = menu.addMenu(caption(command.words))
            command.fill(submenu)
        elif command.run is not None:
            menu.addAction(caption(command.words), command.run)
