"""The Jobs page's menus and keys, applied to the selected jobs."""

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from cnc_station.engine.domain.actions import JobAction, allowed
from cnc_station.engine.queries import JobById
from cnc_station.engine.views import JobFilter, JobRow
from cnc_station.ui.dialogs.job_form import JobForm
from cnc_station.ui.file_export import FORMS, JobExport
from cnc_station.ui.job_commands import Command, JobCommands
from cnc_station.ui.job_order import BY_QUEUE, BY_STATE_AND_QUEUE, QueueMoves, Way
from cnc_station.ui.models.job_feed import JobFeed
from cnc_station.ui.models.job_selection import SelectedRows
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.job_actions import fill_menu
from cnc_station.ui.widgets.job_table_view import JobTableView
from cnc_station.ui.widgets.literal import caption
from cnc_station.ui.widgets.row_drag import RowDrag
from cnc_station.ui.widgets.tap_guard import TapGuard

_HOLD_KEY = "Space"


def _held_or_run(row: JobRow) -> frozenset[JobAction]:
    return frozenset({JobAction.HOLD, JobAction.CONTINUE}) & allowed(row.state)


@dataclass(frozen=True, slots=True)
class JobList:
    """The parts of the page that show the list."""

    view: JobTableView
    feed: JobFeed
    selected: SelectedRows
    commands: JobCommands


class JobMenus(QObject):
    """`sort_wanted`: another order of the list."""

    sort_wanted = Signal(tuple)

    def __init__(
        self, context: PageContext, window: QWidget, jobs: JobList, moves: QueueMoves
    ) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self._jobs = jobs
        self._moves = moves
        self.export = JobExport(context, window)
        jobs.commands.form_wanted.connect(self._want_form)
        jobs.view.customContextMenuRequested.connect(self._context_menu)
        self.drag = RowDrag(jobs.view, self._may_drag)
        self.drag.dropped.connect(self._dropped)
        self._guard = TapGuard(jobs.view)
        self._guarded: int | None = None
        jobs.selected.changed.connect(self._guard_key)
        self._add_keys()

    def _add_keys(self) -> None:
        view = self._jobs.view
        for words, key, run in (
            (self.tr("Hold or continue the job"), _HOLD_KEY, self.hold_or_continue),
            (self.tr("Edit the job"), "F2", self.edit),
            (self.tr("Select all jobs"), "Ctrl+A", view.selectAll),
            (self.tr("Earlier in the queue"), "Alt+Up", partial(self.move, Way.UP)),
            (self.tr("Later in the queue"), "Alt+Down", partial(self.move, Way.DOWN)),
            (self.tr("To the front of the queue"), "Alt+Home", partial(self.move, Way.FRONT)),
            (self.tr("To the end of the queue"), "Alt+End", partial(self.move, Way.END)),
        ):
            action = QAction(caption(words), view)
            action.setShortcut(QKeySequence(key))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.setAutoRepeat(key != _HOLD_KEY)
            action.triggered.connect(run)
            view.addAction(action)

    def _one(self) -> JobRow | None:
        """The one selected job, never the table's current row: when a row goes, its neighbour
        becomes current without a selection."""
        selected = self._jobs.selected
        return selected.rows[0] if selected.count == 1 and selected.rows else None

    def _guard_key(self) -> None:
        """Record what the key would do to the selected job now."""
        row = self._one()
        if row is None or row.id != self._guarded:
            self._guard.forget()
        self._guarded = None if row is None else row.id
        self._guard.show(_HOLD_KEY, (_held_or_run(row) or None) if row else None)

    def hold_or_continue(self) -> None:
        """Hold the selected job if it runs, continue it if it is held; report when only the
        machine's own panel can. Ignored for a second after one has become the other."""
        row = self._one()
        if row is None:
            return
        self._guard_key()
        wanted = _held_or_run(row)
        if not self._guard.is_settled(_HOLD_KEY):
            return
        for command in self._jobs.commands.of([row]):
            if command.key in wanted and command.run is not None:
                command.run()
                return
        if wanted:
            watched = self.tr("{machine} can only be watched: use its own panel.")
            away = self._jobs.commands.why_not(row)
            self._context.operations.fail(away or watched.format(machine=row.machine))

    def edit(self) -> None:
        row = self._one()
        commands = self._jobs.commands.of_one(row) if row is not None else []
        for command in commands:
            if command.key == "edit" and command.run is not None:
                command.run()

    def _want_form(self, job_id: int, what: str) -> None:
        self._context.operations.run(self._open_form(job_id, what))

    async def _open_form(self, job_id: int, what: str) -> None:
        detail = await self._context.door.ask(JobById(job_id))
        if detail is None:
            return
        if what == "duplicate":
            form = JobForm.copy(self._context, self._window, detail)
        else:
            form = JobForm.change(self._context, self._window, detail, retry=what == "retry")
        form.open()

    def commands(self) -> list[Command]:
        """What can be done to all selected jobs."""
        rows = self._jobs.selected.rows
        found = self._jobs.commands.of(rows)
        ids = frozenset(row.id for row in rows)
        if ids:
            words = self.tr("Export")
            fill = partial(self._export_entries, JobFilter(ids=ids))
            place = next((at for at, c in enumerate(found) if c.loses), len(found))
            found.insert(place, Command("export", words, fill=fill))
        if self._moves.movable(rows):
            place = next((at for at, c in enumerate(found) if c.key == "assign"), len(found))
            found.insert(place, Command("move", self.tr("Move"), fill=self._move_entries))
        return found

    def move(self, way: Way) -> None:
        """Move the selected jobs within their queue; if another order is shown, show the queue
        first."""
        rows = self._jobs.selected.rows
        if not self._moves.movable(rows):
            return
        if way in (Way.UP, Way.DOWN) and not self._moves.shows_queue(self._jobs.feed.order):
            self.sort_wanted.emit(BY_QUEUE)
        else:
            self._moves.move(rows, way)

    def _may_drag(self, at: int) -> bool:
        row = self._jobs.view.row_at(at)
        in_queue = self._moves.shows_queue(self._jobs.feed.order)
        return row is not None and in_queue and self._moves.movable([row])

    def _dropped(self, at: int, place: int) -> None:
        row = self._jobs.view.row_at(at)
        if row is not None:
            self._moves.drop(row, place)

    def _move_entries(self, menu: QMenu) -> None:
        here = self._moves.shows_queue(self._jobs.feed.order)
        for words, way, anywhere in (
            (self.tr("To the front"), Way.FRONT, True),
            (self.tr("Earlier"), Way.UP, False),
            (self.tr("Later"), Way.DOWN, False),
            (self.tr("To the end"), Way.END, True),
        ):
            menu.addAction(caption(words), partial(self.move, way)).setEnabled(anywhere or here)

    def _context_menu(self, where: QPoint) -> None:
        row = self._one()
        commands = self.commands()
        if row is not None:
            commands = self._jobs.commands.of_one(row) + [
                command for command in commands if command.key in {"move", "export"}
            ]
        if commands:
            menu = QMenu(self._window)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            fill_menu(menu, commands)
            menu.popup(self._jobs.view.viewport().mapToGlobal(where))

    def fill_more(self, menu: QMenu) -> None:
        """Add what concerns the whole list to the menu at the end of the chips."""
        view = self._jobs.view
        several = menu.addAction(self.tr("Tap to select several"))
        several.setCheckable(True)
        several.setChecked(view.taps_select)
        several.toggled.connect(view.set_taps_select)
        menu.addAction(self.tr("Select all"), view.selectAll)
        sorting = menu.addMenu(self.tr("Sort by"))
        order = partial(self.sort_wanted.emit, BY_STATE_AND_QUEUE)
        sorting.addAction(self.tr("State, then the queue"), order)
        sorting.addAction(self.tr("The queue"), partial(self.sort_wanted.emit, BY_QUEUE))
        sorting.addSeparator()
        view.fill_sorting(sorting)
        menu.addSeparator()
        menu.addAction(self.tr("Import jobs…"), self._context.navigator.import_files)
        self._export_entries(None, menu)
        view.fill_columns(menu.addMenu(self.tr("Columns")))

    def _export_entries(self, chosen: JobFilter | None, menu: QMenu) -> None:
        for form in FORMS:
            words = self.tr("Export as {form}…").format(form=form.upper())
            menu.addAction(caption(words), partial(self._export, chosen, form))

    def _export(self, chosen: JobFilter | None, form: str) -> None:
        feed = self._jobs.feed
        self.export.ask(chosen if chosen is not None else feed.chosen, feed.order, form)
