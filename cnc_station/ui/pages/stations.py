"""The fleet: which stations are online, which one leads, and what runs where."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.notice import ABOUT_STATIONS, Notice
from cnc_station.engine.queries import (
    AboutStation,
    JobsById,
    ListLinks,
    ListMachines,
    ListStations,
)
from cnc_station.engine.views import Presence
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.machine_form import MoveMachineForm
from cnc_station.ui.drivers import Drivers
from cnc_station.ui.first_run.fleet_form import FleetForm
from cnc_station.ui.link_text import STANDALONE
from cnc_station.ui.models.fleet import StationMachines, others, places
from cnc_station.ui.models.row_model import Column
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.list_page import ListPage
from cnc_station.ui.pages.station_detail import StationDetail
from cnc_station.ui.theme import Ink
from cnc_station.ui.widgets.buttons import add_key
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.state_look import look_of


class StationsPage(ListPage[StationMachines]):
    """A list of the stations, one of them in detail. It queries every second while it is on view: a
    station that goes silent causes no notice."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(context, self.tr("Stations"))
        self._own_version = context.door.peek(AboutStation()).version
        self._places: tuple[StationMachines, ...] = ()
        self._as_of = formatting.NONE
        self.detail = StationDetail(context.now, Drivers(context.door))
        self.detail.move_button.clicked.connect(self.move_machine)
        self.detail.machine_button.clicked.connect(self._to_machine)
        self.detail.table.opened.connect(self._to_machine)
        no_match = self.tr("No station matches the search.")
        self.lay_out(self.detail, (3, 2), self._alone(), no_match, least=400)
        add_key(self, self.tr("Move the machine to another station"), "M", self.move_machine)

    def columns(self) -> Sequence[Column[StationMachines]]:
        return (
            Column(self.tr("Station"), lambda p: p.station.name, 96, strong=True),
            Column(
                self.tr("State"),
                lambda p: look_of(p.station.presence).word,
                136,
                look=lambda p: look_of(p.station.presence),
            ),
            Column(self.tr("Last seen"), self._heard, 64, ink=_heard_ink),
            Column(self.tr("Leads"), self._leads, 72),
            Column(self.tr("Lag"), lambda p: p.lag, 66, right=True),
            Column(self.tr("Version"), self._version, 84, ink=self._version_ink),
            Column(self.tr("Machines"), lambda p: str(len(p.posts)), 78, right=True),
            Column(self.tr("At work"), _at_work, ink=lambda _: Ink.MUTED),
        )

    def _alone(self) -> EmptyState:
        empty = EmptyState(
            "monitor",
            self.tr("This PC works alone"),
            self.tr(
                "Its jobs are stored in a file on this PC. Stations that are given the same "
                "PostgreSQL database become one fleet with one queue. A Redis server lets them "
                "notice work sooner."
            ),
            self.tr("Join a fleet"),
        )
        empty.step.connect(self.join_a_fleet)
        return empty

    def join_a_fleet(self) -> FleetForm:
        """Ask for the servers of a fleet."""
        form = FleetForm(self._context, self.window())
        form.open()
        return form

    def key_of(self, row: StationMachines) -> str:
        return row.station.name

    def follow(self, notice: Notice) -> None:
        if notice.machines or notice.tells_of(ABOUT_STATIONS):
            self._refresh.request()

    def tick(self) -> None:
        self._refresh.request()

    async def read(self) -> Sequence[StationMachines] | None:
        """The stations that match by their own or their machines' names."""
        door = self._context.door
        try:
            stations = await door.ask(ListStations())
            machines = await door.ask(ListMachines())
            jobs = await door.ask(JobsById(sorted(m.job_id for m in machines if m.job_id)))
        except Unavailable:  # the top bar shows it; the next tick tries again
            if self._places:
                down = self.tr("As of {time}: the database is down")
                self.count.setText(down.format(time=self._as_of))
            return None
        self._as_of = formatting.time_of_day(self._context.now())
        self._places = places(stations, machines, jobs)
        return [p for p in self._places if p.has(self._text.lower().split())]

    def instead(self) -> QWidget | None:
        """A standalone PC has no fleet to show."""
        if any(link.state == STANDALONE for link in self._context.door.peek(ListLinks())):
            return self.empty
        return None if self.rows.total else self.nothing_found

    def summary(self) -> str:
        presences = [place.station.presence for place in self._places]
        silent = presences.count(Presence.SILENT)
        there = len(presences) - presences.count(Presence.LEFT) - silent
        busy = sum(len(place.at_work) for place in self._places)
        parts = [
            self.tr("{count} online").format(count=there),
            self.tr("{count} not responding").format(count=silent) if silent else "",
            self._leader(),
            self.tr("{busy} at work").format(busy=busy),
        ]
        return " · ".join(part for part in parts if part)

    def _leader(self) -> str:
        for station in (place.station for place in self._places):
            if station.leads:
                leads = self.tr("{name} leads, term {term}")
                return leads.format(name=station.name, term=station.term)
        return self.tr("nobody leads at the moment")

    def show_row(self, row: StationMachines) -> None:
        elsewhere = bool(others((p.station for p in self._places), than=row.station.name))
        leads, here = self._leader(), self._own_version
        self.detail.show_place(row, leads=leads, here=here, elsewhere=elsewhere)

    def _heard(self, place: StationMachines) -> str:
        if place.station.presence is not Presence.SILENT:
            return formatting.NONE if place.station.heard_s is None else self.tr("now")
        return formatting.duration(place.station.heard_s or 0.0)

    def _leads(self, place: StationMachines) -> str:
        row = place.station
        return self.tr("term {term}").format(term=row.term) if row.leads else ""

    def _version(self, place: StationMachines) -> str:
        version = place.station.version
        same = version == self._own_version
        return version if same else self.tr("{version} · differs").format(version=version)

    def _version_ink(self, place: StationMachines) -> Ink:
        return Ink.TEXT if place.station.version == self._own_version else Ink.HELD

    def move_machine(self) -> MoveMachineForm | None:
        """Ask for the station to move the chosen machine to, if it can be moved."""
        place, post = self.table.current, self.detail.post
        if place is None or post is None or not self.detail.move_button.isEnabled():
            return None
        stations = others((p.station for p in self._places), than=place.station.name)
        own = place.station.presence
        form = MoveMachineForm(self._context, self, post.machine, stations, own)
        form.open()
        return form

    def _to_machine(self) -> None:
        if self.detail.post is not None:
            self._context.navigator.to_machine(self.detail.post.machine.id)


def _heard_ink(place: StationMachines) -> Ink:
    return Ink.ALARM if place.station.presence is Presence.SILENT else Ink.MUTED


def _at_work(place: StationMachines) -> str:
    return ", ".join(post.machine.spec.name for post in place.at_work)
