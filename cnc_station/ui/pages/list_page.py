"""The base of the pages: follow the shop while on view, and show one row of a list in detail."""

import time
from collections.abc import Hashable, Sequence
from typing import Generic

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QStackedLayout, QWidget

from cnc_station.engine.domain.notice import Notice
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.models.row_model import Column, R, RowList
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Role, theme
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.table import table_card
from cnc_station.ui.widgets.text import ElidedLabel

_ABOVE, _BELOW = 14, 4
_REST_FACTOR = 10  # a query that takes long is repeated seldom


class Page(QWidget):
    """Receives notices and a tick each second while it is on view."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self.tick)
        context.bridge.changed.connect(self._changed)

    def _changed(self, notice: Notice) -> None:
        if self.isVisible():
            self.follow(notice)

    def follow(self, notice: Notice) -> None:
        """Something in the shop has changed."""

    def tick(self) -> None:
        """A second has passed."""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()


def _widen(detail: QWidget, least: int) -> None:
    """Make `detail` at least so wide, and never narrower than its content."""
    layout = detail.layout()
    assert isinstance(layout, QBoxLayout)
    layout.addStrut(least - layout.contentsMargins().left() - layout.contentsMargins().right())


class ListPage(Page, Generic[R]):
    """A list under its head with one row in detail, or text about why it is empty. A page supplies
    `columns`, `key_of` and `read` for the list, `summary` for the head, and `show_row` (at once)
    and `load_detail` (after a query) for the chosen row. `lay_out` places its parts. With
    `page_rows`, `read` returns at most `limit` rows, which grows at the end of the list."""

    def __init__(
        self,
        context: PageContext,
        name: str,
        *,
        interval_ms: int = 0,
        checkable: bool = False,
        page_rows: int = 0,
    ) -> None:
        super().__init__(context)
        self._text = ""
        self._interval_ms = interval_ms
        self._page_rows = self.limit = page_rows
        self._wanted: Hashable | None = None
        self.rows = RowList(self.columns(), self.key_of, self, checkable=checkable)
        self.table = ListTable(self.rows, name)
        self.table.chosen.connect(self._chosen)
        if page_rows:
            self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.count = ElidedLabel(self.tr("Nothing read yet"), Role.STRONG)
        self._refresh = CoalescedTask(context.operations, self._load, self, interval_ms=interval_ms)
        self._detail_query = CoalescedTask(context.operations, self._load_detail, self)

    def lay_out(
        self,
        detail: QWidget,
        shares: tuple[int, int],
        empty: EmptyState,
        not_found: str,
        *head: QWidget,
        least: int = 0,
        foot: QWidget | None = None,
        banner: QWidget | None = None,
    ) -> None:
        """Put `head` beside the count, `foot` below the list, `banner` above all, also above what
        stands in for an empty list. `shares` are the relative widths of
        list and detail, `least` the detail's minimum. `empty` stands in for an empty list,
        `not_found` for a search without a match."""
        metrics = theme().metrics
        self._detail, self.empty = detail, empty
        self.nothing_found = EmptyState("search", self.tr("Nothing found"), not_found)
        _widen(detail, least)
        detail.hide()
        bar = hbox((self.count, 1), *head, gap=metrics.gap)
        left = vbox(bar, (table_card(self.table), 1), gap=metrics.card_gap)
        if foot is not None:
            left.addWidget(foot)
        self._list = QWidget()
        hbox((left, shares[0]), (detail, shares[1]), on=self._list, gap=metrics.page_margin)
        self._stack = QStackedLayout()
        for widget in (self._list, empty, self.nothing_found):
            self._stack.addWidget(widget)
        margin = metrics.page_margin
        whole = vbox(on=self, gap=metrics.card_gap, margins=(margin, _ABOVE, margin, _BELOW))
        if banner is not None:
            whole.addWidget(banner)
        whole.addLayout(self._stack, 1)

    def columns(self) -> Sequence[Column[R]]:
        raise NotImplementedError

    def key_of(self, row: R) -> Hashable:
        raise NotImplementedError

    async def read(self) -> Sequence[R] | None:
        """The rows that match the search; None leaves the list as it is."""
        raise NotImplementedError

    def summary(self) -> str:
        raise NotImplementedError

    def show_row(self, row: R) -> None:
        """Show the chosen row, for a page whose rows hold everything."""
        self._detail_query.request()

    async def load_detail(self, row: R) -> None:
        """Query the rest of a row, and show it if the row is still chosen."""

    @property
    def is_filtered(self) -> bool:
        """Whether a filter in the head narrows the list."""
        return False

    def instead(self) -> QWidget | None:
        """What replaces list and detail when there is nothing to show. Filters stay in reach."""
        if self.rows.total:
            return None
        if self._text:
            return self.nothing_found
        return None if self.is_filtered else self.empty

    def arrived(self) -> None:
        """Refresh, and give the keys to the list."""
        self.table.setFocus()
        self._refresh.request_now()

    def search(self, text: str) -> None:
        self._text = text
        self.narrow()

    def narrow(self) -> None:
        """Read the list from its beginning: the search or a filter has changed."""
        self.limit = self._page_rows
        self._refresh.request_now()

    def _scrolled(self, value: int) -> None:
        if value == self.table.verticalScrollBar().maximum() and self.rows.total >= self.limit:
            self.limit += self._page_rows
            self._refresh.request_now()

    def select(self, key: Hashable) -> None:
        """Choose a row, now or as soon as it is listed."""
        self._wanted = key
        self._refresh.request()

    async def _load(self) -> None:
        begun = time.perf_counter()
        found = await self.read()
        took_ms = 1000 * (time.perf_counter() - begun)
        self._refresh.set_min_interval(max(self._interval_ms, round(_REST_FACTOR * took_ms)))
        if found is None:
            return
        self.rows.take(found)
        place = None if self._wanted is None else self.rows.position(self._wanted)
        self._wanted = None
        if place is not None or (found and self.table.current is None):
            self.table.choose(place or 0)
        self._detail.show()
        self._stack.setCurrentWidget(self.instead() or self._list)
        self.count.setText(self.summary())
        self._chosen(self.table.current)

    def is_chosen(self, row: R) -> bool:
        current = self.table.current
        return current is not None and self.key_of(current) == self.key_of(row)

    async def _load_detail(self) -> None:
        row = self.table.current
        if row is not None:
            await self.load_detail(row)

    def _chosen(self, row: R | None) -> None:
        if row is not None:
            self.show_row(row)
