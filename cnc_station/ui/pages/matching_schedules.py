"""What can be done to all schedules that match the search of the Schedules page."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QWidget

from cnc_station.engine.domain.actions import ScheduleAction
from cnc_station.engine.views import ScheduleRow
from cnc_station.ui.dialogs.bulk_confirm import BulkConfirm
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.widgets.buttons import MenuButton
from cnc_station.ui.widgets.literal import caption

A = ScheduleAction


class MatchingSchedules(QObject):
    """Offers each action with the number of the schedules that it is for. Those that can't be
    undone are confirmed first."""

    def __init__(
        self, context: PageContext, window: QWidget, matching: Callable[[], Sequence[ScheduleRow]]
    ) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self._matching = matching
        self.button = MenuButton("⋯", self.tr("More to do"), self._fill)

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        rows = self._matching()
        active = [row.id for row in rows if not row.spec.paused]
        paused = [row.id for row in rows if row.spec.paused]
        every = [row.id for row in rows]
        for action, words, ids in (
            (A.PAUSE, self.tr("Pause all {count} that match"), active),
            (A.RESUME, self.tr("Resume all {count} that match"), paused),
        ):
            act = partial(self._act, action, ids)
            self._offer(menu, words, ids, act)
        for action, word, words in (
            (A.TRIGGER, self.tr("Run"), self.tr("Run all {count} that match now…")),
            (A.DELETE, self.tr("Delete"), self.tr("Delete all {count} that match…")),
        ):
            confirm = partial(self._confirm, action, word, every)
            self._offer(menu, words, every, confirm)

    def _offer(
        self, menu: QMenu, words: str, ids: Sequence[int], act: Callable[[], object]
    ) -> None:
        words = words.format(count=f"{len(ids):,}")
        menu.addAction(caption(words), act).setEnabled(bool(ids))

    def _act(self, action: ScheduleAction, ids: Sequence[int]) -> None:
        self._context.operations.bulk.act_on_schedules(action, ids)

    def _confirm(self, action: ScheduleAction, word: str, ids: Sequence[int]) -> None:
        act = partial(self._act, action, ids)
        BulkConfirm(word, len(ids), act, self._window, noun="schedule", listed=True).open()
