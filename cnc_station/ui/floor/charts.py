"""The live charts below the machines: states, completed jobs, queue length, running machines."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QRect, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.states import WAITING_JOBS, JobState
from cnc_station.engine.queries import FloorCharts, StoredSettings
from cnc_station.engine.views import Charts, JobFilter
from cnc_station.ui import formatting
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.floor.arrangement import chart_places
from cnc_station.ui.floor.chart_card import ChartCard, ChartSwitch
from cnc_station.ui.floor.spans import SPANS, Span, bars_since, span_for
from cnc_station.ui.floor.state_strip import History, StateStrip
from cnc_station.ui.page_context import TARGET_PER_HOUR, PageContext

if TYPE_CHECKING:
    from cnc_station.ui.floor.plots import BarsPlot, LinePlot

_REST_MS = 2000
_PAUSE_S = 0.03
_STAGGER_MS = 25
_HOUR_S = 3600


class ChartShelf(QWidget):
    """Queries its data while `start`ed; redraws one chart at a time."""

    machine_chosen = Signal(int)
    jobs_chosen = Signal(JobFilter)

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._names: Mapping[int, str] = {}
        self.span = SPANS[0]
        self.strip = StateStrip()
        self.states = ChartCard(self.span.machines_title)
        self.completed = ChartCard(self.span.completed_title)
        self.waiting = ChartCard(self.tr("Waiting"))
        self.used = ChartCard(self.tr("In use"))
        self.bars: BarsPlot | None = None
        self.queue: LinePlot | None = None
        self.use: LinePlot | None = None
        self._since = 0
        self._oldest: int | None = None
        self._plots_wanted = False
        for card in (self.states, self.completed, self.waiting, self.used):
            card.setParent(self)
        self.states.put(self.strip)
        self.switch = ChartSwitch(
            [self.tr("Completed"), self.tr("Waiting"), self.tr("In use")], self
        )
        self.switch.chosen.connect(self._arrange)
        self.strip.chosen.connect(self.machine_chosen)
        self._refresh = CoalescedTask(context.operations, self._query, self, interval_ms=_REST_MS)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self.changed)
        self._draws: list[Callable[[], None]] = []
        self._stagger = QTimer(self, interval=_STAGGER_MS)
        self._stagger.timeout.connect(self._draw_next)

    def start(self) -> None:
        self._clock.start(self.span.refresh_ms)
        self.changed()

    def stop(self) -> None:
        self._clock.stop()
        self._refresh.stop()
        self._stagger.stop()
        self._draws.clear()

    def changed(self) -> None:
        """Jobs or machines have changed, or time has passed."""
        if self._names:
            self._refresh.request()

    def show_machines(self, names: Mapping[int, str]) -> None:
        """The machines (id to name) in the order of their rows."""
        if dict(names) != dict(self._names) or list(names) != list(self._names):
            self._names = dict(names)
            if self.strip.history is not None:
                self.strip.show_history(replace(self.strip.history, machines=self._names))
            self.changed()

    async def _put_plots(self) -> None:
        """Add the charts after the window is shown: pyqtgraph takes 0.4 s to import, on another
        thread, and then one chart is added at a time."""
        await asyncio.to_thread(import_module, "pyqtgraph")
        from cnc_station.ui.floor.plots import BarsPlot, LinePlot  # noqa: PLC0415 - see above

        self.bars = BarsPlot(self.tr("Completed"))
        self.completed.put(self.bars)
        self.bars.chosen.connect(self._open_bar)
        await asyncio.sleep(_PAUSE_S)
        self.queue = LinePlot(self.tr("Waiting"))
        self.waiting.put(self.queue)
        self.queue.chosen.connect(lambda _: self.jobs_chosen.emit(JobFilter(states=WAITING_JOBS)))
        await asyncio.sleep(_PAUSE_S)
        self.use = LinePlot(self.tr("In use"), highest=1.0)
        self.used.put(self.use)
        self.use.chosen.connect(lambda _: self.jobs_chosen.emit(self._completed_in_span()))

    async def _query(self) -> None:
        door, now = self._context.door, self._context.now()
        if self._oldest is None:
            longest = SPANS[-1]
            seen = await door.ask(FloorCharts(now - longest.seconds * 1000, longest.step_ms))
            self._oldest = min((interval.start for interval in seen.intervals), default=None)
        wanted = span_for((now - (self._oldest or now)) / 1000)
        if wanted is not self.span:
            self.span = wanted
            self._clock.setInterval(wanted.refresh_ms)
        since = now - wanted.seconds * 1000
        drawn = await door.ask(FloorCharts(since, wanted.step_ms))
        made = await door.ask(FloorCharts(bars_since(wanted, now), wanted.bar_s * 1000))
        target = (await door.ask(StoredSettings())).get(TARGET_PER_HOUR)
        self._draw(drawn, made, since, now, target)
        if not self._plots_wanted:
            self._plots_wanted = True
            await self._put_plots()
            self._draw(drawn, made, since, now, target)

    def _draw(self, drawn: Charts, made: Charts, since: int, now: int, target: Any) -> None:
        span = self.span
        history = History(self._names, drawn.intervals, since, now, span)
        self._since = made.completed.start
        self._draws = [partial(self._draw_states, history)]
        if self.use is not None:
            self._draws += [
                partial(self._draw_bars, made, span, target),
                partial(self._draw_queue, drawn, span),
                partial(self._draw_use, drawn, span),
            ]
        if not self._stagger.isActive():
            self._stagger.start()

    def _draw_next(self) -> None:
        if self._draws:
            self._draws.pop(0)()
        if not self._draws:
            self._stagger.stop()

    def _draw_states(self, history: History) -> None:
        self.states.set_title(history.span.machines_title)
        self.states.set_note(self.tr("runs · held · alarm · waits for you"))
        self.strip.show_history(history)

    def _draw_bars(self, made: Charts, span: Span, target: Any) -> None:
        assert self.bars is not None
        wanted = isinstance(target, int | float) and target > 0
        goal = target * span.bar_s / _HOUR_S if wanted else None
        series = made.completed
        starts = (series.start + place * series.step for place in range(len(series.values)))
        labels = [span.bar_label(start, place) for place, start in enumerate(starts)]
        self.completed.set_title(span.completed_title)
        self.switch.set_words(0, span.completed_title)
        note = "" if goal is None else self.tr("target {n:g}").format(n=round(goal, 1))
        self.completed.set_note(note)
        self.bars.show_bars(series.values, labels, goal)

    def _draw_queue(self, drawn: Charts, span: Span) -> None:
        assert self.queue is not None
        self.waiting.set_note(f"{drawn.waiting.values[-1]:,.0f}")
        self.queue.show_line(drawn.waiting.values, self._ends(len(drawn.waiting.values), span))

    def _draw_use(self, drawn: Charts, span: Span) -> None:
        assert self.use is not None
        values = drawn.utilisation.values
        self.used.set_note(formatting.percent(values[-1]))
        self.use.show_line(values, self._ends(len(values), span))

    def _ends(self, count: int, span: Span) -> list[tuple[float, str]]:
        """Label the start and the end (now) of the line's axis."""
        begun = formatting.time_of_day(self._context.now() - span.seconds * 1000, seconds=False)
        room = count * 0.06
        return [(room, begun), (count - 1 - room, self.tr("now"))]

    def _open_bar(self, place: int) -> None:
        step = self.span.bar_s * 1000
        since = self._since + place * step
        done = frozenset({JobState.COMPLETED})
        self.jobs_chosen.emit(
            JobFilter(states=done, finished_since=since, finished_until=since + step)
        )

    def _completed_in_span(self) -> JobFilter:
        since = self._context.now() - self.span.seconds * 1000
        return JobFilter(states=frozenset({JobState.COMPLETED}), finished_since=since)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        cards = (self.completed, self.waiting, self.used)
        states, rest = chart_places(self.width(), self.height())
        self.states.setGeometry(states)
        alone = len(rest) == 1
        self.switch.setVisible(alone)
        for place, card in enumerate(cards):
            shown = not alone or place == self.switch.current
            card.show_title(shown=not alone)
            card.setVisible(shown)
            if shown:
                card.setGeometry(rest[0] if alone else rest[place])
        if alone:
            self.switch.setGeometry(self.switch.over(QRect(rest[0])))
            self.switch.raise_()
