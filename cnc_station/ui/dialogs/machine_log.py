"""A machine's recent protocol messages, verbatim."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QFontDatabase, QGuiApplication, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QCheckBox, QFileDialog, QPlainTextEdit, QStackedLayout, QWidget

from cnc_station.engine.queries import MachineLog
from cnc_station.engine.views import MachineRow, Message
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.file_dialogs import file_dialogs
from cnc_station.ui.file_export import write_file
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.fields import SearchField
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.literal import LONGEST_TEXT, one_line
from cnc_station.ui.widgets.text import Text

_SIZE = (920, 620)
_FILTER = 260
_EVERY_MS, _FILLING_MS = 400, 20
_AT_ONCE = 200
_MARGIN = 16
_MOST = 5_000  # lines on view
_SENT, _RECEIVED = "→", "←"


def as_line(message: Message) -> str:
    """`14:07:51.204 → set run`."""
    arrow = _SENT if message.sent else _RECEIVED
    text = one_line(message.text, LONGEST_TEXT)
    return f"{formatting.time_of_day(message.at)}.{message.at % 1000:03} {arrow} {text}"


def newer(messages: Sequence[Message], last: Message | None) -> Sequence[Message]:
    """The messages after `last`; all if it has already left the log."""
    for place in range(len(messages) - 1, -1, -1):
        if messages[place] is last:
            return messages[place + 1 :]
    return messages


class MachineLogDialog(Dialog):
    """Follows the log of `machine` while it is shown; `station` is this one. Open it with `show()`:
    it is not modal."""

    def __init__(
        self, context: PageContext, machine: MachineRow, station: str, parent: QWidget
    ) -> None:
        title = self.tr("Log of {machine}").format(machine=machine.spec.name)
        super().__init__(title, parent)
        self._context = context
        self._machine = machine
        self._last: Message | None = None
        self.resize(*_SIZE)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(_MOST)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
        self.text.setStyleSheet(f'QPlainTextEdit {{ font-family: "{fixed}"; }}')
        self.text.setAccessibleName(title)
        nothing = self.tr("No messages since this station was started.")
        if machine.station != station:
            nothing = self.tr("This machine is wired to station {station}: look there.")
            nothing = nothing.format(station=machine.station)
        self.empty = EmptyState("list", self.tr("No messages"), nothing)
        self.filter = SearchField(self.tr("Filter…"))
        self.filter.setMinimumWidth(_FILTER)
        self.filter.textChanged.connect(self._all_again)
        self.follow = QCheckBox(self.tr("Follow"))
        self.follow.setChecked(True)
        self.follow.toggled.connect(self._to_end)
        self.outcome = Text("", Role.NOTE, Ink.MUTED)
        self._place()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self.read)
        self.finished.connect(self._timer.stop)
        theme().changed.connect(self._all_again)
        self._timer.start()
        self.read()

    def _place(self) -> None:
        copy = Button(self.tr("Copy"), clicked=self.copy)
        save = Button(self.tr("Save…"), clicked=self.ask_where)
        close = Button(self.tr("Close"), clicked=self.accept)
        head = hbox(Text(self.windowTitle(), Role.PAGE_TITLE), STRETCH, self.filter, self.follow)
        foot = hbox((self.outcome, 1), copy, save, close)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.text)
        vbox(head, (self._stack, 1), foot, on=self, gap=12, margins=_MARGIN)

    def read(self) -> None:
        """Add new messages, in portions small enough to keep the window responsive."""
        messages = self._context.door.peek(MachineLog(self._machine.id))
        waiting = newer(messages, self._last)
        fresh = waiting[:_AT_ONCE]
        self._timer.setInterval(_EVERY_MS if len(waiting) == len(fresh) else _FILLING_MS)
        self._stack.setCurrentIndex(1 if messages else 0)
        if fresh:
            self._last = fresh[-1]
            self._add(fresh)

    def _add(self, messages: Sequence[Message]) -> None:
        wanted = self.filter.text().lower()
        formats = {sent: QTextCharFormat() for sent in (True, False)}
        formats[True].setForeground(theme().brush(Ink.OPERATOR))
        formats[False].setForeground(theme().brush(Ink.TEXT))
        bar = self.text.verticalScrollBar()
        place = bar.value()
        cursor = QTextCursor(self.text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for message in messages:
            line = as_line(message)
            if wanted in line.lower():
                start = "" if self.text.document().isEmpty() else "\n"
                cursor.insertText(start + line, formats[message.sent])
        cursor.endEditBlock()
        if self.follow.isChecked():
            self._to_end()
        else:
            bar.setValue(place)

    def _all_again(self) -> None:
        self.text.clear()
        self._last = None
        self.read()

    def _to_end(self) -> None:
        if self.follow.isChecked():
            bar = self.text.verticalScrollBar()
            bar.setValue(bar.maximum())

    def copy(self) -> None:
        """Copy the selection, or everything, to the clipboard."""
        cursor = self.text.textCursor()
        text = cursor.selection().toPlainText() or self.text.toPlainText()
        QGuiApplication.clipboard().setText(text)
        lines = text.count("\n") + 1 if text else 0
        self.outcome.setText(self.tr("{n:,} lines copied").format(n=lines))

    def ask_where(self) -> QFileDialog:
        dialog = file_dialogs.make(self, self.tr("Save the log"), self.tr("Text (*.txt)"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("txt")
        dialog.selectFile(f"{self._machine.spec.name} log.txt")
        dialog.fileSelected.connect(lambda name: self.save(Path(name)))
        dialog.open()
        return dialog

    def save(self, path: Path) -> None:
        content = (self.text.toPlainText() + "\n").encode()
        self._context.operations.run(self._save(path, content))

    async def _save(self, path: Path, content: bytes) -> None:
        await write_file(path, content)
        self._context.operations.say(f"{path.name}: {len(content) / 1024:,.0f} KiB")
