"""The first run: one question, then three steps to the first cut."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QStackedWidget, QWidget

from cnc_station.engine.commands import SaveSettings
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.queries import ListMachines, StoredSettings
from cnc_station.engine.views import FoundController
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.dialogs.machine_form import MachineForm
from cnc_station.ui.first_run.find_step import FindStep
from cnc_station.ui.first_run.fleet_form import FleetForm
from cnc_station.ui.first_run.program_step import ProgramStep
from cnc_station.ui.first_run.question import Question
from cnc_station.ui.intake import take_files
from cnc_station.ui.page_context import OPERATOR, WELCOMED, PageContext
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.text import Text

_DENSE, _TOUCH = (560, 520), (640, 640)
QUESTION, FIND, PROGRAM = range(3)


async def welcome(context: PageContext, parent: QWidget) -> "FirstRun | None":
    """Open the dialog if nothing is configured and it was never closed."""
    settings = await context.door.ask(StoredSettings())
    if settings.get(WELCOMED) or await context.door.ask(ListMachines()):
        return None
    dialog = FirstRun(context, parent)
    dialog.open()
    return dialog


class FirstRun(Dialog):
    """Esc and Back go one step back and keep what was typed. `first` is the step it begins with: it
    can also look for the next machine."""

    def __init__(self, context: PageContext, parent: QWidget, first: int = QUESTION) -> None:
        super().__init__(self.tr("Welcome"), parent)
        self._context = context
        self._window = parent
        self._first = first
        self._seen = [first]
        self.question = Question(context)
        self.finder = FindStep(context)
        self.program = ProgramStep()
        self._title = Text("", Role.PAGE_TITLE, wrap=True)
        self._place = Text("", Role.NOTE, Ink.MUTED)
        self._stack = QStackedWidget()
        for step in (self.question, self.finder, self.program):
            self._stack.addWidget(step)
        self.back_button = Button(self.tr("Back"), clicked=self.reject)
        self.later_button = Button(self.tr("Later"), clicked=self._later)
        foot = hbox(self.back_button, STRETCH, self.later_button)
        head = hbox((self._title, 1), self._place, gap=12)
        vbox(head, (self._stack, 1), foot, on=self, gap=12, margins=(24, 18, 24, 16))
        self._connect()
        self.fit(_DENSE, _TOUCH)
        self._show()

    def _connect(self) -> None:
        self.question.own.connect(lambda: self.go_to(FIND))
        self.question.fleet.connect(self.join_a_fleet)
        self.question.demo.connect(self._begin_with_demo)
        self.finder.chosen.connect(self.add_machine)
        self.program.dropped.connect(self._take)
        self.finished.connect(self._end)

    @property
    def step(self) -> int:
        """The step on view."""
        return self._seen[-1]

    def go_to(self, step: int) -> None:
        """Show a step; going back returns to the one on view now."""
        self._seen.append(step)
        self._show()

    def _show(self) -> None:
        titles = (
            self.tr("Welcome to CNC Station"),
            self.tr("Look for the controller"),
            self.tr("The first program"),
        )
        places = ("", self.tr("Step 1 of 3"), self.tr("Step 3 of 3"))
        self._title.setText(titles[self.step])
        self._place.setText(places[self.step])
        self._stack.setCurrentIndex(self.step)
        self.back_button.setVisible(len(self._seen) > 1)
        step = (self.question, self.finder, self.program)[self.step]
        step.arrived()

    def reject(self) -> None:
        """Go one step back, or close."""
        if len(self._seen) > 1:
            self._seen.pop()
            self._show()
        else:
            super().reject()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus, as space does."""
        focus = self.focusWidget()
        enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if enter and isinstance(focus, QPushButton):
            focus.click()
        else:
            super().keyPressEvent(event)

    def _later(self) -> None:
        self.done(self.DialogCode.Rejected)

    def add_machine(self, found: FoundController | None) -> MachineForm:
        """Open the form of a machine at a controller that was found; None: of any machine."""
        form = MachineForm(self._context, self, found=found)
        form.accepted.connect(lambda: self.go_to(PROGRAM))
        form.open()
        return form

    def join_a_fleet(self) -> FleetForm:
        """Ask for the servers of a fleet."""
        form = FleetForm(self._context, self)
        form.accepted.connect(self.accept)
        form.open()
        return form

    def _take(self, files: Sequence[Path]) -> None:
        """Close, show the floor where the job will wait, and open its form."""
        self.accept()
        self._context.navigator.to_page("floor")
        take_files(self._context, self._window, files)

    def _begin_with_demo(self) -> None:
        """Nothing is remembered but the name: the question comes again after the demo."""
        self._context.operations.run(self._open_demo(), self.tr("Opening the demo day…"))

    async def _open_demo(self) -> None:
        if values := self._renamed():
            await self._context.door.execute(SaveSettings(values))
        self._context.navigator.load_demo()
        self.finished.disconnect(self._end)
        self.accept()

    def _end(self) -> None:
        """Use the name from now on and do not ask again."""
        self.finder.stop()
        values = {WELCOMED: True, **self._renamed()}
        self._context.operations.run(self._context.door.execute(SaveSettings(values)))

    def _renamed(self) -> dict[str, object]:
        name = self.question.operator.text().strip()
        if name == self._context.door.operator:
            return {}
        with contextlib.suppress(InvalidInput):  # the settings say what is wrong with a name
            self._context.door.rename_operator(name)
            return {OPERATOR: self._context.door.operator}
        return {}
