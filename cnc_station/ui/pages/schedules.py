"""The schedules: when each is due next, what came of its last time, and the next day."""

from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

from cnc_station.engine.commands import (
    CreateSchedule,
    DeleteSchedule,
    PauseSchedule,
    ResumeSchedule,
    TriggerSchedule,
)
from cnc_station.engine.domain.actions import ScheduleAction
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.notice import ABOUT_SCHEDULES, Notice
from cnc_station.engine.queries import ListSchedules, PreviewSchedule, ScheduleRuns, UpcomingRuns
from cnc_station.engine.views import ScheduleRow, ScheduleRun
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.schedule_form import ScheduleForm
from cnc_station.ui.models.row_model import Column
from cnc_station.ui.page_context import SLOW_LOOK_MS, PageContext
from cnc_station.ui.pages.list_page import ListPage
from cnc_station.ui.pages.matching_schedules import MatchingSchedules
from cnc_station.ui.pages.schedule_detail import (
    ScheduleDetail,
    look_of_run,
    look_of_schedule,
)
from cnc_station.ui.pages.ticked_bar import TickedBar
from cnc_station.ui.theme import Ink
from cnc_station.ui.theme.live import tone_ink
from cnc_station.ui.widgets.buttons import Button, add_key
from cnc_station.ui.widgets.empty import EmptyState

_REST_MS = 500
_SLOW_LOOK_S = SLOW_LOOK_MS // 1000


class SchedulesPage(ListPage[ScheduleRow]):
    """A list of the schedules, one of them in detail."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(context, self.tr("Schedules"), interval_ms=_REST_MS, checkable=True)
        self._ticks = 0
        self._all_paused = False
        self.table.opened.connect(lambda _: self.edit())
        self.detail = ScheduleDetail(context.now)
        self.detail.edit_button.clicked.connect(self.edit)
        self.detail.pause_button.clicked.connect(self.pause_or_resume)
        self.detail.trigger_button.clicked.connect(self.trigger)
        self.detail.delete_button.clicked.connect(self.delete)
        self.detail.table.opened.connect(self._to_job)
        self.add_button = Button(self.tr("New schedule…"), clicked=self.add)
        self.pause_all = Button(self.tr("Pause all"), clicked=self._pause_all)
        self.matching = MatchingSchedules(context, self, lambda: self.rows.rows)
        head = (self.pause_all, self.matching.button, self.add_button)
        self.ticked = TickedBar(*head)
        for action, words in (
            (ScheduleAction.PAUSE, self.tr("Pause")),
            (ScheduleAction.RESUME, self.tr("Resume")),
            (ScheduleAction.TRIGGER, self.tr("Run now")),
        ):
            self.ticked.add(action, words, partial(self._act_on_ticked, action))
        self.rows.ticked.connect(self._show_ticked)
        no_match = self.tr("No schedule matches the search.")
        self.lay_out(
            self.detail,
            (11, 9),
            self._none(),
            no_match,
            self.ticked,
            *head,
            least=420,
        )
        add_key(self, self.tr("New schedule"), "S", self.add)
        add_key(self, self.tr("Pause or resume the schedule"), "P", self.pause_or_resume)

    def columns(self) -> Sequence[Column[ScheduleRow]]:
        return (
            Column(self.tr("Schedule"), lambda row: row.spec.name, 204, strong=True),
            Column(
                self.tr("State"),
                lambda row: look_of_schedule(row).word,
                100,
                look=look_of_schedule,
            ),
            Column(self.tr("Next, PC clock"), self._next, 112, tip=self._next_with_zone),
            Column(self.tr("Last outcome"), _outcome, 130, ink=_outcome_ink, tip=self._last),
            Column(
                self.tr("Rule"),
                lambda row: row.spec.cron,
                tip=lambda row: f"{row.words} · {row.spec.time_zone}",
                ink=lambda row: Ink.HELD if row.warnings else Ink.MUTED,
            ),
        )

    def _next(self, row: ScheduleRow) -> str:
        return formatting.NONE if row.next_due is None else self._when(row.next_due)

    def _next_with_zone(self, row: ScheduleRow) -> str:
        at = row.next_due
        if at is None:
            return formatting.NONE
        words = self.tr("{time} by the clock of this PC, {zone}; its own is {own}")
        return words.format(time=self._when(at), zone=formatting.zone(at), own=row.spec.time_zone)

    def _when(self, at: int) -> str:
        now, time = self._context.now(), formatting.time_of_day(at, seconds=False)
        day = formatting.day(at, now)
        return time if day == formatting.day(now, now) else f"{day} {time}"

    def _last(self, row: ScheduleRow) -> str:
        outcome = _outcome(row)
        return f"{outcome} · {self._when(row.last.due_at)}" if row.last else outcome

    def _none(self) -> EmptyState:
        empty = EmptyState(
            "clock",
            self.tr("No schedule yet"),
            self.tr(
                "A schedule makes jobs by the clock: the warm-up each morning, a report each "
                "Friday. Any job can be one, for a machine or for a handler."
            ),
            self.tr("New schedule…"),
        )
        empty.step.connect(self.add)
        return empty

    def key_of(self, row: ScheduleRow) -> int:
        return row.id

    def follow(self, notice: Notice) -> None:
        """Jobs matter too: they are the outcome of the last times."""
        if notice.jobs or notice.tells_of(ABOUT_SCHEDULES):
            self._refresh.request()

    def tick(self) -> None:
        """Look again from time to time: the next day moves on."""
        self._ticks += 1
        if self._ticks % _SLOW_LOOK_S == 0:
            self._refresh.request()

    async def read(self) -> Sequence[ScheduleRow]:
        rows = await self._context.door.ask(ListSchedules())
        paused = all(row.spec.paused for row in rows)
        self.pause_all.setText(self.tr("Resume all") if paused else self.tr("Pause all"))
        self._all_paused = paused
        return [row for row in rows if row.matches(self._text)]

    async def _load(self) -> None:
        await super()._load()
        self._show_ticked()

    def _show_ticked(self) -> None:
        ticked = self.rows.checked
        paused = sum(row.spec.paused for row in ticked)
        self.ticked.show_counts(len(ticked), (len(ticked) - paused, paused, len(ticked)))

    def _act_on_ticked(self, action: ScheduleAction) -> None:
        """Without those that are paused, or not paused, already."""
        wanted = {ScheduleAction.PAUSE: (False,), ScheduleAction.RESUME: (True,)}
        chosen = wanted.get(action, (False, True))
        ids = [row.id for row in self.rows.checked if row.spec.paused in chosen]
        self._context.operations.act_on_schedules(action, ids)

    def go_back(self) -> bool:
        """Clear the ticks, if there are any."""
        ticked = [row.id for row in self.rows.checked]
        self.rows.check(ticked, on=False)
        return bool(ticked)

    def summary(self) -> str:
        rows = self.rows.rows
        paused = sum(row.spec.paused for row in rows)
        warned = sum(bool(row.warnings) for row in rows)
        parts = [
            self.tr("{count} schedules").format(count=f"{len(rows):,}"),
            self.tr("{count} paused").format(count=paused) if paused else "",
            self.tr("{count} with a warning").format(count=warned) if warned else "",
        ]
        return " · ".join(part for part in parts if part)

    def show_row(self, row: ScheduleRow) -> None:
        self.detail.show_schedule(row)
        super().show_row(row)

    async def load_detail(self, row: ScheduleRow) -> None:
        door = self._context.door
        try:
            seen = await door.ask(PreviewSchedule(row.spec))
        except InvalidInput:  # its warnings say why
            seen = None
        runs = await door.ask(ScheduleRuns(row.id))
        if self.is_chosen(row):
            self.detail.show_rest(row, seen, runs)
        self.detail.show_day(await door.ask(UpcomingRuns()))

    def add(self) -> ScheduleForm:
        """Open the form for a new schedule."""
        form = ScheduleForm(self._context, self)
        form.saved.connect(self.select)
        form.open()
        return form

    def edit(self) -> ScheduleForm | None:
        """Open the form for the chosen schedule."""
        if (row := self.table.current) is None:
            return None
        form = ScheduleForm(self._context, self, row)
        form.open()
        return form

    def pause_or_resume(self) -> None:
        if (row := self.table.current) is None:
            return
        if row.spec.paused:
            self._do(self._resume((row.id,), self.tr("{name} resumed"), row.spec.name))
        else:
            self._do(self._pause(row.id, self.tr("{name} paused"), row.spec.name))

    def _pause_all(self) -> None:
        if self._all_paused:
            self._do(self._resume((None,), self.tr("{name} resumed"), self.tr("All schedules")))
        else:
            self._do(self._pause(None, self.tr("{name} paused"), self.tr("All schedules")))

    async def _pause(self, schedule_id: int | None, words: str, name: str) -> None:
        changed = await self._context.door.execute(PauseSchedule(schedule_id))
        again = partial(self._do_later, changed)
        self._context.operations.say(words.format(name=name), again if changed else None)

    def _do_later(self, ids: tuple[int, ...]) -> None:
        words = self.tr("{name} as before")
        self._do(self._resume(ids, words, self.tr("Schedules")))

    async def _resume(self, ids: Sequence[int | None], words: str, name: str) -> None:
        for schedule_id in ids:
            await self._context.door.execute(ResumeSchedule(schedule_id))
        self._context.operations.say(words.format(name=name))

    def trigger(self) -> None:
        """Make a job of the chosen schedule now."""
        if (row := self.table.current) is not None:
            self._do(self._trigger(row.id))

    async def _trigger(self, schedule_id: int) -> None:
        job_id = await self._context.door.execute(TriggerSchedule(schedule_id))
        self._context.operations.say(self.tr("Job {number} made").format(number=job_id))

    def delete(self) -> None:
        """Delete the chosen schedule, and offer to add it again."""
        if (row := self.table.current) is not None:
            self._do(self._delete(row))

    async def _delete(self, row: ScheduleRow) -> None:
        await self._context.door.execute(DeleteSchedule(row.id))
        words = self.tr("{name} deleted, with its history").format(name=row.spec.name)
        self._context.operations.say(words, lambda: self._do(self._add_again(row)))

    async def _add_again(self, row: ScheduleRow) -> None:
        self.select(await self._context.door.execute(CreateSchedule(row.spec)))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._context.operations.run(work)

    def _to_job(self, run: ScheduleRun) -> None:
        if run.job_id is not None:
            self._context.navigator.to_job(run.job_id)


def _outcome(row: ScheduleRow) -> str:
    return formatting.NONE if row.last is None else look_of_run(row.last).word


def _outcome_ink(row: ScheduleRow) -> Ink:
    if row.last is None:
        return Ink.MUTED
    return tone_ink(look_of_run(row.last).tone)
