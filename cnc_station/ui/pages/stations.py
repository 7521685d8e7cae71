"""The fleet: which stations are there, which of them leads, and what runs where."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.notice import ABOUT_STATIONS, Notice
from cnc_station.engine.views import Presence
from cnc_station.ui import formatting
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.dialogs.move_machine import MoveMachineForm
from cnc_station.ui.drivers import Drivers
from cnc_station.ui.link_text import STANDALONE
from cnc_station.ui.models.fleet import StationMachines, others, places
from cnc_station.ui.models.row_list import ListColumn, RowList
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.station_detail import StationDetail
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.list_panes import ListPanes
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.text import ElidedLabel


class StationsPage(QWidget):
    """A list of the stations, one of them in full. While it is on view it asks every second:
    silence makes no change that could be heard."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._own_version = context.engine.about().version
        self._text = ""
        self._places: tuple[StationMachines, ...] = ()
        self._as_of = formatting.NONE
        self.rows = RowList(self._columns(), lambda place: place.station.name, self)
        self.table = ListTable(self.rows, self.tr("Stations"))
        self.table.chosen.connect(self._chosen)
        self.detail = StationDetail(context.now, Drivers(context.engine.drivers))
        self.detail.move_asked.connect(self.move_machine)
        self.detail.machine_asked.connect(self._to_machine)
        self._refresh = CoalescedTask(context.operations, self._load, self)
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._refresh.request)
        context.bridge.changed.connect(self._follow)
        self._place()
        move = QAction(self.tr("Move the machine to another station"), self)
        move.setShortcut("M")
        move.triggered.connect(self.move_machine)
        self.addAction(move)

    def _columns(self) -> tuple[ListColumn[StationMachines], ...]:
        return (
            ListColumn(self.tr("Station"), lambda p: p.station.name, 96, strong=True),
            ListColumn(
                self.tr("State"),
                lambda p: look_of(p.station.presence).word,
                136,
                look=lambda p: look_of(p.station.presence),
            ),
            ListColumn(self.tr("Heard"), self._heard, 64, ink=_heard_ink),
            ListColumn(self.tr("Leads"), self._leads, 72),
            ListColumn(self.tr("Lag"), lambda p: p.lag, 66, right=True),
            ListColumn(self.tr("Version"), self._version, 84, ink=self._version_ink),
            ListColumn(self.tr("Machines"), lambda p: str(len(p.posts)), 78, right=True),
            ListColumn(self.tr("At work"), _at_work, ink=lambda _: Ink.MUTED),
        )

    def _place(self) -> None:
        self.count = ElidedLabel(self.tr("Nothing read yet"), Role.STRONG)
        self.detail.setMinimumWidth(400)
        self.alone = self._alone()
        self.nothing_found = EmptyState(
            "search", self.tr("Nothing found"), self.tr("No station matches the search.")
        )
        instead = (self.alone, self.nothing_found)
        self._panes = ListPanes(self, (self.count,), self.table, self.detail, (3, 2), instead)

    def _alone(self) -> EmptyState:
        empty = EmptyState(
            "monitor",
            self.tr("This PC works alone"),
            self.tr(
                "Its jobs are kept in a file on this PC. Stations that are given the same "
                "PostgreSQL database become one fleet with one queue: set CNC_DATABASE_URL to "
                "postgresql://… on each PC, and CNC_REDIS_URL to redis://… to notice work sooner."
            ),
            self.tr("Show this station's settings"),
        )
        empty.step.connect(lambda: self._context.ways.to_page("settings"))
        return empty

    # what is on view

    def arrived(self) -> None:
        """Looks again: much may have happened. The keys are for the list, not for a button."""
        self.table.setFocus()
        self._refresh.request()

    def search(self, text: str) -> None:
        """Shows only stations that match, by their names or their machines'."""
        self._text = text
        self._refresh.request()

    def select_first(self) -> None:
        """Chooses the first station."""
        self.table.choose(0)

    def _follow(self, notice: Notice) -> None:
        if self.isVisible() and (notice.machines or notice.tells_of(ABOUT_STATIONS)):
            self._refresh.request()

    async def _load(self) -> None:
        engine = self._context.engine
        try:
            stations = await engine.stations()
            machines = await engine.machines()
            jobs = await engine.jobs_by_id(sorted(m.job_id for m in machines if m.job_id))
        except Unavailable:  # the bar above says so, and how long; asked again in a second
            if self._places:
                self.count.setText(
                    self.tr("As it was at {time}: the database is away").format(time=self._as_of)
                )
            return
        self._as_of = formatting.time_of_day(self._context.now())
        self._places = places(stations, machines, jobs)
        found = [p for p in self._places if p.has(self._text.lower().split())]
        self.rows.take(found)
        if found and self.table.current is None:
            self.table.choose(0)
        self.count.setText(self._summary())
        alone = any(link.state == STANDALONE for link in engine.links())
        nothing = None if found else self.nothing_found
        self._panes.show_list(unless=self.alone if alone else nothing)
        self._chosen(self.table.current)

    def _summary(self) -> str:
        presences = [place.station.presence for place in self._places]
        silent = presences.count(Presence.SILENT)
        there = len(presences) - presences.count(Presence.LEFT) - silent
        busy = sum(len(place.at_work) for place in self._places)
        parts = [
            self.tr("{count} there").format(count=there),
            self.tr("{count} not responding").format(count=silent) if silent else "",
            self._leader(),
            self.tr("{busy} at work").format(busy=busy),
        ]
        return " · ".join(part for part in parts if part)

    def _leader(self) -> str:
        for place in self._places:
            if place.station.leads:
                return self.tr("{name} leads, term {term}").format(
                    name=place.station.name, term=place.station.term
                )
        return self.tr("nobody leads at the moment")

    def _chosen(self, place: StationMachines | None) -> None:
        if place is not None:
            elsewhere = others((p.station for p in self._places), than=place.station.name)
            self.detail.show_place(
                place, leads=self._leader(), here=self._own_version, elsewhere=bool(elsewhere)
            )

    def showEvent(self, event: QShowEvent) -> None:
        """Lets the clock run."""
        super().showEvent(event)
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stops the clock: nobody looks."""
        super().hideEvent(event)
        self._clock.stop()

    # what the cells say

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

    # what can be done

    def move_machine(self) -> MoveMachineForm | None:
        """Asks which station the machine chosen goes to, if it can go."""
        place, post = self.table.current, self.detail.post
        if place is None or post is None or not self.detail.move_button.isEnabled():
            return None
        candidates = others((p.station for p in self._places), than=place.station.name)
        form = MoveMachineForm(
            self._context, self, post.machine, candidates, place.station.presence
        )
        form.open()
        return form

    def _to_machine(self) -> None:
        if self.detail.post is not None:
            self._context.ways.to_machine(self.detail.post.machine.id)


def _heard_ink(place: StationMachines) -> Ink:
    return Ink.ALARM if place.station.presence is Presence.SILENT else Ink.MUTED


def _at_work(place: StationMachines) -> str:
    return ", ".join(post.machine.spec.name for post in place.at_work)
