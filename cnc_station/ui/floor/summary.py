"""The five figures above the floor, each a link to the list that it counts."""

from datetime import timedelta
from functools import partial

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cnc_station.engine.domain.states import LIVE_JOBS, UNDECIDED_JOBS, WAITING_JOBS, JobState
from cnc_station.engine.views import JobCounts, JobFilter
from cnc_station.ui import formatting
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role, Tone, theme
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.buttons import PaintedButton, paint_face
from cnc_station.ui.widgets.layout import hbox
from cnc_station.ui.widgets.text import LEFT, paint_text

_PAD = 15


class SummaryCard(PaintedButton):
    """Caption above a large figure; `clicked` opens the list behind it."""

    def __init__(self, caption: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption = caption
        self._figure = "—"
        self._tone = Tone.NORMAL
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(caption)

    def set_figure(self, figure: int | str, tone: Tone = Tone.NORMAL) -> None:
        """Show a figure; a tone other than NORMAL colours it."""
        if (str(figure), tone) == (self._figure, self._tone):
            return
        self._figure, self._tone = str(figure), tone
        self.setAccessibleName(f"{self._caption}: {self._figure}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(150, 72)

    def minimumSizeHint(self) -> QSize:
        return QSize(96, 72)

    def paintEvent(self, event: QPaintEvent) -> None:
        live = theme()
        painter = QPainter(self)
        paint_face(painter, self, live.metrics.radius_card)
        room = QRect(_PAD, 11, self.width() - 2 * _PAD, 18)
        paint_text(painter, room, self._caption, Role.CAPTION, Ink.MUTED)
        ink = Ink.TEXT if self._tone is Tone.NORMAL else tone_ink(self._tone)
        painter.setFont(live.font(Role.FIGURE))
        painter.setPen(live.pen(ink))
        painter.drawText(QRect(_PAD, 28, room.width(), 34), LEFT, self._figure)


class Summary(QWidget):
    """Shows `JobCounts`; only what needs a person is ever coloured."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self.waiting = self._card(self.tr("Waiting"), JobFilter(states=WAITING_JOBS))
        self.running = self._card(self.tr("Running"), JobFilter(states=LIVE_JOBS))
        self.completed = SummaryCard(self.tr("Completed today"))
        self.completed.clicked.connect(self._show_completed)
        needing = JobFilter(states=UNDECIDED_JOBS)
        self.attention = self._card(self.tr("Jobs needing attention"), needing)
        self.late = self._card(self.tr("Late"), JobFilter(late=True))
        cards = (self.waiting, self.running, self.completed, self.attention, self.late)
        hbox(*((card, 1) for card in cards), on=self, gap=theme().metrics.card_gap)

    def _card(self, caption: str, chosen: JobFilter) -> SummaryCard:
        card = SummaryCard(caption)
        card.clicked.connect(partial(self._context.navigator.to_jobs, chosen))
        return card

    def _show_completed(self) -> None:
        """ "Today" is the day of the tap."""
        now = formatting.local(self._context.now())
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        since = self._context.now() - (now - midnight) // timedelta(milliseconds=1)
        done = frozenset({JobState.COMPLETED})
        self._context.navigator.to_jobs(JobFilter(states=done, finished_since=since))

    def show_counts(self, counts: JobCounts) -> None:
        self.waiting.set_figure(f"{counts.of(WAITING_JOBS):,}")
        self.running.set_figure(f"{counts.of(LIVE_JOBS):,}")
        self.completed.set_figure(f"{counts.completed_today:,}")
        in_need = counts.of(UNDECIDED_JOBS)
        self.attention.set_figure(f"{in_need:,}", Tone.ALARM if in_need else Tone.NORMAL)
        self.late.set_figure(f"{counts.late:,}")
