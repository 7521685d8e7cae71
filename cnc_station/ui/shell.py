"""The owner of the window from the start of the engine: navigates and updates the frame."""

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QDateTime, QObject, QTimer
from PySide6.QtWidgets import QFileDialog

from cnc_station.engine.domain.alerts import AlertKind
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.notice import (
    ABOUT_LINKS,
    ABOUT_STATIONS,
    MISSED,
    Notice,
    Topic,
    local,
)
from cnc_station.engine.domain.states import UNDECIDED_JOBS
from cnc_station.engine.door import Door
from cnc_station.engine.queries import FloorNow, JobById, ListLinks
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import Answer, Floor, JobFilter, NeedsYou, Presence, Remedy
from cnc_station.engine.views.alerts import AlertRow
from cnc_station.ui.alerts.alert_text import (
    bell_words,
    is_about_job,
    page_of,
    tone_of_severity,
    unseen,
)
from cnc_station.ui.alerts.feed import AlertFeed
from cnc_station.ui.alerts.panel import AlertPanel
from cnc_station.ui.alerts.presenter import AlertPresenter, Desktop
from cnc_station.ui.bridge import Bridge
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.file_dialogs import file_dialogs
from cnc_station.ui.frame import Frame, import_late
from cnc_station.ui.link_text import link_status
from cnc_station.ui.needs import link_needs, of_machine, worst_tone
from cnc_station.ui.operations import Operations
from cnc_station.ui.page_context import SLOW_LOOK_MS, PageContext
from cnc_station.ui.people.who_is_here import PresentPerson
from cnc_station.ui.theme import Tone
from cnc_station.ui.widgets.toasts import Message

_COUNT_MS, _REST_FACTOR = 500, 10


class Shell(QObject):
    """Implements `Navigator` for the pages."""

    def __init__(self, frame: Frame, desktop: Desktop | None = None) -> None:
        super().__init__()
        self._frame = frame
        self._desktop = desktop
        self.window = frame.window
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._tick)
        self._open_shop: Callable[[], Coroutine[Any, Any, object]] | None = None
        self._floor_needs: tuple[NeedsYou, ...] = ()
        self.presences: Mapping[str, Presence] = {}

    def open(
        self,
        door: Door,
        load_demo: Callable[[], Coroutine[Any, Any, object]],
        now: Callable[[], int] = now_ms,
    ) -> None:
        """The engine has started: fill the window and show the floor."""
        self._door = door
        self._load_demo = load_demo
        self._now = now
        self.bridge = Bridge(door, self)
        window = self.window
        self.operations = Operations(
            door, window.toasts, window.busy, window.bulk_busy, self._show_refused
        )
        self.alerts = AlertPresenter(
            AlertFeed(door, self.bridge, self.operations, self),
            door,
            self.operations,
            self.window.toasts,
            now,
            self._desktop,
            self,
        )
        self.context = PageContext(door, self.bridge, self.operations, self, now, self.alerts)
        self._frame.context = self.context
        self._add_bell()
        self.person = PresentPerson(self.context, window.top_bar.person, window)
        window.takes_badge = self.person.take_code
        self._needs_query = CoalescedTask(self.operations, self._count, self, interval_ms=_COUNT_MS)
        self._slow_look = QTimer(self, interval=SLOW_LOOK_MS)
        self._slow_look.timeout.connect(self._needs_query.request)
        self._slow_look.start()
        self.bridge.changed.connect(self._follow)
        self.window.new_job_requested.connect(self.new_job)
        self.window.files_dropped.connect(self._take_files)
        self.window.submitted.connect(self._find)
        self.window.setEnabled(True)
        self.window.show_page("floor")
        self._clock.start()
        self._tick()
        self._follow(MISSED)
        self.alerts.start()

    def _add_bell(self) -> None:
        self.alert_panel = AlertPanel(self.context, self.window.top_bar.bell, self.window)
        self.window.add_overlay(self.alert_panel)
        self.window.page_changed.connect(self.alert_panel.close_panel)
        self.window.top_bar.bell.clicked.connect(self.alert_panel.toggle)
        self.alert_panel.settings_wanted.connect(self.to_notifications)
        self.alert_panel.opened.connect(self.to_alert)
        self.alerts.opened.connect(self.to_alert)
        self.alerts.changed.connect(self._show_bell)
        self.alerts.feed.changed.connect(self._show_bell)

    def _show_bell(self) -> None:
        rows = unseen(self.alerts.feed.open_rows)
        tone = tone_of_severity(rows[0].severity) if rows else Tone.NORMAL
        muted = self.alerts.muted_until is not None
        words = bell_words(rows)
        self.window.top_bar.bell.show_count(len(rows), tone, words, muted=muted)

    def to_alert(self, row: AlertRow) -> None:
        """Show what an alert is about."""
        if is_about_job(row) and row.job_id is not None:
            self.to_attention(row.job_id)
        elif row.machine_id is not None:
            self.to_machine(row.machine_id)
        elif row.kind is AlertKind.DELIVERY_DEAD:
            self.to_dead_deliveries()
        else:
            self.to_page(page_of(row))

    def to_notifications(self) -> None:
        """Show the settings of alerts."""
        self.to_page("settings")
        cast("Any", self.window.page("settings")).show_notifications()

    def can_reopen(
        self, open_shop: Callable[[], Coroutine[Any, Any, object]], *, is_demo: bool
    ) -> None:
        """The window can change to the shop's own data, as the settings are now. `is_demo`: these
        are those of a demo day, which is left for good."""
        self._open_shop = open_shop
        if is_demo:
            self.window.top_bar.tell(import_late("first_run.demo_bar.DemoBar")(self.open_shop))

    def open_shop(self) -> None:
        if self._open_shop is not None:
            self.operations.run(self._open_shop(), self.tr("Opening the shop…"))

    def welcome(self) -> None:
        """Ask a new shop how it wants to begin."""
        self.operations.run(import_late("first_run.first_run.welcome")(self.context, self.window))

    async def close(self) -> None:
        self._clock.stop()
        self._slow_look.stop()
        self._needs_query.stop()
        self.alerts.stop()
        self.alert_panel.close_panel()
        self.person.close()
        self.bridge.close()
        await self.operations.close()

    def tell_stall(self, seconds: float, *, engine_too: bool) -> None:
        """Report that the window did not respond for so long."""
        if engine_too:
            words = self.tr("The station stood still for {s} s. Check the machines.")
            self.window.toasts.fail(words.format(s=round(seconds)))
        else:
            words = self.tr("The window did not respond for {s} s. Machines and jobs went on.")
            self.window.toasts.say(words.format(s=round(seconds)))

    def tell_crash(self, report: Path) -> None:
        """Report that the program crashed in its former life, and offer the report."""
        words = self.tr("CNC Station crashed the last time. A report was saved.")
        dialog = import_late("dialogs.crash_report.CrashReportDialog")
        show = (self.tr("Show"), lambda: dialog(report, self.window).open())
        self.window.toasts.alert(
            Message(words, Tone.ALARM, stays=True, action=show, key=("crash", str(report)))
        )

    def to_page(self, key: str) -> None:
        self.window.show_page(key)

    def to_jobs(self, chosen: JobFilter) -> None:
        self.window.show_page("jobs")
        self.window.narrow(chosen.text)
        cast("Any", self.window.page("jobs")).apply(chosen)

    def to_job(self, job_id: int) -> None:
        self.window.show_page("jobs")
        cast("Any", self.window.page("jobs")).open_job(job_id)

    def to_attention(self, job_id: int) -> None:
        self._select("attention", job_id)

    def to_machine(self, machine_id: int) -> None:
        self._select("machines", machine_id)

    def to_program(self, sha256: str) -> None:
        self._select("programs", sha256)

    def to_dead_deliveries(self) -> None:
        self.window.show_page("integrations")
        self.window.narrow("")
        cast("Any", self.window.page("integrations")).show_dead()

    def to_backups(self) -> None:
        self.window.show_page("settings")
        self.window.narrow("")
        cast("Any", self.window.page("settings")).show_backups()

    def _select(self, page: str, key: int | str) -> None:
        self.window.show_page(page)
        self.window.narrow("")
        cast("Any", self.window.page(page)).select(key)

    def new_job(self, program: str | None = None) -> None:
        import_late("dialogs.job_form.JobForm").new(
            self.context, self.window, program=program
        ).open()

    def _show_refused(self, answers: Sequence[Answer], count: int, noun: str) -> None:
        to_job = self.to_job if noun == "job" else None
        dialog = import_late("dialogs.refused.RefusedDialog")
        dialog(answers, count, noun, to_job, self.window).open()

    def import_files(self) -> None:
        chooser = file_dialogs.make(self.window, self.tr("Import programs or a table of jobs"))
        chooser.setFileMode(QFileDialog.FileMode.ExistingFiles)
        chooser.filesSelected.connect(lambda names: self._take_files([Path(n) for n in names]))
        chooser.open()

    def load_demo(self) -> None:
        self.operations.run(self._load_demo(), self.tr("Loading the demo day…"))

    def _take_files(self, files: list[Path]) -> None:
        import_late("intake.take_files")(self.context, self.window, files)

    def _tick(self) -> None:
        time = QDateTime.fromMSecsSinceEpoch(self._now()).toString("HH:mm")
        self.window.top_bar.clock.setText(time)
        self._show_bell()
        self._show_links()

    def _follow(self, notice: Notice) -> None:
        if notice.jobs or notice.machines or notice.tells_of(ABOUT_STATIONS):
            self._needs_query.request()
        if notice.tells_of(ABOUT_LINKS):
            self._show_links()
            self._show_needs()

    async def _count(self) -> None:
        """Count what needs a person, for the rail. The count stands still while the database is
        down: its link is counted then, and the bar shows for how long."""
        begun = time.perf_counter()
        try:
            floor = await self._door.ask(FloorNow())
        except Unavailable:
            return
        took = time.perf_counter() - begun
        self._needs_query.set_min_interval(max(_COUNT_MS, round(_REST_FACTOR * 1000 * took)))
        self._floor_needs = floor.needs_you
        self._report_presence(floor)
        self.window.rail.set_badge("attention", floor.counts.of(UNDECIDED_JOBS))
        self._show_needs()

    def _report_presence(self, floor: Floor) -> None:
        """A station that goes silent causes no notice, but changes what its machines can do: notify
        the pages."""
        before = self.presences
        self.presences = {card.machine.station: card.machine.presence for card in floor.cards}
        if any(self.presences.get(name) is not known for name, known in before.items()):
            self.bridge.changed.emit(local(Topic.PRESENCE_CHANGED))

    def _show_needs(self) -> None:
        needs = (*link_needs(self._door.peek(ListLinks())), *self._floor_needs)
        machines = tuple({item.machine_id: item for item in needs if of_machine(item)}.values())
        stations = tuple(item for item in needs if item.remedy is Remedy.FIND_STATION)
        for key, items in (("floor", needs), ("machines", machines), ("stations", stations)):
            self.window.rail.set_badge(key, len(items), worst_tone(items))

    def _show_links(self) -> None:
        now = self._now()
        links = self._door.peek(ListLinks())
        self.window.top_bar.dots.set_connections([link_status(link, now) for link in links])

    def _find(self, text: str) -> None:
        """Enter in the search field, or a scanned code: a job's number opens it."""
        number = text.strip().removeprefix("#")
        if number.isdecimal():
            self.operations.run(self._find_job(int(number)))
        else:
            self.to_jobs(JobFilter(text=text))

    async def _find_job(self, job_id: int) -> None:
        if await self._door.ask(JobById(job_id)) is None:
            self.window.toasts.fail(self.tr("There is no job %1.").replace("%1", str(job_id)))
        else:
            self.to_job(job_id)
