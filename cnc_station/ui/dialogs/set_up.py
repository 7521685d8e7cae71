"""The set-up check list before a job starts on a real machine."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import JobRow, MachineRow
from cnc_station.engine.views.attachments import AttachmentRow
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.machine_dialog import MachineDialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.set_up.attachment_actions import AttachmentActions
from cnc_station.ui.set_up.attachment_list import LARGE, AttachmentList
from cnc_station.ui.set_up.content import SetUpContent
from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.widgets.buttons import Button, PaintedButton, PrimaryButton, paint_face
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.text import Text

_BOX = 24
_BOX_TOUCH = 34
_RADIUS = 6
_PAD = 14
_LEAST = 48


class CheckRow(PaintedButton):
    """`title` and what must be found at the machine; without `checkable` it can only be read."""

    def __init__(
        self, title: str, found: str, parent: QWidget | None = None, *, checkable: bool = True
    ) -> None:
        super().__init__(parent)
        self.setCheckable(checkable)
        self.setEnabled(checkable)
        self.setText(title)
        self.found = found
        self.setAccessibleName(f"{title}: {found}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumHeight(theme().metrics.primary if theme().metrics.touch else _LEAST)
        words = vbox(STRETCH, gap=2)
        for label in (Text(title, Role.NOTE, Ink.MUTED), Text(found, Role.STRONG)):
            label.setWordWrap(True)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            words.addWidget(label)
        words.addStretch(1)
        box = QHBoxLayout(self)
        left = 2 * _PAD + self._box_size() if checkable else _PAD
        box.setContentsMargins(left, 8, _PAD, 8)
        box.addLayout(words, 1)

    @staticmethod
    def _box_size() -> int:
        return _BOX_TOUCH if theme().metrics.touch else _BOX

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        painter = QPainter(self)
        paint_face(painter, self, live.metrics.radius_control)
        if not self.isCheckable():
            return
        size = self._box_size()
        box = QRectF(_PAD, (self.height() - size) / 2, size, size)
        done = self.isChecked()
        painter.setPen(live.pen(Ink.OPERATOR if done else Ink.MUTED, 2))
        painter.setBrush(live.brush(Ink.OPERATOR if done else Ink.SURFACE))
        painter.drawRoundedRect(box, _RADIUS, _RADIUS)
        if done:
            icon = live.pixmap("check", Ink.ON_TONE, size - 6, self.devicePixelRatioF())
            painter.drawPixmap(round(box.left()) + 3, round(box.top()) + 3, icon)


_SIZE = (620, 660)
_SIZE_TOUCH = (760, 720)
_PICTURES = LARGE.width() + 16
_GAP = 12


class SetUpDialog(MachineDialog):
    """The set-up of the job of `content`, assigned to `machine`. What nobody has stated reads "not
    stated". `watched`: the machine can't be started from here. The lines
    have no check boxes where an operator need not confirm set-ups."""

    def __init__(
        self,
        context: PageContext,
        content: SetUpContent,
        machine: MachineRow,
        parent: QWidget | None,
        *,
        watched: bool,
    ) -> None:
        assert content.job is not None
        job = content.job.row
        title = self.tr("Set up {machine}: {job}").format(machine=machine.spec.name, job=job.title)
        about = self.tr("Tick what you have checked at the machine. It moves as soon as you start.")
        if watched:
            about = self.tr("Start it at the panel of the machine, then confirm it here.")
        super().__init__(context, title, about, parent, (job.id, JobState.ASSIGNED))
        self._title = job.title
        to_tick = machine.spec.operator_starts
        self.rows = [
            CheckRow(name, found or self.tr("not stated"), checkable=to_tick)
            for name, found in self._lines(content, job)
        ]
        self.files = AttachmentList(context.now, room=LARGE, editable=False)
        self.files.setFixedWidth(_PICTURES)
        self._on_files = AttachmentActions(context, self)
        self.files.opened.connect(self._on_files.open)
        for row in self.rows:
            row.toggled.connect(self.refresh)
        lines = vbox(*self.rows, STRETCH, gap=8)
        beside = vbox(self.files, STRETCH)
        self.body.addLayout(hbox((lines, 1), beside, gap=_GAP), 1)
        meaning = self.tr(
            "Put aside pauses the job and frees the machine for another. Cancel leaves both as "
            "they are."
        )
        self.explain(meaning)
        self.aside = Button(self.tr("Put aside"), clicked=self._put_aside)
        set_tip(self.aside, meaning)
        start = self.tr("I have started it at the panel") if watched else self.tr("Start")
        self.start = PrimaryButton(start, tone=Tone.OPERATOR, clicked=self._start)
        self.offer(self.aside)
        self.offer(self.cancel_button())
        self.offer(self.start, stretch=1)
        self.refresh()
        more = _PICTURES + _GAP if content.attachments else 0
        self.fit((_SIZE[0] + more, _SIZE[1]), (_SIZE_TOUCH[0] + more, _SIZE_TOUCH[1]))
        wanted = self.files.show_rows(content.attachments)
        self.loading = context.operations.run(self._load_pictures(wanted))

    async def _load_pictures(self, wanted: Sequence[AttachmentRow]) -> None:
        for row in wanted:
            image = await self._on_files.pictures.load(row, self.files.picture_size)
            if image is not None:
                self.files.set_picture(row.id, image)

    def _lines(self, content: SetUpContent, job: JobRow) -> Iterator[tuple[str, str]]:
        told = "\n".join(
            text
            for text in (content.job_notes, content.sheet.notes if content.sheet else "")
            if text
        )
        if told:
            yield self.tr("Notes"), told
        yield self.tr("Material"), job.material
        yield self.tr("Tools"), "\n".join(_line(*pair) for pair in content.tools())
        yield self.tr("Work offset"), _offsets(content.work_offsets())
        yield self.tr("Program"), self._program(job)
        yield self.tr("Quantity"), formatting.parts(job.quantity)
        if content.sheet and content.sheet.first_part:
            yield self.tr("First part"), self.tr("check it before the others, and confirm it")
        if not told:
            yield self.tr("Notes"), ""

    def _program(self, job: JobRow) -> str:
        if not job.program_name:
            return self.tr("none is bound to the job: choose it at the panel")
        said = self.tr("{name}, revision {revision}")
        return said.format(name=job.program_name, revision=job.program_revision)

    def refresh(self) -> None:
        """Start needs every line ticked."""
        self.start.setEnabled(all(row.isChecked() for row in self.rows if row.isCheckable()))

    def _start(self) -> None:
        confirmed = "; ".join(
            f"{row.text().lower()} {' + '.join(row.found.splitlines())}"
            for row in self.rows
            if row.isChecked()
        )
        self.act(JobAction.START, confirmed, self.tr("{job}: started").format(job=self._title))

    def _put_aside(self) -> None:
        done = self.tr("{job}: put aside, it waits paused").format(job=self._title)
        self.act(JobAction.DEFER, "", done)

    def done(self, result: int) -> None:
        self.loading.cancel()
        super().done(result)


def _line(name: str, text: str) -> str:
    return f"{name}  {text}".strip()


def _offsets(pairs: Sequence[tuple[str, str]]) -> str:
    """In one line where nobody added anything."""
    described = any(text for _, text in pairs)
    return ("\n" if described else ", ").join(_line(*pair) for pair in pairs)
