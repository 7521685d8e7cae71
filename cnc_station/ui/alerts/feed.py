"""The alerts of the shop, followed by the window: the open ones, and what it has to present."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from cnc_station.engine.commands import AcknowledgeAlerts
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.notice import ABOUT_ALERTS, Notice
from cnc_station.engine.door import Door
from cnc_station.engine.queries import ListAlerts, ListOpenAlerts, NewAlertMessages
from cnc_station.engine.views.alerts import AlertRow
from cnc_station.ui.bridge import Bridge
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.operations import Operations
from cnc_station.ui.page_context import SLOW_LOOK_MS

_REST_MS = 250
_MOST_RECENT = 40


class AlertFeed(QObject):
    """`changed`: `open_rows` is another list, worst first. `told(messages)`: what this window has
    to present, after the open alerts of the same moment. While the database is down, all stays."""

    changed = Signal()
    told = Signal(object)  # Sequence[SentAlert]

    def __init__(
        self, door: Door, bridge: Bridge, operations: Operations, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._door = door
        self._operations = operations
        self.open_rows: Sequence[AlertRow] = ()
        self.acknowledging: frozenset[int] = frozenset()
        self._last: int | None = None
        self._refresh = CoalescedTask(operations, self._read, self, interval_ms=_REST_MS)
        self._slow_look = QTimer(self, interval=SLOW_LOOK_MS)
        self._slow_look.timeout.connect(self._refresh.request)
        bridge.changed.connect(self._follow)

    def start(self) -> None:
        self._slow_look.start()
        self._refresh.request()

    def stop(self) -> None:
        self._slow_look.stop()
        self._refresh.stop()

    def _follow(self, notice: Notice) -> None:
        if self._slow_look.isActive() and notice.tells_of(ABOUT_ALERTS):
            self._refresh.request()

    async def _read(self) -> None:
        """Read the messages first: an alert that they tell and that is not open then is over."""
        try:
            new = await self._door.ask(NewAlertMessages(self._last))
            rows = await self._door.ask(ListOpenAlerts())
        except Unavailable:
            return
        self._last = new.last
        if rows != self.open_rows:
            self.open_rows = rows
            self.changed.emit()
        if new.messages:
            self.told.emit(new.messages)

    async def ended_rows(self) -> Sequence[AlertRow]:
        """Return the alerts that are over, the latest first."""
        page = await self._door.ask(ListAlerts(limit=_MOST_RECENT))
        over = [row for row in page.rows if row.ended_at is not None]
        return sorted(over, key=lambda row: row.ended_at or 0, reverse=True)

    def acknowledge(self, rows: Sequence[AlertRow]) -> None:
        """Acknowledge alerts in the name of the operator at this window."""
        ids = frozenset(row.id for row in rows)
        self.acknowledging |= ids
        task = self._operations.run(self._acknowledge(rows))
        task.add_done_callback(partial(self._acknowledged, ids))

    async def _acknowledge(self, rows: Sequence[AlertRow]) -> None:
        answers = await self._door.execute(AcknowledgeAlerts([row.id for row in rows]))
        refused = [answer for answer in answers if not answer.applied]
        if refused:
            self._operations.fail(refused[0].error)
        if len(refused) < len(answers):
            title = rows[0].title if len(rows) == 1 else self.tr("{n} alerts").format(n=len(rows))
            words = self.tr("{title}: seen by {who}")
            self._operations.say(words.format(title=title, who=self._door.operator))

    def _acknowledged(self, ids: frozenset[int], _task: object) -> None:
        self.acknowledging -= ids
        self._refresh.request()
