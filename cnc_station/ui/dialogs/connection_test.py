"""Test a machine's connection before its settings are stored, and show what answered."""

import asyncio
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from cnc_station.engine.commands import TryMachine
from cnc_station.engine.domain.errors import CncStationError, InvalidInput
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.views import ConnectionReport, Doing
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.facts import Details, KeyValue
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.state_look import NOT_REACHABLE, look_of
from cnc_station.ui.widgets.text import Note, Text


class ConnectionTest(QWidget):
    """A button and its result. `spec` supplies what to test, with the machine's id or None for a
    new machine. `refused` carries the InvalidInput of settings that no driver accepts; `answered`:
    a result is on view."""

    refused = Signal(object)
    answered = Signal()

    def __init__(
        self, context: PageContext, spec: Callable[[], MachineSpec], machine_id: int | None = None
    ) -> None:
        super().__init__()
        self._context = context
        self._machine_id = machine_id
        self._spec = spec
        self._task: asyncio.Task[None] | None = None
        self.report: ConnectionReport | None = None
        self.button = Button(self.tr("Test connection"), clicked=self.start)
        self.waiting = Note()
        line = hbox(self.button, (self.waiting, 1), gap=12)
        vbox(line, self._found(), on=self, gap=8)
        self.forget()

    def _found(self) -> QFrame:
        self._result = QFrame()
        self._result.setProperty("part", "sunken")
        self._chip = StateChip(look_of(Doing.READY))
        self._who = Text("", Role.STRONG, wrap=True)
        self._why = Text("", Role.NOTE)
        self._remedy = Text("", Role.NOTE, Ink.MUTED)
        for text in (self._who, self._why, self._remedy):
            text.setWordWrap(True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details = KeyValue()
        self.raw = Details()
        self.raw.opened.connect(self.answered)
        head = hbox((self._who, 1), (self._chip, 0, Qt.AlignmentFlag.AlignTop))
        rows = (head, self._why, self._remedy, self.details, self.raw)
        vbox(*rows, on=self._result, gap=6, margins=(12, 10, 12, 10))
        return self._result

    def start(self) -> None:
        """Test the connection; one test at a time."""
        if self._task is None:
            self._task = self._context.operations.run(self._try())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def forget(self) -> None:
        """Clear the result: it belongs to other settings."""
        self.report = None
        self._result.hide()
        self.waiting.setText(self.tr("Asks the controller to identify itself. Nothing moves."))

    async def _try(self) -> None:
        self.forget()
        self.button.setEnabled(False)
        self.waiting.setText(self.tr("Asking the controller…"))
        try:
            report = await self._context.door.execute(TryMachine(self._spec(), self._machine_id))
        except InvalidInput as error:
            self.forget()
            self.refused.emit(error)
        except CncStationError as error:
            self.show_report(ConnectionReport(failure=str(error)))
        else:
            self.show_report(report)
        finally:
            if self._task is not None:  # otherwise stopped, and the button may be deleted
                self._task = None
                self.button.setEnabled(True)

    def show_report(self, report: ConnectionReport) -> None:
        self.report = report
        identity, status = report.identity, report.status
        failed = bool(report.failure) or identity is None
        look = NOT_REACHABLE if failed or status is None else look_of(status.doing)
        self._chip.set_look(look)
        self._who.setText(identity.controller if identity else self.tr("No connection"))
        self._why.setText(report.failure or (status.why if status else ""))
        self._remedy.setText(self._what_to_do(report))
        self.details.set_pairs(identity.details if identity else ())
        self.details.setVisible(bool(identity and identity.details))
        for text in (self._why, self._remedy):
            text.setVisible(bool(text.text()))
        self.raw.set_words(report.details)
        self.waiting.setText("" if failed else self.tr("It answers. Nothing is saved yet."))
        self._result.setAccessibleName(f"{self._who.text()}: {look.word}. {self._why.text()}")
        self._result.show()
        self.answered.emit()

    def as_text(self) -> str:
        """The result as one text."""
        shown = (self._who, self._why, self._remedy)
        words = [text.text() for text in shown if text.isVisibleTo(self)]
        return "\n".join([*words, self._chip.look.word] if words else words)

    def _what_to_do(self, report: ConnectionReport) -> str:
        if report.status is not None and report.status.remedy:
            return report.status.remedy
        if report.failure:
            return self.tr("Is it switched on, and is the address right? You can save it anyway.")
        return ""
