"""The column beside the machines: what needs a person, what comes next, what just happened."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.states import WAITING_JOBS
from cnc_station.engine.views import Floor, JobRow, NeedsYou, Remedy
from cnc_station.engine.views.alerts import AlertRow
from cnc_station.ui import event_text, formatting
from cnc_station.ui.alerts.alert_text import seen_by
from cnc_station.ui.floor.activity_row import RowText, row_height
from cnc_station.ui.floor.compact_list import CompactList
from cnc_station.ui.needs import is_told_by, tone_of_need
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.text import Note

_LEAST = (3, 2, 1)
_THEN = (1, 1, 2)


class ActivityPanel(QWidget):
    """Shows the lists of a `Floor`; `remedied` and `needed` carry the chosen NeedsYou."""

    remedied = Signal(object)
    needed = Signal(object)
    job_chosen = Signal(int)
    machine_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.needs = CompactList(self.tr("Needs you"), self.tr("Nothing needs you now."))
        self.next_up = CompactList(self.tr("Next up"), self.tr("Nothing waits."))
        self.just_now = CompactList(self.tr("Just now"), self.tr("Nothing has happened yet."))
        self.first_jobs = FirstJobs()
        self.first_jobs.hide()
        self.next_up.body.insertWidget(1, self.first_jobs)
        self._needs: dict[str, NeedsYou] = {}
        self._alerts: Sequence[AlertRow] = ()
        self._events: dict[str, Event] = {}
        self._names: dict[int, str] = {}
        self.needs.remedied.connect(lambda key: self.remedied.emit(self._needs[key]))
        self.needs.chosen.connect(lambda key: self.needed.emit(self._needs[key]))
        self.next_up.chosen.connect(lambda key: self.job_chosen.emit(int(key)))
        self.just_now.chosen.connect(self._open_event)
        for card in (self.needs, self.next_up, self.just_now):
            card.setParent(self)
            card.wants_changed.connect(self._arrange)
        theme().changed.connect(self._arrange)

    def _arrange(self) -> None:
        """Give every list whole rows as the room allows; the last card takes the rest."""
        gap, top = theme().metrics.card_gap, theme().metrics.page_margin
        cards = (self.needs, self.next_up, self.just_now)
        extra = 0 if self.first_jobs.isHidden() else self.first_jobs.sizeHint().height()
        chrome = sum(card.chrome for card in cards) + 2 * gap + extra
        rows = shares(
            (self.height() - top - chrome) // row_height(), [card.wants for card in cards]
        )
        for card, count in zip(cards, rows, strict=True):
            height = card.chrome + count * row_height()
            if card is self.next_up:
                height += extra
            if card is self.just_now:
                height = max(height, self.height() - top)
            card.setGeometry(0, top, self.width(), height)
            top += height + gap

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def show_floor(
        self, floor: Floor, needs: Sequence[NeedsYou], jobs: Mapping[int, str], now: int
    ) -> None:
        """Show a `Floor` and these needs; `jobs` has the titles for the events' jobs."""
        self._names = {card.machine.id: card.machine.spec.name for card in floor.cards}
        self.show_needs(needs, now)
        waiting = floor.counts.of(WAITING_JOBS)
        self.next_up.set_note(self.tr("{n:,} waiting").format(n=waiting) if waiting else "")
        self.next_up.set_rows({str(row.id): _job_row(row, now) for row in floor.next_up})
        empty = not sum(floor.counts.by_state.values())
        if empty is self.first_jobs.isHidden():
            self.first_jobs.setVisible(empty)
            self._arrange()
        stuck = self.tr("Nothing can start now.") if waiting else self.tr("Nothing waits.")
        self.next_up.set_nothing("" if empty else stuck)
        self._events = {str(event.id): event for event in floor.just_now}
        told = {key: self._event_row(event, jobs) for key, event in self._events.items()}
        self.just_now.set_rows(told)

    def show_needs(self, needs: Sequence[NeedsYou], now: int) -> None:
        self._needs = {f"{n.remedy}/{n.machine_id}/{n.job_id}/{n.about}": n for n in needs}
        self.tick(now)
        self.needs.set_note(f"{len(self._needs)}" if self._needs else "")

    def show_alerts(self, rows: Sequence[AlertRow], now: int) -> None:
        """Show who has acknowledged what needs a person; `rows` are the open alerts."""
        self._alerts = [row for row in rows if row.acknowledged_at is not None]
        self.tick(now)

    def tick(self, now: int) -> None:
        self.needs.set_rows({key: self._need_row(item, now) for key, item in self._needs.items()})

    def _need_row(self, item: NeedsYou, now: int) -> RowText:
        remedy = {
            Remedy.CLEAR: self.tr("Clear…"),
            Remedy.UNLOCK: self.tr("Unlock"),
            Remedy.CONTINUE: self.tr("Continue"),
            Remedy.SET_UP: self.tr("Set up…"),
            Remedy.FINISH: self.tr("Done…"),
            Remedy.DECIDE: self.tr("Decide…"),
            Remedy.RETRY: self.tr("Retry"),
            Remedy.RECONNECT: self.tr("Try again"),
            Remedy.CONFIRM_POSITION: self.tr("Confirm…"),
            Remedy.TRY_LINK: self.tr("Try again"),
            Remedy.FIND_STATION: self.tr("Try again"),
            Remedy.ACCEPT_DATABASE: self.tr("Agree…"),
            Remedy.BACK_UP: self.tr("Look…"),
        }.get(item.remedy, "")
        seen = next((seen_by(row) for row in self._alerts if is_told_by(item, row)), "")
        parts = (seen, formatting.lasted(item.since, now), item.text)
        note = " · ".join(part for part in parts if part)
        offered = "" if item.at_panel else remedy
        return RowText(item.title, note, "", tone_of_need(item), offered)

    def _event_row(self, event: Event, jobs: Mapping[int, str]) -> RowText:
        machine = self._names.get(event.machine_id or 0, "")
        time = formatting.time_of_day(event.at)
        why = event_text.by_and_why(event)
        told = event_text.event_sentence(event, machine if event.job_id is not None else "")
        title = machine or told
        if event.job_id is not None:
            title = jobs.get(event.job_id) or self.tr("Job {id}").format(id=event.job_id)
        return RowText(title, f"{told} · {why}" if why else told, time)

    def _open_event(self, key: str) -> None:
        event = self._events[key]
        if event.job_id is not None:
            self.job_chosen.emit(event.job_id)
        elif event.machine_id is not None:
            self.machine_chosen.emit(event.machine_id)


def shares(room: int, wanted: Sequence[int]) -> list[int]:
    """Rows for three lists: first three needs, two next jobs, one event; then all needs, then the
    other two in turn."""
    rows = [min(want, least) for want, least in zip(wanted, _LEAST, strict=True)]
    for place in (0, *_THEN * max(wanted)):
        left = room - sum(rows)
        if left > 0 and rows[place] < wanted[place]:
            rows[place] += min(left, wanted[place] - rows[place]) if place == 0 else 1
    return rows


def _job_row(row: JobRow, now: int) -> RowText:
    """A queued job: why it waits or what comes, then when it is due."""
    due = ""
    if row.due_at is not None:
        at = formatting.due(row.due_at, now)
        if formatting.local(row.due_at).date() == formatting.local(now).date():
            at = formatting.time_of_day(row.due_at, seconds=False)
        due = QCoreApplication.translate("Floor", "due {due}").format(due=at)
    note = " · ".join(part for part in (row.next, due) if part)
    return RowText(row.title, note, f"P{row.priority}")


class FirstJobs(QWidget):
    """Shown without jobs: a sentence, Import and New job."""

    import_wanted = Signal()
    form_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        words = Note(
            self.tr("No jobs yet. Drop NC programs or a table of jobs anywhere on this window.")
        )
        new = PrimaryButton(self.tr("New job"), clicked=self.form_wanted)
        files = Button(self.tr("Import files…"), clicked=self.import_wanted)
        vbox(words, new, files, on=self, gap=theme().metrics.gap, margins=(0, 0, 0, 8))
