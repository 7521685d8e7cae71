"""Updates the machine cards a few at a time, so that no frame paints them all."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer

from cnc_station.engine.door import Door
from cnc_station.engine.queries import ControllerStatus, LatestTelemetry
from cnc_station.engine.views import MachineCard
from cnc_station.ui.drivers import Drivers
from cnc_station.ui.floor.card_text import CardText, card_text_of
from cnc_station.ui.floor.column import FloorColumn

_FRAME_MS = 16
_A_FRAME = 3


class CardFeed(QObject):
    """Keeps the latest `MachineCard` of each machine. Cards in view are updated three a frame,
    changes before mere progress; the others when they come into view, at the next second at the
    latest."""

    def __init__(
        self,
        column: FloorColumn,
        door: Door,
        drivers: Drivers,
        now: Callable[[], int],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._column = column
        self._door = door
        self._drivers = drivers
        self._now = now
        self._cards: dict[int, MachineCard] = {}
        self._waiting: dict[int, None] = {}
        self._frames = QTimer(self, interval=_FRAME_MS)
        self._frames.timeout.connect(self._show_some)

    def card(self, machine: int) -> MachineCard | None:
        """The latest answer about a machine."""
        return self._cards.get(machine)

    def show(self, cards: Iterable[MachineCard]) -> None:
        """Take a new answer of the engine."""
        before = self._cards
        self._cards = {card.machine.id: card for card in cards}
        self._column.set_machines(self._cards, self._said, self._now())
        changed = [machine for machine, card in self._cards.items() if card != before.get(machine)]
        self._waiting = dict.fromkeys([*self._column.in_view(changed), *self._waiting])
        self._show_some()

    def move(self, machines: Iterable[int]) -> None:
        """Refresh these machines: new telemetry, or time has passed."""
        for machine in self._column.in_view(machines):
            self._waiting[machine] = None
        if self._waiting and not self._frames.isActive():
            self._frames.start()

    def tick(self) -> None:
        self.move(self._cards)

    def stop(self) -> None:
        """Drop the pending updates."""
        self._frames.stop()
        self._waiting.clear()

    def _said(self, machine: int) -> CardText:
        card = self._cards[machine]
        return card_text_of(
            card,
            self._door.peek(LatestTelemetry(machine)),
            self._now(),
            status=self._door.peek(ControllerStatus(machine)),
            can=self._drivers.abilities(card.machine.spec.driver),
        )

    def _show_some(self) -> None:
        for machine in list(self._waiting)[:_A_FRAME]:
            del self._waiting[machine]
            if machine in self._cards:
                self._column.cards[machine].set_words(self._said(machine), self._now())
        if not self._waiting:
            self._frames.stop()
        elif not self._frames.isActive():
            self._frames.start()
