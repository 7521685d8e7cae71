"""What a person needs at the machine for a job or a program, and the ways to add to it."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from cnc_station.engine.commands import CheckFirstPart
from cnc_station.engine.domain.notice import ABOUT_SET_UPS, Notice
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views.attachments import AttachmentRow
from cnc_station.ui import formatting
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.set_up.attachment_actions import ENDINGS, AttachmentActions
from cnc_station.ui.set_up.attachment_list import AttachmentList
from cnc_station.ui.set_up.content import SetUpContent, of_job, of_program
from cnc_station.ui.set_up.sheet_form import SheetForm
from cnc_station.ui.set_up.traveler import Traveler
from cnc_station.ui.theme import Ink, Role, Tone
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.card import scrolling
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.text import Note, Text

_AT_WORK = frozenset((JobState.RUNNING, JobState.HELD))


class SetUpPanel(QWidget):
    """Shows the set-up of a job or a program, loads it while it is visible, and follows changes.
    Files that are dropped on it are attached."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._job_id: int | None = None
        self._program: str | None = None
        self.content: SetUpContent | None = None
        self.actions_on_files = AttachmentActions(context, self)
        self._load = CoalescedTask(context.operations, self._query, self)
        self.nothing = Note()
        self.first_part = Text("", Role.STRONG, wrap=True)
        self.check_button = PrimaryButton(
            self.tr("First part checked"), tone=Tone.OPERATOR, clicked=self._check_first_part
        )
        self.job_notes = _Section(self.tr("Notes"))
        self.files = AttachmentList(context.now, editable=True)
        self.sheet_notes = _Section("")
        self.tools = _Facts(self.tr("Tools"))
        self.offsets = _Facts(self.tr("Work offsets"))
        self.attach_button = Button(self.tr("Attach…"), clicked=self._attach)
        self.edit_button = Button(self.tr("Edit sheet…"), clicked=self.edit)
        self.traveler_button = Button(self.tr("Traveler…"), clicked=self._print)
        self._traveler = Traveler(context, self)
        self._place()
        self.setAcceptDrops(True)
        context.bridge.changed.connect(self._changed)
        for signal, do in (
            (self.files.opened, self.actions_on_files.open),
            (self.files.saved, self.actions_on_files.save),
            (self.files.removed, self._remove),
        ):
            signal.connect(do)

    def _place(self) -> None:
        inner = QWidget()
        first = hbox((self.first_part, 1), self.check_button, gap=8)
        parts = (self.nothing, first, self.job_notes, self.files, self.sheet_notes)
        vbox(*parts, self.tools, self.offsets, STRETCH, on=inner, gap=10)
        buttons = hbox(self.attach_button, self.edit_button, self.traveler_button, STRETCH, gap=6)
        vbox((scrolling(inner), 1), buttons, on=self, gap=8)
        self._show()

    def show_job(self, job_id: int | None) -> None:
        """Show a job; None: there is none."""
        self._choose(job_id, None)

    def show_program(self, sha256: str | None) -> None:
        self._choose(None, sha256)

    def _choose(self, job_id: int | None, program: str | None) -> None:
        if (job_id, program) != (self._job_id, self._program):
            self._job_id, self._program = job_id, program
            self.content = None
            self._show()
            self._request()

    @property
    def settled(self) -> bool:
        """Whether everything that was asked for is on view."""
        return not self._load.busy

    def _request(self) -> None:
        if self.isVisible() and (self._job_id or self._program):
            self._load.request()

    def _changed(self, notice: Notice) -> None:
        if self._job_id in notice.jobs or notice.tells_of(ABOUT_SET_UPS):
            self._request()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._request()

    async def _query(self) -> None:
        job_id, program = self._job_id, self._program
        if job_id is not None:
            content = await of_job(self._context.door, job_id)
        else:
            content = await of_program(self._context.door, program or "")
        if (job_id, program) != (self._job_id, self._program):
            return
        self.content = content
        wanted = self._show()
        for row in wanted:
            image = await self.actions_on_files.pictures.load(row, self.files.picture_size)
            if image is not None:
                self.files.set_picture(row.id, image)

    def _show(self) -> Sequence[AttachmentRow]:
        content = self.content
        sheet = content.sheet if content else None
        program = content.program if content else None
        self.job_notes.show_words(content.job_notes if content else "")
        name = program.row.name if program else ""
        self.sheet_notes.set_title(self.tr("Notes for {program}").format(program=name))
        self.sheet_notes.show_words(sheet.notes if sheet else "")
        self.tools.show_pairs(content.tools() if content else ())
        self.offsets.show_pairs(content.work_offsets() if content else ())
        self._show_first_part(content)
        wanted = self.files.show_rows(content.attachments if content else ())
        self.attach_button.setEnabled(content is not None)
        self.edit_button.setVisible(program is not None)
        self.traveler_button.setVisible(content is not None and content.job is not None)
        self.nothing.setText(self._why_nothing(content))
        self.nothing.setVisible(bool(self.nothing.text()))
        return wanted

    def _why_nothing(self, content: SetUpContent | None) -> str:
        if content is None:
            chosen = self._job_id is not None or self._program is not None
            return self.tr("Loading…") if chosen else self.tr("No job at this machine.")
        sheet = content.sheet
        if content.job_notes or content.attachments or (sheet and sheet.notes):
            return ""
        return self.tr("No notes and no drawing yet. Drop a PDF or a picture here, or use Attach.")

    def _show_first_part(self, content: SetUpContent | None) -> None:
        asked = content is not None and content.sheet is not None and content.sheet.first_part
        job = content.job.row if content is not None and content.job is not None else None
        checked = content.checked if content is not None else None
        words = ""
        if checked is not None:
            when = formatting.moment(checked.at, self._context.now())
            words = self.tr("First part checked by {name}, {when}")
            words = words.format(name=checked.actor, when=when)
        elif asked:
            words = self.tr("The first part of each run is to be checked.")
        self.first_part.setText(words)
        self.first_part.setVisible(bool(words))
        waits = asked and checked is None and job is not None and job.state in _AT_WORK
        self.first_part.set_ink(Ink.OPERATOR if waits else Ink.TEXT)
        self.check_button.setVisible(waits)

    def _check_first_part(self) -> None:
        if self._job_id is not None:
            check = CheckFirstPart(self._job_id)
            self._context.operations.run(self._context.door.execute(check))

    def _attach(self) -> None:
        self.actions_on_files.choose(self._job_id, self._program)

    def _remove(self, row: AttachmentRow) -> None:
        program = self.content.program if self.content else None
        self.actions_on_files.remove(row, program.row.sha256 if program else None)

    def edit(self) -> SheetForm | None:
        """Open the form for the program's sheet."""
        content = self.content
        if content is None or content.program is None or content.sheet is None:
            return None
        form = SheetForm(self._context, content.program, content.sheet, self)
        form.open()
        return form

    def _print(self) -> None:
        if self.content is not None:
            self._traveler.open(self.content)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.content is not None and _files(event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        paths = _files(event.mimeData().urls())
        self.actions_on_files.attach(paths, self._job_id, self._program)


class _Section(QWidget):
    """A title over words that can be selected; hidden without words."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = Text(title, Role.CAPTION, Ink.MUTED)
        self.words = Text("", Role.BODY, wrap=True, selectable=True)
        vbox(self._title, self.words, on=self, gap=2)

    def set_title(self, title: str) -> None:
        self._title.setText(title)

    def show_words(self, words: str) -> None:
        self.words.setText(words)
        self.setVisible(bool(words))


class _Facts(QWidget):
    """A title over pairs; hidden without any."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.facts = KeyValue()
        vbox(Text(title, Role.CAPTION, Ink.MUTED), self.facts, on=self, gap=2)

    def show_pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.facts.set_pairs([(name, text or formatting.NONE) for name, text in pairs])
        self.setVisible(bool(pairs))


def _files(urls: Sequence[QUrl]) -> list[Path]:
    """The dropped files of kinds that can be attached."""
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return [path for path in paths if path.name.lower().endswith(ENDINGS)]
