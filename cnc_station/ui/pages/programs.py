"""The stored programs, each known by its content: what they do, and new jobs from them."""

from collections.abc import Sequence

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent

from cnc_station.engine.domain.notice import ABOUT_PROGRAMS, Notice
from cnc_station.engine.queries import ListPrograms, ProgramByHash, ToolpathByHash
from cnc_station.engine.views import JobFilter, ProgramRow
from cnc_station.ui import formatting
from cnc_station.ui.models.row_model import Column
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.list_page import ListPage
from cnc_station.ui.pages.program_detail import ProgramDetailCard
from cnc_station.ui.theme import Ink
from cnc_station.ui.widgets.buttons import Button, add_key
from cnc_station.ui.widgets.empty import EmptyState

_RECOUNT_MS = 1000


class ProgramsPage(ListPage[ProgramRow]):
    """A list of the programs, one of them in detail."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(context, self.tr("Programs"))
        self.table.opened.connect(lambda _: self.new_job())
        self.detail = ProgramDetailCard(context)
        self.detail.new_job_button.clicked.connect(self.new_job)
        self.detail.jobs_button.clicked.connect(self._to_jobs)
        self.detail.revision_chosen.connect(self.select)
        self._recount = QTimer(self, singleShot=True, interval=_RECOUNT_MS)
        self._recount.timeout.connect(self._refresh.request)
        add = Button(self.tr("Add programs…"), clicked=context.navigator.import_files)
        no_match = self.tr("No program's name matches the search.")
        self.lay_out(self.detail, (11, 10), self._no_programs(), no_match, add)
        add_key(self, self.tr("New job from this program"), "J", self.new_job)

    def columns(self) -> Sequence[Column[ProgramRow]]:
        return (
            Column(self.tr("Program"), lambda row: row.name, 216, strong=True),
            Column(self.tr("Rev"), lambda row: f"r{row.revision}", 44, right=True),
            Column(self.tr("Lines"), lambda row: f"{row.lines:,}", 72, right=True),
            Column(
                self.tr("Part"), lambda row: formatting.duration(row.duration_s), 66, right=True
            ),
            Column(
                self.tr("Warnings"),
                lambda row: str(row.warnings) if row.warnings else formatting.NONE,
                72,
                right=True,
                ink=lambda row: Ink.HELD if row.warnings else Ink.MUTED,
            ),
            Column(self.tr("Jobs"), lambda row: f"{row.jobs:,}", 50, right=True),
            Column(
                self.tr("Added"),
                lambda row: formatting.moment(row.added_at, self._context.now()),
                80,
                ink=lambda _: Ink.MUTED,
            ),
        )

    def _no_programs(self) -> EmptyState:
        empty = EmptyState(
            "file",
            self.tr("Drop NC programs here (.nc, .ngc, .tap, .min, .mpf, O1234 …)"),
            self.tr(
                "Programs are stored by their content: a job runs exactly the lines it was given, "
                "and a changed file becomes a new revision."
            ),
            self.tr("Add programs…"),
        )
        empty.step.connect(self._context.navigator.import_files)
        return empty

    def key_of(self, row: ProgramRow) -> str:
        return row.sha256

    def follow(self, notice: Notice) -> None:
        """Jobs matter less: they change only the count of a program's jobs."""
        if notice.tells_of(ABOUT_PROGRAMS):
            self._refresh.request()
        elif notice.jobs and not self._recount.isActive():
            self._recount.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._recount.stop()

    async def read(self) -> Sequence[ProgramRow]:
        return await self._context.door.ask(ListPrograms(self._text))

    def summary(self) -> str:
        return self.tr("{count} stored").format(count=f"{self.rows.total:,}")

    async def load_detail(self, row: ProgramRow) -> None:
        """Show the text first: a long path takes a moment to compute."""
        had = self.detail.shown
        program = await self._context.door.ask(ProgramByHash(row.sha256))
        if program is None or not self.is_chosen(row):
            return
        self.detail.show_program(program)
        if had is not None and had.row.sha256 == row.sha256:
            return
        path = await self._context.door.ask(ToolpathByHash(row.sha256))
        if self.is_chosen(row):
            self.detail.show_path(path)

    def new_job(self) -> None:
        row = self.table.current
        if row is not None:
            self._context.navigator.new_job(row.sha256)

    def _to_jobs(self) -> None:
        row = self.table.current
        if row is not None:
            self._context.navigator.to_jobs(JobFilter(program=row.sha256))
