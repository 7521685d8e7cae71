"""The left part of the floor: summary, machine cards and charts in one scrolling column."""

from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from cnc_station.ui.floor.arrangement import GAP, SUMMARY, Arrangement, arrange
from cnc_station.ui.floor.card_places import card_height
from cnc_station.ui.floor.card_text import CardAction, CardText
from cnc_station.ui.floor.machine_card import MachineCardView
from cnc_station.ui.theme import theme

_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class FloorColumn(QScrollArea):
    """Places `summary` above the cards and `charts` below. `asked` carries machine id and action,
    `opened` the machine id. Arrow keys move between cards, Space holds or continues the run of the
    focused card."""

    asked = Signal(int, CardAction)
    opened = Signal(int)

    def __init__(self, summary: QWidget, charts: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inner = QWidget()
        self._inner.setProperty("part", "plain")
        self._summary, self._charts = summary, charts
        for part in (summary, charts):
            part.setParent(self._inner)
        self.cards: dict[int, MachineCardView] = {}
        self._places: Arrangement | None = None
        self.setWidget(self._inner)
        self._space = QAction(self.tr("Hold the machine in focus, or go on"), self)
        self._space.setShortcut(QKeySequence("Space"))
        self._space.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._space.setAutoRepeat(False)
        self._space.setEnabled(False)
        self._space.triggered.connect(self._hold_or_go_on)
        self.addAction(self._space)
        theme().changed.connect(self._arrange)

    @property
    def columns(self) -> int:
        return self._places.columns if self._places else 1

    def set_machines(
        self, machines: Iterable[int], say: Callable[[int], CardText], now: int
    ) -> None:
        """Show these machines in this order; a card whose machine stays is kept, `say` gives the
        text of a new one."""
        wanted = list(machines)
        if wanted == list(self.cards):
            return
        for gone in [machine for machine in self.cards if machine not in wanted]:
            card = self.cards.pop(gone)
            card.hide()
            card.deleteLater()
        for machine in wanted:
            if machine not in self.cards:
                self._add(machine, say(machine), now)
        self.cards = {machine: self.cards[machine] for machine in wanted}
        self._arrange()

    def _add(self, machine: int, told: CardText, now: int) -> None:
        card = MachineCardView(told, now, self._inner)
        card.asked.connect(partial(self.asked.emit, machine))
        card.opened.connect(partial(self.opened.emit, machine))
        card.focused.connect(self._space.setEnabled)
        card.show()
        self.cards[machine] = card

    def in_view(self, machines: Iterable[int]) -> list[int]:
        return [
            machine
            for machine in machines
            if machine in self.cards and not self.cards[machine].visibleRegion().isEmpty()
        ]

    def _arrange(self) -> None:
        width, height = self.viewport().width(), self.viewport().height()
        metrics = theme().metrics
        if self.verticalScrollBar().isVisible():
            width -= metrics.gap
        at = self._places = arrange(
            width,
            height,
            len(self.cards),
            roomy=card_height(compact=False),
            compact=card_height(compact=True),
            margin=metrics.page_margin,
        )
        self._inner.setMinimumHeight(at.total)
        self._summary.setGeometry(0, metrics.page_margin, width, SUMMARY)
        whole = width - (at.columns - 1) * GAP
        for place, card in enumerate(self.cards.values()):
            row, column = divmod(place, at.columns)
            left = whole * column // at.columns + column * GAP
            right = whole * (column + 1) // at.columns + column * GAP
            top = at.cards_top + row * (at.card_height + GAP)
            card.set_compact(compact=at.compact)
            card.setGeometry(QRect(left, top, right - left, at.card_height))
        self._charts.setGeometry(0, at.charts_top, width, at.charts_height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _in_focus(self) -> int | None:
        return next((machine for machine, card in self.cards.items() if card.hasFocus()), None)

    def _hold_or_go_on(self) -> None:
        machine = self._in_focus()
        if machine is not None:
            self.cards[machine].hold_or_go_on()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        machine = self._in_focus()
        steps = {**_STEPS, Qt.Key.Key_Up: -self.columns, Qt.Key.Key_Down: self.columns}
        step = steps.get(Qt.Key(event.key()))
        if machine is None or step is None:
            super().keyPressEvent(event)
            return
        order = list(self.cards)
        place = order.index(machine) + step
        if 0 <= place < len(order):
            card = self.cards[order[place]]
            card.setFocus(Qt.FocusReason.TabFocusReason)
            self.ensureWidgetVisible(card, 0, GAP)
