"""How a page of one list is laid out: the list under its head, one row of it in full beside it."""

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QTableView, QVBoxLayout, QWidget

from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.list_table import table_card

_ABOVE, _BELOW = 14, 4


class ListPanes(QWidget):
    """Fills `page`. The first of `head` takes what room there is beside the others; the widths of
    list and detail are to one another as `shares`. One of `instead` can stand in the place of both:
    words about why there is nothing to list. Until it is told what there is it shows no detail.
    """

    def __init__(
        self,
        page: QWidget,
        head: Sequence[QWidget],
        table: QTableView,
        detail: QWidget,
        shares: tuple[int, int],
        instead: Sequence[QWidget],
    ) -> None:
        super().__init__(page)
        metrics = theme().metrics
        bar = QHBoxLayout()
        bar.setSpacing(metrics.gap)
        for place, widget in enumerate(head):
            bar.addWidget(widget, 0 if place else 1)
        left = QVBoxLayout()
        left.setSpacing(metrics.card_gap)
        left.addLayout(bar)
        left.addWidget(table_card(table), 1)
        self._detail = detail
        self._detail.hide()
        self._list = QWidget()
        panes = QHBoxLayout(self._list)
        panes.setContentsMargins(0, 0, 0, 0)
        panes.setSpacing(metrics.page_margin)
        panes.addLayout(left, shares[0])
        panes.addWidget(detail, shares[1])
        self._stack = QStackedLayout(self)
        for widget in (self._list, *instead):
            self._stack.addWidget(widget)
        box = QVBoxLayout(page)
        box.setContentsMargins(metrics.page_margin, _ABOVE, metrics.page_margin, _BELOW)
        box.addWidget(self)

    def show_list(self, *, unless: QWidget | None = None) -> None:
        """Brings the list to the front, or what is to stand in its place."""
        self._detail.show()
        self._stack.setCurrentWidget(unless or self._list)
