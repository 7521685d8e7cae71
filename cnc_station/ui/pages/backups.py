"""Back-ups in the settings: where and when they are made, which ones are kept, how to restore."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, QTime
from PySide6.QtWidgets import QFileDialog, QTimeEdit, QWidget

from cnc_station.engine.commands import BackUpNow, SetBackupPlan
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.notice import ABOUT_LINKS, Notice
from cnc_station.engine.queries import BackupsNow
from cnc_station.engine.views.backups import BackupRow, Backups
from cnc_station.ui import formatting
from cnc_station.ui.file_dialogs import file_dialogs
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.card import Card, scrolling
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.progress import ProgressBar
from cnc_station.ui.widgets.text import ElidedLabel, Note, Text

_CLOCK = "HH:mm"


class BackupSettings(QWidget):
    """The plan and the latest back-up at the left; those that are kept at the right."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._known = Backups()
        self.folder = ElidedLabel("")
        self.choose = Button(self.tr("Choose folder…"), clicked=self.ask_folder)
        self.stop = Button(self.tr("Stop"), quiet=True, clicked=lambda: self.set_plan(""))
        self.stop.setAccessibleName(self.tr("Make no daily back-ups"))
        self.clock = QTimeEdit()
        self.clock.setDisplayFormat(_CLOCK)
        self.clock.editingFinished.connect(self._set_clock)
        self.plan_fault = Text("", Role.NOTE, Ink.ALARM, wrap=True)
        self.plan_fault.hide()
        self.now = PrimaryButton(self.tr("Back up now"), clicked=self.back_up)
        self.bar = ProgressBar()
        self.latest = KeyValue()
        self.fault = Text("", Role.NOTE, Ink.ALARM, wrap=True, selectable=True)
        self.kept = KeyValue()
        self.nothing = Note(self.tr("No back-up is in the folder yet."))
        self.daily, self.last = self._daily(), self._last()
        gap = theme().metrics.page_margin
        inner = QWidget()
        line = hbox(on=inner, gap=gap)
        line.addLayout(vbox(self.daily, self.last, self._how(), STRETCH, gap=gap), 3)
        line.addLayout(vbox(self._list(), STRETCH, gap=gap), 2)
        line.setAlignment(Qt.AlignmentFlag.AlignTop)
        vbox(scrolling(inner, right=0, focus=True), on=self)
        context.bridge.changed.connect(self._follow)

    def _daily(self) -> Card:
        card = Card(title=self.tr("Daily back-ups"), note=" ")
        self.clock_field = Field(
            self.tr("Every day at"),
            self.clock,
            hint=self.tr("One that was missed is made at the next start."),
        )
        about = Note(
            self.tr(
                "A network share, a USB stick or another disk: a back-up on the disk of the "
                "database does not survive that disk."
            )
        )
        buttons = hbox(self.choose, self.stop, STRETCH, gap=theme().metrics.gap)
        title = Text(self.tr("Folder"), Role.NOTE, Ink.MUTED)
        fill(card.body, 4, title, self.folder, 4, about, 4, buttons, self.plan_fault, 8)
        fill(card.body, hbox(self.clock_field, STRETCH))
        return card

    def _last(self) -> Card:
        card = Card(title=self.tr("Latest back-up"))
        fill(card.body, 4, self.latest, self.fault, 4, self.bar)
        fill(card.body, hbox(self.now, STRETCH))
        return card

    def _list(self) -> Card:
        card = Card(title=self.tr("Kept"))
        rule = Note(
            self.tr(
                "The newest one of each of the last 7 days, 4 weeks and 12 months stays; others "
                "are deleted."
            )
        )
        fill(card.body, 4, self.nothing, self.kept, 8, rule)
        return card

    def _how(self) -> Card:
        card = Card(title=self.tr("To restore"))
        steps = Note(
            self.tr(
                "Close CNC Station, then run `cnc-station restore FILE`. The file is checked "
                "first, and what was there is put aside. Real machines stay in maintenance until "
                "you agree that they are run from here."
            )
        )
        secret = Note(
            self.tr(
                "A back-up holds the shop's data, but no passwords of servers. Keep it private."
            )
        )
        fill(card.body, 4, steps, 4, secret)
        return card

    # What is shown

    def arrived(self) -> None:
        """Show what the station knows."""
        self._known = self._context.door.peek(BackupsNow())
        known, now = self._known, self._context.now()
        self.folder.setText(known.folder or self.tr("none: no daily back-ups are made"))
        self.choose.setVisible(not known.fixed)
        self.stop.setVisible(bool(known.folder) and not known.fixed)
        self.clock.setEnabled(bool(known.folder) and not known.fixed)
        if known.clock and not self.clock.hasFocus():
            with QSignalBlocker(self.clock):
                self.clock.setTime(QTime.fromString(known.clock, _CLOCK))
        fixed = self.tr("set outside the window, as backup_folder")
        self.daily.note.setText(fixed if known.fixed else " ")
        self._show_latest(known, now)
        self.nothing.setVisible(not known.rows)
        self.kept.setVisible(bool(known.rows))
        self.kept.set_pairs([_line(row, now) for row in known.rows])

    def _show_latest(self, known: Backups, now: int) -> None:
        pairs = [(self.tr("Made"), self.tr("never"))]
        if known.rows:
            newest = known.rows[0]
            pairs = [
                (self.tr("Made"), formatting.moment(newest.at, now)),
                (self.tr("Size"), size_text(newest.size)),
                (self.tr("File"), newest.name),
            ]
        self.latest.set_pairs(pairs)
        self.last.set_tone(Tone.HELD if known.overdue else Tone.NORMAL)
        self.fault.setText(known.fault)
        self.fault.setVisible(bool(known.fault))
        making = known.part is not None
        self.bar.setVisible(making)
        self.bar.set_fraction(known.part)
        self.now.setEnabled(bool(known.folder) and not making)
        self.now.setText(self.tr("Backing up…") if making else self.tr("Back up now"))

    def _follow(self, notice: Notice) -> None:
        if self.isVisible() and notice.tells_of(ABOUT_LINKS):
            self.arrived()

    # What is done

    def back_up(self) -> None:
        """Make a back-up in the chosen folder."""
        self._context.operations.run(self._back_up())

    async def _back_up(self) -> None:
        await self._context.door.execute(BackUpNow())

    def ask_folder(self) -> QFileDialog:
        """Choose the folder."""
        dialog = file_dialogs.make(self, self.tr("Folder for back-ups"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.filesSelected.connect(self._choose)
        dialog.open()
        return dialog

    def _choose(self, folders: Sequence[str]) -> None:
        if folders:
            self.set_plan(folders[0])

    def _set_clock(self) -> None:
        if self._clock_text() != self._known.clock and self._known.folder:
            self.set_plan(self._known.folder)

    def set_plan(self, folder: str) -> None:
        """Make the daily back-ups in a folder; "": make none."""
        command = SetBackupPlan(folder, self._clock_text())
        self._context.operations.run(self._set_plan(command))

    def _clock_text(self) -> str:
        return self.clock.time().toString(_CLOCK)

    async def _set_plan(self, command: SetBackupPlan) -> None:
        fault = ""
        try:
            await self._context.door.execute(command)
        except CncStationError as error:
            fault = formatting.sentence(str(error))
        self.plan_fault.setText(fault)
        self.plan_fault.setVisible(bool(fault))


def size_text(size: int) -> str:
    """`0.3 MB`, `12 MB`, `1.4 GB`."""
    if size >= 1_000_000_000:
        return f"{size / 1_000_000_000:.1f} GB"
    return f"{size / 1_000_000:.1f} MB" if size < 10_000_000 else f"{size / 1_000_000:.0f} MB"


def _line(row: BackupRow, now: int) -> tuple[str, str]:
    return formatting.moment(row.at, now), size_text(row.size)
