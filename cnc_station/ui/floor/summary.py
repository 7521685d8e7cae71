"""The five figures above the floor, each the way to the list that it counts."""

from datetime import timedelta
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QWidget

from cnc_station.engine.domain.states import LIVE_JOBS, WAITING_JOBS, JobState
from cnc_station.engine.views import JobCounts, JobFilter
from cnc_station.ui import formatting
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Tone, theme
from cnc_station.ui.widgets.summary import SummaryCard

NEEDS_ATTENTION = frozenset({JobState.NEEDS_ATTENTION, JobState.INTERRUPTED})


class Summary(QWidget):
    """Shows `JobCounts`; only what needs a person is ever coloured."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self.waiting = self._card(self.tr("Waiting"), JobFilter(states=WAITING_JOBS))
        self.running = self._card(self.tr("Running"), JobFilter(states=LIVE_JOBS))
        self.completed = SummaryCard(self.tr("Completed today"))
        self.completed.clicked.connect(self._show_completed)
        self.attention = self._card(
            self.tr("Jobs needing attention"), JobFilter(states=NEEDS_ATTENTION)
        )
        self.late = self._card(self.tr("Late"), JobFilter(late=True))
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme().metrics.card_gap)
        for card in (self.waiting, self.running, self.completed, self.attention, self.late):
            box.addWidget(card, 1)

    def _card(self, caption: str, chosen: JobFilter) -> SummaryCard:
        card = SummaryCard(caption)
        card.clicked.connect(partial(self._context.ways.to_jobs, chosen))
        return card

    def _show_completed(self) -> None:
        """Today is what it is when the card is tapped."""
        now = formatting.local(self._context.now())
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        since = self._context.now() - (now - midnight) // timedelta(milliseconds=1)
        done = frozenset({JobState.COMPLETED})
        self._context.ways.to_jobs(JobFilter(states=done, finished_since=since))

    def show_counts(self, counts: JobCounts) -> None:
        """Shows other figures."""
        self.waiting.set_figure(f"{counts.of(WAITING_JOBS):,}")
        self.running.set_figure(f"{counts.of(LIVE_JOBS):,}")
        self.completed.set_figure(f"{counts.completed_today:,}")
        in_need = counts.of(NEEDS_ATTENTION)
        self.attention.set_figure(f"{in_need:,}", Tone.ALARM if in_need else Tone.NORMAL)
        self.late.set_figure(f"{counts.late:,}")
