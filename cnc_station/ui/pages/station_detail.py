"""One station: whether it is online, what it is, and the machines wired to it with what they do."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from cnc_station.engine.views import Presence
from cnc_station.ui import formatting
from cnc_station.ui.drivers import Drivers, machine_look
from cnc_station.ui.models.fleet import MachineAssignment, StationMachines
from cnc_station.ui.models.row_model import Column, RowList
from cnc_station.ui.theme import Role
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.card import Card, rule
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.layout import fill, hbox
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.state_look import StateLook, look_of
from cnc_station.ui.widgets.text import ElidedLabel, Note, Text


class StationDetail(Card):
    """Shows a station; the page connects its buttons."""

    def __init__(self, now: Callable[[], int], drivers: Drivers) -> None:
        super().__init__()
        self._now = now
        self._drivers = drivers
        self._shown = ""
        self._elsewhere = False
        self._name = ElidedLabel("", Role.CARD_TITLE)
        self._chip = StateChip(look_of(Presence.CONNECTED))
        self.meaning = Note()
        self.facts = KeyValue()
        self.posts = RowList(self._columns(), lambda post: post.machine.id, self)
        self.table = ListTable(self.posts, self.tr("Machines of this station"))
        self._rest = QWidget()  # takes the table's room without machines
        self.table.chosen.connect(self._fit_buttons)
        head = hbox((self._name, 1), self._chip)
        fill(self.body, head, self.meaning, 8, self.facts, 8, rule())
        self._title = Text("", Role.STRONG, wrap=True)
        fill(self.body, self._title, (self.table, 1), (self._rest, 1), 8)
        self._place_buttons()

    def _columns(self) -> tuple[Column[MachineAssignment], ...]:
        return (
            Column(self.tr("Machine"), lambda p: p.machine.spec.name, 92, strong=True),
            Column(self.tr("State"), lambda p: self._look_of(p).word, 136, look=self._look_of),
            Column(self.tr("At work on"), lambda p: p.job.title if p.job else formatting.NONE),
        )

    def _look_of(self, post: MachineAssignment) -> StateLook:
        machine = post.machine
        return machine_look(machine, self._drivers.abilities(machine.spec.driver))

    def _place_buttons(self) -> None:
        self.why_not = Note()
        self.move_button = Button(self.tr("Move to another station…"))
        self.machine_button = Button(self.tr("Show machine"))
        line = hbox((self.move_button, 1), self.machine_button, gap=8)
        fill(self.body, self.why_not, line)

    @property
    def post(self) -> MachineAssignment | None:
        """The chosen machine."""
        return self.table.current

    def show_place(self, place: StationMachines, *, leads: str, here: str, elsewhere: bool) -> None:
        """Show a station. `leads` names the leader; `here` is this station's version; `elsewhere`:
        another station could take a machine."""
        row = place.station
        self._elsewhere = elsewhere
        self._name.setText(row.name)
        silent = row.presence is Presence.SILENT
        self._chip.set_look(look_of(row.presence), formatting.duration(row.heard_s or 0) * silent)
        self.meaning.setText(self._means(place))
        self.meaning.setVisible(bool(self.meaning.text()))
        other = "" if row.version == here else self.tr(" · this station: {own}").format(own=here)
        self.facts.set_pairs(
            (
                (self.tr("PC"), row.host),
                (self.tr("Version"), f"{row.version}{other}"),
                (self.tr("Started"), formatting.moment(row.started_at, self._now())),
                (self.tr("Database lag"), place.lag),
                (self.tr("Leader"), leads),
            )
        )
        self._show_posts(place)
        self._shown = row.name
        self._fit_buttons()

    def _show_posts(self, place: StationMachines) -> None:
        count, busy = len(place.posts), len(place.at_work)
        self._title.setText(
            self.tr("{count} connected, {busy} at work").format(count=count, busy=busy)
            if count
            else self.tr("No machine is connected to it. One can be added there, or moved to it.")
        )
        self.posts.take(place.posts)
        self.table.setVisible(bool(count))
        self._rest.setVisible(not count)
        if count and (self.table.current is None or place.station.name != self._shown):
            self.table.choose(0)

    def _means(self, place: StationMachines) -> str:
        presence = place.station.presence
        if presence is Presence.SILENT and place.at_work:
            return self.tr(
                "Not responding. Its machines go on cutting; the leader takes over its runs "
                "when its leases expire."
            )
        if presence is Presence.SILENT:
            return self.tr(
                "Not responding. Nothing starts on its machines until it is back or they are moved."
            )
        if presence is Presence.LEFT:
            return self.tr("Closed in order. Its machines wait for it, or can be moved.")
        return ""

    def _fit_buttons(self) -> None:
        post = self.post
        why_not = ""
        if post is not None and post.busy:
            name = post.machine.spec.name
            why_not = self.tr("{name} is at work: it can be moved when its run is over.")
            why_not = why_not.format(name=name)
        elif post is not None and not self._elsewhere:
            why_not = self.tr("No other station is there to move it to.")
        self.why_not.setText(why_not)
        self.why_not.setVisible(bool(why_not))
        self.move_button.setEnabled(post is not None and not why_not)
        self.machine_button.setEnabled(post is not None)
