"""One schedule: its rule, its next times, what came of the last ones, and the next day of all."""

import datetime as dt
from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.schedule import CatchUp, Overlap
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.views import DueRow, SchedulePreview, ScheduleRow, ScheduleRun, job_title
from cnc_station.ui import formatting
from cnc_station.ui.models.row_model import Column, RowList
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button, DangerButton
from cnc_station.ui.widgets.card import Card, scrolling
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.day_calendar import DayCalendar
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.state_look import (
    FIRING_LOOKS,
    JOB_LOOKS,
    SCHEDULE_ACTIVE,
    SCHEDULE_OVER,
    StateLook,
    look_of,
)
from cnc_station.ui.widgets.tabs import TabStack
from cnc_station.ui.widgets.text import ElidedLabel, Note, Text

LATE_S = 60.0
_PAUSED = JOB_LOOKS[JobState.PAUSED]


def look_of_schedule(row: ScheduleRow) -> StateLook:
    """Whether it is paused, active or over."""
    if row.spec.paused:
        return _PAUSED
    return SCHEDULE_OVER if row.next_due is None else SCHEDULE_ACTIVE


def look_of_run(run: ScheduleRun) -> StateLook:
    """What came of a due time: the state of its job, or why there is none."""
    return FIRING_LOOKS[run.state] if run.job_state is None else look_of(run.job_state)


def local_time(time: DueRow) -> str:
    """`Tue 1 Dec 02:30 +01:00`, in the zone of the schedule."""
    there = dt.datetime.fromtimestamp(
        time.at / 1000, dt.timezone(dt.timedelta(seconds=time.offset_s))
    )
    offset = there.isoformat()[-6:]
    note = f"  ({time.note})" if time.note else ""
    return f"{there:%a} {there.day} {there:%b %H:%M} {offset}{note}"


class ScheduleDetail(Card):
    """Shows a schedule; the page connects its buttons and the table of its runs."""

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__()
        self._now = now
        self._shown: int | None = None
        self._name = ElidedLabel("", Role.CARD_TITLE)
        self._chip = StateChip(SCHEDULE_ACTIVE)
        self.warnings = Text("", Role.NOTE, Ink.HELD, wrap=True)
        self.facts = KeyValue()
        self.runs = RowList(self._columns(), lambda run: run.id, self)
        self.table = ListTable(self.runs, self.tr("Past times of this schedule"))
        self.calendar = DayCalendar()
        self.parts = TabStack()
        facts = QWidget()
        facts.setProperty("part", "plain")
        vbox(self.facts, STRETCH, on=facts)
        self.parts.add("facts", self.tr("Schedule"), scrolling(facts, focus=True))
        self.parts.add("runs", self.tr("History"), self.table)
        day = QWidget()
        day.setProperty("part", "plain")
        self.day_zone = Note()
        vbox(self.day_zone, (self.calendar, 1), on=day, gap=8)
        self.parts.add("day", self.tr("Next 24 hours, all"), scrolling(day, focus=True))
        fill(self.body, hbox((self._name, 1), self._chip), self.warnings, 4, (self.parts, 1), 8)
        self.edit_button = Button(self.tr("Edit…"))
        self.pause_button = Button(self.tr("Pause"))
        self.trigger_button = Button(self.tr("Run now"))
        self.delete_button = DangerButton(self.tr("Delete"))
        first = (self.edit_button, self.pause_button, self.trigger_button)
        fill(self.body, hbox(*first, STRETCH, self.delete_button, gap=8))

    def _columns(self) -> tuple[Column[ScheduleRun], ...]:
        return (
            Column(self.tr("Due"), lambda r: formatting.moment(r.due_at, self._now()), 120),
            Column(self.tr("Outcome"), lambda r: look_of_run(r).word, 150, look=look_of_run),
            Column(
                self.tr("Job"),
                lambda r: formatting.NONE if r.job_id is None else str(r.job_id),
                56,
                right=True,
            ),
            Column(
                self.tr("Took"),
                lambda r: formatting.NONE if r.seconds is None else formatting.duration(r.seconds),
                66,
                right=True,
            ),
            Column(self.tr("Note"), self._note, ink=lambda _: Ink.MUTED),
        )

    def _note(self, run: ScheduleRun) -> str:
        late = self.tr("{time} late").format(time=formatting.duration(run.late_s))
        by_hand = self.tr("by {name}").format(name=run.actor)
        parts = (
            run.reason,
            late if run.late_s >= LATE_S else "",
            "" if run.actor == "schedules" else by_hand,
        )
        return " · ".join(part for part in parts if part)

    def show_schedule(self, row: ScheduleRow) -> None:
        """Show what the list knows of it."""
        self._name.setText(row.spec.name)
        self._chip.set_look(look_of_schedule(row))
        self.pause_button.setText(self.tr("Resume") if row.spec.paused else self.tr("Pause"))
        if self._shown != row.id:
            self._shown = row.id
            self._show_warnings(row.warnings)

    def _show_warnings(self, warnings: Sequence[str]) -> None:
        self.warnings.setText("\n".join(warnings))
        self.warnings.setVisible(bool(warnings))

    def show_rest(
        self, row: ScheduleRow, seen: SchedulePreview | None, runs: Sequence[ScheduleRun]
    ) -> None:
        """Show its times and its history; `seen` is None where its rule can't be read."""
        spec, job = row.spec, row.spec.job
        times = [local_time(time) for time in seen.times] if seen and not spec.paused else []
        made = job.machine_type or job.handler
        self._show_warnings([*row.warnings, *(seen.warnings if seen else ())])
        self.facts.set_pairs(
            (
                (self.tr("Rule"), f"{row.words}\n{spec.cron}"),
                (self.tr("Time zone"), spec.time_zone),
                (self.tr("Next, its clock"), "\n".join(times) or formatting.NONE),
                (self.tr("Clock changes"), seen.rule if seen else formatting.NONE),
                (self.tr("Job"), f"{job_title(job.name, job.operation)} · {made}"),
                (self.tr("Customer"), spec.tenant or formatting.NONE),
                (self.tr("Times missed"), catch_up_words()[spec.catch_up]),
                (self.tr("While a job is open"), overlap_words()[spec.overlap]),
                (self.tr("Jitter"), self._jitter(spec.jitter_s)),
                (self.tr("From"), formatting.moment(spec.starts_at, self._now())),
                (self.tr("Until"), formatting.moment(spec.ends_at, self._now())),
                (self.tr("Created"), self._created(row)),
            )
        )
        self.runs.take(runs)
        self.parts.tabs.set_count("runs", len(runs) or None)

    def show_day(self, times: Sequence[DueRow]) -> None:
        """Show when all schedules are due within the next day."""
        now = self._now()
        self.calendar.show_times(times, now)
        words = self.tr("By the clock of this PC, {zone}.")
        self.day_zone.setText(words.format(zone=formatting.zone(now)))

    def _jitter(self, seconds: float) -> str:
        if not seconds:
            return formatting.NONE
        return self.tr("up to {time}").format(time=formatting.duration(seconds))

    def _created(self, row: ScheduleRow) -> str:
        return f"{formatting.moment(row.created_at, self._now())} · {row.created_by}"


def catch_up_words() -> dict[CatchUp, str]:
    """What happens to the times that passed while no station was at work."""
    return {
        CatchUp.SKIP: _tr("Skip them"),
        CatchUp.ONCE: _tr("Make one job for all of them"),
        CatchUp.ALL: _tr("Make a job for each, at most 100"),
    }


def overlap_words() -> dict[Overlap, str]:
    """What happens while a job of the schedule is open."""
    return {
        Overlap.SKIP: _tr("Skip the new one"),
        Overlap.QUEUE: _tr("Make the new one when it is over"),
        Overlap.ALLOW: _tr("Make the new one at once"),
    }


def _tr(text: str) -> str:
    return QCoreApplication.translate("Schedule", text)
