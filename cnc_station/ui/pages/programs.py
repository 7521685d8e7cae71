"""The programs kept, each known by its content: what they do, and new jobs from them."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QHideEvent
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.notice import ABOUT_PROGRAMS, Notice
from cnc_station.engine.views import JobFilter, ProgramRow
from cnc_station.ui import formatting
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.models.row_list import ListColumn, RowList
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.program_detail import ProgramDetailCard
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.list_panes import ListPanes
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.text import ElidedLabel

_RECOUNT_MS = 1000


class ProgramsPage(QWidget):
    """A list of the programs, one of them in full."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._text = ""
        self._wanted: str | None = None
        self.rows = RowList(self._columns(), lambda row: row.sha256, self)
        self.table = ListTable(self.rows, self.tr("Programs"))
        self.table.chosen.connect(self._chosen)
        self.table.opened.connect(lambda _: self.new_job())
        self.detail = ProgramDetailCard(context.now)
        self.detail.new_job.connect(self.new_job)
        self.detail.to_jobs.connect(self._to_jobs)
        self.detail.revision_chosen.connect(self.select)
        self._refresh = CoalescedTask(context.operations, self._load, self)
        self._recount = QTimer(self, singleShot=True, interval=_RECOUNT_MS)
        self._recount.timeout.connect(self._refresh.request)
        self._asking_detail = CoalescedTask(context.operations, self._load_detail, self)
        context.bridge.changed.connect(self._follow)
        self._place()
        action = QAction(self.tr("New job from this program"), self)
        action.setShortcut("J")
        action.triggered.connect(self.new_job)
        self.addAction(action)

    def _columns(self) -> tuple[ListColumn[ProgramRow], ...]:
        return (
            ListColumn(self.tr("Program"), lambda row: row.name, 216, strong=True),
            ListColumn(self.tr("Rev"), lambda row: f"r{row.revision}", 44, right=True),
            ListColumn(self.tr("Lines"), lambda row: f"{row.lines:,}", 72, right=True),
            ListColumn(
                self.tr("Part"), lambda row: formatting.duration(row.duration_s), 66, right=True
            ),
            ListColumn(
                self.tr("Remarks"),
                lambda row: str(row.warnings) if row.warnings else formatting.NONE,
                72,
                right=True,
                ink=lambda row: Ink.HELD if row.warnings else Ink.MUTED,
            ),
            ListColumn(self.tr("Jobs"), lambda row: f"{row.jobs:,}", 50, right=True),
            ListColumn(
                self.tr("Added"),
                lambda row: formatting.moment(row.added_at, self._context.now()),
                80,
                ink=lambda _: Ink.MUTED,
            ),
        )

    def _place(self) -> None:
        self.count = ElidedLabel(self.tr("Nothing read yet"), Role.STRONG)
        add = Button(self.tr("Add programs…"))
        add.clicked.connect(self._context.ways.import_files)
        self.empty = EmptyState(
            "file",
            self.tr("Drop NC programs here (.nc, .ngc, .tap, .min, .mpf, O1234 …)"),
            self.tr(
                "Programs are kept by their content: a job runs exactly the lines it was given, "
                "and a changed file becomes a new revision."
            ),
            self.tr("Add programs…"),
        )
        self.empty.step.connect(self._context.ways.import_files)
        self.nothing_found = EmptyState(
            "search", self.tr("Nothing found"), self.tr("No program's name matches the search.")
        )
        instead = (self.empty, self.nothing_found)
        self._panes = ListPanes(self, (self.count, add), self.table, self.detail, (11, 10), instead)

    # what is on view

    def arrived(self) -> None:
        """Looks again: programs may have come. The keys are for the list, not for a button."""
        self.table.setFocus()
        self._refresh.request()

    def search(self, text: str) -> None:
        """Shows only programs whose name matches."""
        self._text = text
        self._refresh.request()

    def select(self, sha256: str) -> None:
        """Chooses a program, now or as soon as it is listed."""
        self._wanted = sha256
        self._refresh.request()

    def _follow(self, notice: Notice) -> None:
        """Jobs matter too, if less: each program says how many are bound to it."""
        if not self.isVisible():
            return
        if notice.tells_of(ABOUT_PROGRAMS):
            self._refresh.request()
        elif notice.jobs and not self._recount.isActive():
            self._recount.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Counts no more: nobody looks."""
        super().hideEvent(event)
        self._recount.stop()

    async def _load(self) -> None:
        rows = await self._context.engine.programs(self._text)
        self.rows.take(rows)
        place = None if self._wanted is None else self.rows.position(self._wanted)
        self._wanted = None
        if place is not None:
            self.table.choose(place)
        elif rows and self.table.current is None:
            self.table.choose(0)
        nothing = self.nothing_found if self._text else self.empty
        self._panes.show_list(unless=None if rows else nothing)
        self.count.setText(self.tr("{count} kept").format(count=f"{len(rows):,}"))
        self._asking_detail.request()

    def _chosen(self, row: ProgramRow | None) -> None:
        if row is not None:
            self._asking_detail.request()

    async def _load_detail(self) -> None:
        """The text first: a long path takes a moment to work out."""
        row = self.table.current
        if row is None:
            return
        had = self.detail.shown
        program = await self._context.engine.program(row.sha256)
        if program is None or not self._still(row):
            return
        self.detail.show_program(program)
        if had is not None and had.row.sha256 == row.sha256:
            return
        path = await self._context.engine.toolpath(row.sha256)
        if self._still(row):
            self.detail.show_path(path)

    def _still(self, row: ProgramRow) -> bool:
        current = self.table.current
        return current is not None and current.sha256 == row.sha256

    # what can be done

    def new_job(self) -> None:
        """A job that runs the program chosen."""
        row = self.table.current
        if row is not None:
            self._context.ways.new_job(row.sha256)

    def _to_jobs(self) -> None:
        row = self.table.current
        if row is not None:
            self._context.ways.to_jobs(JobFilter(program=row.sha256))
