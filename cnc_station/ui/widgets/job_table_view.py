"""The table of jobs: columns to choose, sorting by several of them, and a remembered layout."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QFocusEvent, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu

from cnc_station.engine.views import JobRow, Sort
from cnc_station.ui.models.job_columns import NAME, NEXT, known
from cnc_station.ui.models.job_selection import JobSelection
from cnc_station.ui.models.job_table import JobTableModel
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.literal import caption
from cnc_station.ui.widgets.table import SortHeader, Table

_REMEMBER_AFTER_MS = 1000
_NAME_SHARE = 0.24
_NEXT_MIN_WIDTH = 150
_HIDDEN_FIRST = ("priority", "quantity", "machine")


class JobTableView(Table[JobRow]):
    """Shows the model; `rows_on_view(first, last)` when other rows become visible. `order_wanted`
    carries a tuple of `Sort`, `columns_changed` the layout that `restore` accepts."""

    rows_on_view = Signal(int, int)
    order_wanted = Signal(tuple)
    columns_changed = Signal(dict)

    def __init__(self, model: JobTableModel) -> None:
        super().__init__(model, self.tr("Jobs"))
        self._jobs = model
        self._order: tuple[Sort, ...] = ()
        self._name_dragged = False
        self._sharing = False
        self.selection = JobSelection(model)
        self.setSelectionModel(self.selection)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.header = SortHeader(model, self)
        self.setHorizontalHeader(self.header)
        self._dress_header()
        self.header.setMinimumSectionSize(48)
        self.header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.header.customContextMenuRequested.connect(self._header_menu)
        self.header.order_chosen.connect(self.order_wanted)
        self._remember = QTimer(self, singleShot=True, interval=_REMEMBER_AFTER_MS)
        self._remember.timeout.connect(self._report_columns)
        self.header.sectionMoved.connect(self._remember.start)
        self.header.sectionResized.connect(self._resized)
        self.verticalScrollBar().valueChanged.connect(self._report_rows)
        model.rowsInserted.connect(self._report_rows)
        model.rowsRemoved.connect(self._report_rows)
        model.columnsInserted.connect(self._set_widths)
        self._set_widths()
        theme().changed.connect(self._report_rows)

    def _report_rows(self) -> None:
        first = max(0, self.rowAt(0))
        last = self.rowAt(self.viewport().height() - 1)
        if last < 0:
            last = self._jobs.total - 1
        self.rows_on_view.emit(first, max(first, last))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()
        self._report_rows()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Without a current row Qt makes the first one current, as if a person had chosen it."""
        with QSignalBlocker(self.selection):
            super().focusInEvent(event)

    def show_job(self, job_id: int) -> bool:
        """Make a job's row current and visible; return False if the job is not loaded."""
        at = self._jobs.position(job_id)
        if at is None:
            return False
        index = self._jobs.index(at, 0)
        self.setCurrentIndex(index)
        self.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)
        return True

    def row_at(self, at: int) -> JobRow | None:
        return self._jobs.row(at)

    @property
    def taps_select(self) -> bool:
        """Whether a tap adds to the selection, for users without a Ctrl key."""
        return self.selectionMode() is QAbstractItemView.SelectionMode.MultiSelection

    def set_taps_select(self, on: bool) -> None:
        modes = QAbstractItemView.SelectionMode
        self.setSelectionMode(modes.MultiSelection if on else modes.ExtendedSelection)

    def set_order(self, order: Sequence[Sort]) -> None:
        self._order = tuple(order)
        self.header.set_order(order)

    def _sort_by(self, sort: Sort, *, add: bool) -> None:
        others = [known for known in self._order if known.key is not sort.key] if add else []
        self.order_wanted.emit((*others, sort))

    def _header_menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        at = self.header.logicalIndexAt(where)
        if at >= 0:
            self._sort_actions(menu, at)
        self.fill_columns(menu)
        menu.popup(self.header.mapToGlobal(where))

    def _sort_actions(self, menu: QMenu, at: int) -> None:
        column = self._jobs.columns[at]
        key = column.sort
        if key is None:
            return
        for words, descending, add in (
            (self.tr("Sort by {column} ▴"), False, False),
            (self.tr("Sort by {column} ▾"), True, False),
            (self.tr("Then by {column} ▴"), False, True),
            (self.tr("Then by {column} ▾"), True, True),
        ):
            action = menu.addAction(caption(words.format(column=column.title)))
            sort = Sort(key, descending)
            action.triggered.connect(lambda _=False, s=sort, a=add: self._sort_by(s, add=a))
        menu.addSeparator()

    def fill_sorting(self, menu: QMenu) -> None:
        for at, column in enumerate(self._jobs.columns):
            if column.sort is not None:
                self._sort_actions(menu.addMenu(caption(column.title)), at)

    def fill_columns(self, menu: QMenu) -> None:
        shown = {column.key for column in self._jobs.columns}
        for key, column in self._jobs.choice.items():
            if key == NAME:
                continue
            action = QAction(caption(column.title), menu, checkable=True, checked=key in shown)
            action.triggered.connect(lambda on, key=key: self.toggle_column(key, on=on))
            menu.addAction(action)

    def toggle_column(self, key: str, *, on: bool) -> None:
        keys = [column.key for column in self._jobs.columns]
        if on:
            keys.append(key)
        elif key in keys and len(keys) > 1:
            keys.remove(key)
        self._jobs.set_columns(keys)
        self._share_room()
        self.set_order(self._order)
        self._remember.start()

    def restore(self, remembered: object) -> None:
        """Restore a layout from `columns_changed`, skipping invalid parts, unless just changed."""
        if self._remember.isActive():
            return
        found: Mapping[str, Any] = remembered if isinstance(remembered, Mapping) else {}
        keys = known(found.get("shown"), self._jobs.choice)
        self._jobs.set_columns(keys)
        widths = found.get("widths")
        self._set_widths(widths=widths if isinstance(widths, Mapping) else {})
        self._name_dragged = isinstance(widths, Mapping) and NAME in widths
        self._share_room()
        places = [column.key for column in self._jobs.columns]
        for at, key in enumerate(keys):
            self.header.moveSection(self.header.visualIndex(places.index(key)), at)
        self.set_order(self._order)
        self._remember.stop()  # restoring the order is not a change by the user

    def _set_widths(self, *_: object, widths: Mapping[str, Any] | None = None) -> None:
        wanted = widths or {}
        for at, column in enumerate(self._jobs.columns):
            width = wanted.get(column.key)
            if isinstance(width, int) and 30 <= width <= 2000:
                self.setColumnWidth(at, width)
            elif column.key == NEXT:
                continue
            elif widths is not None or self.columnWidth(at) == self.header.defaultSectionSize():
                self.setColumnWidth(at, column.width)

    def _share_room(self) -> None:
        """Widen the job's name with the table until dragged; hide minor columns in a narrow one."""
        keys = [column.key for column in self._jobs.columns]
        if NAME in keys and not self._name_dragged:
            width = round(self.viewport().width() * _NAME_SHARE)
            least = self._jobs.choice[NAME].width
            self._sharing = True
            self.setColumnWidth(keys.index(NAME), max(least, min(width, 2 * least)))
            self._sharing = False

        room = self.viewport().width() - _NEXT_MIN_WIDTH
        shown = {
            key: self.columnWidth(at) or self._jobs.choice[key].width for at, key in enumerate(keys)
        }
        taken = sum(width for key, width in shown.items() if key != NEXT)
        for key in _HIDDEN_FIRST if NEXT in keys else ():
            if key in keys:
                hidden = taken > room
                self.setColumnHidden(keys.index(key), hidden)
                taken -= shown[key] if hidden else 0

    def _resized(self, at: int, _old: int, _new: int) -> None:
        """Remember only widths that the user dragged."""
        dragged = QGuiApplication.mouseButtons() & Qt.MouseButton.LeftButton
        if dragged and not self._sharing:
            self._name_dragged = self._name_dragged or self._jobs.columns[at].key == NAME
            self._remember.start()

    def _report_columns(self) -> None:
        keys = [column.key for column in self._jobs.columns]
        shown = [keys[self.header.logicalIndex(place)] for place in range(len(keys))]
        widths = {
            key: self.columnWidth(at)
            for at, key in enumerate(keys)
            if key != NEXT and (key != NAME or self._name_dragged) and self.columnWidth(at)
        }
        self.columns_changed.emit({"shown": shown, "widths": widths})
