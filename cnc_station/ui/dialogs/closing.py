"""Ask what happens to active runs when the window is closed."""

import asyncio
from collections.abc import Mapping, Sequence
from enum import Enum, auto

from PySide6.QtWidgets import QWidget

from cnc_station.engine.views import AtClosing, RunInHand
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.card import scrolling
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.text import Note, Text

_SIZE = (560, 560)
_SIZE_TOUCH = (680, 680)
_MARGIN = 20
_GAP = 12
STOPPED = frozenset({AtClosing.ABORTED, AtClosing.BEGINS_AGAIN})


class Choice(Enum):
    """The answer."""

    KEEP_RUNNING = auto()
    CLOSE = auto()
    CANCEL = auto()


class ClosingDialog(Dialog):
    """Shows runs with `show_runs`; `choose` opens it and waits for the answer."""

    def __init__(self, way_back: str, parent: QWidget | None) -> None:
        super().__init__(self.tr("Close CNC Station?"), parent, modal=True)
        self._answer: asyncio.Future[Choice] = asyncio.get_running_loop().create_future()
        self._guard = TapGuard(self)
        self._shown: object = None
        self.about = Text("", Role.BODY, Ink.MUTED, wrap=True)
        self.runs = QWidget()
        self._body = vbox(on=self.runs, gap=4)
        self.keep = PrimaryButton(self.tr("Keep the station running without a window"))
        self.keep.setDefault(True)
        self.keep.clicked.connect(lambda: self._choose(Choice.KEEP_RUNNING))
        back = Note(way_back)
        self.abort = HoldButton("", held=lambda: self._choose(Choice.CLOSE))
        self.close_all = Button("", clicked=lambda: self._choose(Choice.CLOSE))
        self.cancel = self.cancel_button()
        self.finished.connect(lambda _: self._choose(Choice.CANCEL))
        vbox(
            Text(self.windowTitle(), Role.PAGE_TITLE),
            self.about,
            (scrolling(self.runs), 1),
            self.keep,
            back,
            self.abort,
            self.close_all,
            self.cancel,
            on=self,
            gap=_GAP,
            margins=_MARGIN,
        )
        self.fit(_SIZE, _SIZE_TOUCH)
        self.keep.setFocus()

    async def choose(self) -> Choice:
        """Open the dialog and wait for the answer. Cancelling the wait closes it."""
        self.open()
        try:
            return await self._answer
        finally:
            if not self._answer.done() or self._answer.cancelled():
                self.reject()

    def _choose(self, choice: Choice) -> None:
        if not self._answer.done():
            self._answer.set_result(choice)
            self.accept()

    def show_runs(self, runs: Sequence[RunInHand], machines: Mapping[int, str]) -> None:
        """Show this station's active runs; call it again when they change."""
        shown = (tuple(runs), dict(machines))
        if shown == self._shown:
            return
        self._shown = shown
        while (item := self._body.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for title, fate, ink in (
            (self.tr("Aborted half-way, the part has to be looked at"), AtClosing.ABORTED, True),
            (self.tr("Stopped, and begin again at the next start"), AtClosing.BEGINS_AGAIN, True),
            (self.tr("Go on at their controls without CNC Station"), AtClosing.GOES_ON, False),
            (self.tr("Have not begun, go back into the queue"), AtClosing.RETURNED, False),
        ):
            concerned = [run for run in runs if run.at_closing is fate]
            if concerned:
                self._list(title, Ink.ALARM if ink else Ink.TEXT, concerned, machines)
        self._body.addStretch(1)
        self._offer(runs)

    def _list(
        self, title: str, ink: Ink, runs: Sequence[RunInHand], machines: Mapping[int, str]
    ) -> None:
        self._body.addWidget(Text(title, Role.STRONG, ink, wrap=True))
        for run in runs:
            unknown = run.handler or self.tr("Machine {n}").format(n=run.machine_id)
            name = machines.get(run.machine_id or 0, unknown)
            self._body.addWidget(Text(f"{name} · {run.job}", Role.BODY, wrap=True))
        self._body.addSpacing(_GAP)

    def _offer(self, runs: Sequence[RunInHand]) -> None:
        stopped = sum(run.at_closing in STOPPED for run in runs)
        going_on = sum(run.at_closing is AtClosing.GOES_ON for run in runs)
        about = self.tr("This station drives {runs}. Closing it now would do this:")
        none = self.tr("Nothing runs any more.")
        self.about.setText(about.format(runs=self._counted(len(runs))) if runs else none)
        abort = self.tr("Abort {runs} and close: hold 2 s").format(runs=self._counted(stopped))
        self.abort.setText(abort)
        self.abort.setVisible(bool(stopped))
        on = self.tr("Close: {runs} without CNC Station")
        goes = self.tr("1 run goes on") if going_on == 1 else self.tr("{n} runs go on")
        self.close_all.setText(
            on.format(runs=goes.format(n=going_on)) if going_on else self.tr("Close")
        )
        self.close_all.setVisible(not stopped)
        self._guard.show("close", (stopped, going_on), self.abort, self.close_all)

    def _counted(self, runs: int) -> str:
        return self.tr("1 run") if runs == 1 else self.tr("{n} runs").format(n=runs)
