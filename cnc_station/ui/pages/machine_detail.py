"""One machine: its state, what can be done about it, its controller's status, its history."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.states import BUSY_MACHINES, MachineState
from cnc_station.engine.queries import ControllerStatus, LatestTelemetry
from cnc_station.engine.views import MachineRow, Status
from cnc_station.ui import formatting
from cnc_station.ui.drivers import (
    Drivers,
    at_panel,
    is_unready,
    machine_look,
    unattended,
    wants_position,
)
from cnc_station.ui.event_text import by_and_why, event_sentence, tone_of
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.machine_about import MachineAbout, position_words
from cnc_station.ui.pages.machine_buttons import MachineButtons
from cnc_station.ui.set_up.panel import SetUpPanel
from cnc_station.ui.theme import Role
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.card import Card, scrolling
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.facts import Details
from cnc_station.ui.widgets.layout import fill, hbox
from cnc_station.ui.widgets.literal import plain, set_tip
from cnc_station.ui.widgets.live_panel import LivePanel
from cnc_station.ui.widgets.state_look import StateLook, look_of
from cnc_station.ui.widgets.tabs import TabStack
from cnc_station.ui.widgets.text import ElidedLabel, Note, Text
from cnc_station.ui.widgets.timeline import Timeline, TimelineEntry

_JOB_WIDTH = 150
NOW, SET_UP, LATELY, ABOUT = "now", "set-up", "lately", "about"
LIVE_MS = 150  # from memory, while it is on view


class MachineDetail(Card):
    """Shows a machine; the page connects its buttons."""

    def __init__(self, context: PageContext, drivers: Drivers) -> None:
        super().__init__()
        self._context = context
        self._drivers = drivers
        self.shown: MachineRow | None = None
        self._name = ElidedLabel("", Role.CARD_TITLE)
        self._chip = StateChip(look_of(MachineState.IDLE))
        self.why = Text("", Role.STRONG, wrap=True)
        self.remedy = Note()
        self.details = Details()
        self.buttons = MachineButtons()
        self.live = LivePanel()
        self.set_up = SetUpPanel(context)
        self.timeline = Timeline()
        self.about = MachineAbout()
        self._live = QTimer(self, interval=LIVE_MS)
        self._live.timeout.connect(self._look)
        self._place()

    def _place(self) -> None:
        self.job_button = Button(self.tr("The job at work"))
        self.log_button = Button(self.tr("Log…"))
        links = hbox((self.job_button, 1), (self.log_button, 1), gap=8)
        stack = TabStack()
        self.tabs = stack.tabs
        for key, title, widget in (
            (NOW, self.tr("Now"), scrolling(self.live)),
            (SET_UP, self.tr("Set-up"), self.set_up),
            (LATELY, self.tr("History"), self.timeline),
            (ABOUT, self.tr("About"), scrolling(self.about)),
        ):
            stack.add(key, title, widget)
        self.body.setSpacing(8)
        head = hbox((self._name, 1), self._chip)
        texts = (self.why, self.remedy, self.details)
        fill(self.body, head, *texts, self.buttons, links, (stack, 1))

    def picked(self, machine: MachineRow) -> None:
        """A person has chosen the machine that is shown next."""
        if self.shown is None or machine.id != self.shown.id:
            self.buttons.forget()
            self.about.forget()

    def show_machine(self, machine: MachineRow) -> None:
        self.shown = machine
        self._name.setText(machine.spec.name)
        self.buttons.show_machine(machine, self._drivers.abilities(machine.spec.driver))
        self.job_button.setVisible(machine.job_id is not None)
        self.set_up.show_job(machine.job_id)
        title = self._drivers.title(machine.spec.driver)
        self.about.show_machine(machine, title, self._context.now())
        self.clock_moved()
        self._look()

    def _look(self) -> None:
        machine = self.shown
        if machine is None:
            return
        status = self._context.door.peek(ControllerStatus(machine.id))
        self._say(machine, status)
        if status is not None:
            self.live.show_status(status, self._context.door.peek(LatestTelemetry(machine.id)))
        else:
            elsewhere = self.tr("It is wired to station {station}: look there for its status.")
            self.live.show_nothing(elsewhere.format(station=machine.station))

    def _say(self, machine: MachineRow, status: Status | None) -> None:
        why = self._why(machine) or (status.why if status else "")
        self._show(self.why, formatting.sentence(why))
        can = self._drivers.abilities(machine.spec.driver)
        remedy = (status.remedy if status else "") or at_panel(machine, can)
        if not machine.attended:
            remedy = self.tr("Last known: {state}. Look at the PC of that station.")
            remedy = remedy.format(state=look_of(machine.state).word)
        self._show(self.remedy, remedy)
        self.details.set_words(status.details if status else "")
        self.why.set_ink(tone_ink(self._look_of(machine).tone))

    def _why(self, machine: MachineRow) -> str:
        if away := unattended(machine):
            return away
        if machine.maintenance_due and machine.state in BUSY_MACHINES:
            return self.tr("Maintenance begins after this run.")
        why = machine.state_reason
        if wants_position(machine):
            (said,) = position_words(machine, self._context.now())
            why = self.tr("Position {said}").format(said=said)
        elif is_unready(machine):
            why = self.tr("Not ready: {why}").format(why=machine.not_ready)
        elif machine.missing_since is not None and machine.state is not MachineState.OFFLINE:
            known = machine.not_ready or self.tr("it reconnects by itself")
            why = self.tr("Not reachable: {why}").format(why=known)
        if machine.maintenance_due:  # its run was lost, or ended in an alarm
            follows = self.tr("Maintenance follows.")
            why = f"{why.rstrip('.')}. {follows}" if why else follows
        return why

    @staticmethod
    def _show(text: Text, words: str) -> None:
        if plain(words) != text.text() or text.isHidden() is bool(words):
            text.setText(words)
            text.setVisible(bool(words))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._live.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._live.stop()

    def show_events(self, events: Sequence[Event], jobs: Mapping[int, str]) -> None:
        """Show recent events, scrolled to the newest; `jobs` are the titles of their jobs."""
        entries = []
        for event in events:
            note = " · ".join(p for p in (jobs.get(event.job_id or 0), by_and_why(event)) if p)
            at = formatting.moment(event.at, self._context.now())
            entries.append(TimelineEntry(event_sentence(event), note, at, tone_of(event)))
        self.timeline.set_entries(entries)
        self.timeline.scrollToBottom()
        if self.shown is not None and self.shown.job_id is not None:
            title = jobs.get(self.shown.job_id, self.tr("The job at work"))
            metrics, right = self.job_button.fontMetrics(), Qt.TextElideMode.ElideRight
            self.job_button.setText(metrics.elidedText(title, right, _JOB_WIDTH))
            set_tip(self.job_button, title)

    def clock_moved(self) -> None:
        if self.shown is not None:
            lasted = formatting.lasted(self.shown.state_since, self._context.now())
            self._chip.set_look(self._look_of(self.shown), lasted)

    def _look_of(self, machine: MachineRow) -> StateLook:
        return machine_look(machine, self._drivers.abilities(machine.spec.driver))
