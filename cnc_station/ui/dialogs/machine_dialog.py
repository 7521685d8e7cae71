"""The base of a dialog for a person who stands at a machine."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtWidgets import QPushButton, QWidget

from cnc_station.engine.commands import ActOnJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import CncStationError, Conflict
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import JobsById
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.card import scrolling
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.text import Note, Text

_MARGIN = 20
_GAP = 12


class MachineDialog(Dialog):
    """Fill `body`, add buttons with `offer`. It closes by itself when the job leaves `state`."""

    def __init__(
        self,
        context: PageContext,
        title: str,
        about: str,
        parent: QWidget | None,
        job: tuple[int, JobState] | None = None,
    ) -> None:
        super().__init__(title, parent, modal=True)
        self._context = context
        self._job = job
        self.trouble = Text("", Role.BODY, Ink.ALARM, wrap=True)
        self.trouble.hide()
        self._meaning = Note()
        self._meaning.hide()
        inner, foot = QWidget(), QWidget()
        self.body = vbox(on=inner, gap=8)
        self._foot = hbox(on=foot, gap=_GAP)
        self._guard = TapGuard(self)  # against the second tap on the button that opened it
        self._guard.opened()
        self._guard.show("foot", "offered", foot)
        vbox(
            Text(title, Role.PAGE_TITLE, wrap=True),
            Text(about, Role.BODY, Ink.MUTED, wrap=True),
            (scrolling(inner), 1),
            self.trouble,
            self._meaning,
            foot,
            on=self,
            gap=_GAP,
            margins=_MARGIN,
        )
        self._refresh = CoalescedTask(context.operations, self._query_job, self)
        context.bridge.changed.connect(self._follow)

    def explain(self, words: str) -> None:
        """Explain the buttons, above them."""
        self._meaning.setText(words)
        self._meaning.show()

    def offer(self, button: QPushButton, *, stretch: int = 0) -> None:
        """Add a button to the last line, from left to right."""
        self.acting.append(button)
        self._foot.addWidget(button, stretch)

    def act(self, action: JobAction, reason: str, done: str) -> None:
        """Run an action on the job; show `done` and close when it succeeds."""
        assert self._job is not None
        self.ask(self._act(action, self._job[0], reason), done)

    async def _act(self, action: JobAction, job_id: int, reason: str) -> None:
        (answer,) = await self._context.door.execute(ActOnJobs(action, [job_id], reason=reason))
        if not answer.applied:
            raise Conflict(answer.error)

    def ask(self, work: Coroutine[Any, Any, Any], done: str) -> None:
        """Run work; show `done` and close when it succeeds."""
        self.trouble.hide()
        self.do(self._context.operations, work, self.windowTitle(), done)

    def complain(self, error: CncStationError) -> None:
        self.trouble.setText(str(error))
        self.trouble.show()

    def _follow(self, notice: Notice) -> None:
        if self._job and not self._doing and (self._job[0] in notice.jobs or notice.missed):
            self._refresh.request()

    async def _query_job(self) -> None:
        assert self._job is not None
        rows = await self._context.door.ask(JobsById([self._job[0]]))
        if not self._over and not self._doing and [row.state for row in rows] != [self._job[1]]:
            self.reject()
