"""The frame of what is asked of a person who stands at a machine."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import CncStationError, Conflict
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.states import JobState
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.scrolling import scrolling
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.text import Text

_MARGIN = 20
_GAP = 12


class MachineDialog(QDialog):
    """Fill `body`, put buttons in with `offer`. Open it with `open()`.

    It closes when the engine has done what was asked, or when the job has left `state` by other
    hands: what it asks is not asked any more then.
    """

    def __init__(
        self,
        context: PageContext,
        title: str,
        about: str,
        parent: QWidget | None,
        job: tuple[int, JobState] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setModal(True)
        self._context = context
        self._job = job
        self._over = False
        self._doing = False
        self._buttons: list[QPushButton] = []
        heading = Text(title, Role.PAGE_TITLE)
        below = Text(about, Role.BODY, Ink.MUTED)
        self.trouble = Text("", Role.BODY, Ink.ALARM)
        self._meaning = Text("", Role.NOTE, Ink.MUTED)
        self._meaning.hide()
        for text in (heading, below, self.trouble, self._meaning):
            text.setWordWrap(True)
        self.trouble.hide()
        inner = QWidget()
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(8)
        foot = QWidget()
        self._foot = QHBoxLayout(foot)
        self._foot.setContentsMargins(0, 0, 0, 0)
        self._foot.setSpacing(_GAP)
        self._guard = TapGuard(self)  # the second of two taps on what opens it is not meant for it
        self._guard.opened()
        self._guard.show("foot", "offered", foot)
        box = QVBoxLayout(self)
        box.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        box.setSpacing(_GAP)
        box.addWidget(heading)
        box.addWidget(below)
        box.addWidget(scrolling(inner), 1)
        box.addWidget(self.trouble)
        box.addWidget(self._meaning)
        box.addWidget(foot)
        self._refresh = CoalescedTask(context.operations, self._look, self)
        context.bridge.changed.connect(self._follow)

    def explain(self, words: str) -> None:
        """Says above the buttons what they do."""
        self._meaning.setText(words)
        self._meaning.show()

    def offer(self, button: QPushButton, *, stretch: int = 0) -> None:
        """Puts a button into the last line, from left to right."""
        self._buttons.append(button)
        self._foot.addWidget(button, stretch)

    def offer_closing(self) -> None:
        """A button that leaves everything as it is."""
        cancel = Button(self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        self.offer(cancel)

    def act(self, action: JobAction, reason: str, done: str) -> None:
        """Asks for an action on the job; says `done` and closes when it is."""
        assert self._job is not None
        self.do(self._act(action, self._job[0], reason), done)

    async def _act(self, action: JobAction, job_id: int, reason: str) -> None:
        actor = self._context.operations.actor
        (answer,) = await self._context.engine.act(action, [job_id], actor, reason=reason)
        if not answer.applied:
            raise Conflict(answer.error)

    def do(self, work: Coroutine[Any, Any, None], done: str) -> None:
        """Does what a button is for; until it is done or refused nothing else can be asked."""
        self._doing = True
        for button in self._buttons:
            button.setEnabled(False)
        self.trouble.hide()
        self._context.operations.run(self._do(work, done), self.windowTitle())

    async def _do(self, work: Coroutine[Any, Any, None], done: str) -> None:
        try:
            await work
        except CncStationError as error:
            self.complain(error)
        else:
            self._context.operations.say(done)
            self._doing = False
            self.accept()
        finally:
            self._doing = False
            if not self._over:
                for button in self._buttons:
                    button.setEnabled(True)
                self.refresh()

    def complain(self, error: CncStationError) -> None:
        """Says why what was asked for was not done."""
        self.trouble.setText(str(error))
        self.trouble.show()

    def refresh(self) -> None:
        """Sets which buttons can be pressed now."""

    def _follow(self, notice: Notice) -> None:
        if self._job and not self._doing and (self._job[0] in notice.jobs or notice.missed):
            self._refresh.request()

    async def _look(self) -> None:
        assert self._job is not None
        rows = await self._context.engine.jobs_by_id([self._job[0]])
        if not self._over and not self._doing and [row.state for row in rows] != [self._job[1]]:
            self.reject()

    def reject(self) -> None:
        """Closes without doing anything, unless it is being done."""
        if not self._doing:
            super().reject()

    def done(self, result: int) -> None:
        """It is over: what comes back from the engine now is not shown."""
        self._over = True
        super().done(result)
