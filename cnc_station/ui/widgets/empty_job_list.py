"""What stands in the place of an empty list of jobs: why it is empty, and the next step."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from cnc_station.engine.domain.states import FINISHED_JOBS, OPEN_JOBS
from cnc_station.engine.views import JobFilter
from cnc_station.ui.widgets.empty import EmptyState


class NoJobs(QStackedWidget):
    """`new_job` and `chosen(JobFilter)` are the steps it offers."""

    new_job = Signal()
    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filter = JobFilter()
        self.first = EmptyState(
            "list",
            self.tr("No job yet"),
            self.tr("Drop NC programs or a table of jobs on the window, or type the first one."),
            self.tr("New job"),
        )
        self.first.step.connect(self.new_job)
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
        """Says why this filter finds nothing."""
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
