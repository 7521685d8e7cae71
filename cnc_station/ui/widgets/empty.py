"""What an empty list shows: why it is empty, and the first step."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from cnc_station.engine.domain.states import FINISHED_JOBS, OPEN_JOBS
from cnc_station.engine.views import JobFilter
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox
from cnc_station.ui.widgets.text import Text

_ICON = 40
_WIDTH = 420


class EmptyState(QWidget):
    """An icon, one sentence, and a button for the first step if there is one (`step`)."""

    step = Signal()

    def __init__(self, icon: str, title: str, sentence: str, step_label: str = "") -> None:
        super().__init__()
        self._icon = icon
        self._picture = Text()
        words = Text(sentence, Role.BODY, Ink.MUTED, wrap=True)
        words.setMaximumWidth(_WIDTH)
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        box = QVBoxLayout(self)
        box.setSpacing(8)
        box.addStretch(2)
        centre = Qt.AlignmentFlag.AlignHCenter
        fill(box, (self._picture, 0, centre), 4, (Text(title, Role.CARD_TITLE), 0, centre))
        line = hbox(STRETCH, (words, 1000), STRETCH)
        box.addLayout(line)
        if step_label:
            button = PrimaryButton(step_label, clicked=self.step)
            fill(box, 8, (button, 0, centre))
        self._offers = QHBoxLayout()
        box.addLayout(self._offers)
        box.addStretch(3)
        self._draw()
        theme().changed.connect(self._draw)

    def offer(self, label: str, taken: Callable[[], object]) -> None:
        """Add another way to begin, below the first step."""
        button = Button(label, clicked=taken)
        self._offers.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)

    def _draw(self) -> None:
        ratio = self.devicePixelRatioF()
        self._picture.setPixmap(theme().pixmap(self._icon, Ink.MUTED, _ICON, ratio))


class NoJobs(QStackedWidget):
    """The empty job list; `new_job`, `import_wanted` and `chosen(JobFilter)` are the steps it
    offers."""

    new_job = Signal()
    import_wanted = Signal()
    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._filter = JobFilter()
        self.first = EmptyState(
            "list",
            self.tr("No job yet"),
            self.tr("Drop NC programs or a table of jobs on the window, or type the first one."),
            self.tr("New job"),
        )
        self.first.step.connect(self.new_job)
        self.first.offer(self.tr("Import a table…"), self.import_wanted.emit)
        self.not_found = EmptyState(
            "search",
            self.tr("Nothing found among these"),
            self.tr("No job of this list has all these words. It may be in another list."),
            self.tr("Search all jobs, finished ones too"),
        )
        self.not_found.step.connect(self._search_all)
        self.filtered = EmptyState(
            "list",
            self.tr("No job here"),
            self.tr("No job matches this filter at the moment."),
            self.tr("Show all open jobs"),
        )
        self.filtered.step.connect(self._show_open)
        for state in (self.first, self.not_found, self.filtered):
            self.addWidget(state)

    def explain(self, chosen: JobFilter, *, shop_is_empty: bool) -> None:
        self._filter = chosen
        everything = chosen.states >= OPEN_JOBS | FINISHED_JOBS and not chosen.late
        if shop_is_empty:
            self.setCurrentWidget(self.first)
        elif chosen.text and not everything:
            self.setCurrentWidget(self.not_found)
        else:
            self.setCurrentWidget(self.filtered)

    def _search_all(self) -> None:
        self.chosen.emit(JobFilter(states=OPEN_JOBS | FINISHED_JOBS, text=self._filter.text))

    def _show_open(self) -> None:
        self.chosen.emit(JobFilter(states=OPEN_JOBS))
