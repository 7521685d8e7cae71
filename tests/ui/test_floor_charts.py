from collections.abc import AsyncIterator

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from cnc_station.engine.commands import ActOnMachine, AddMachine, SaveSettings, SubmitJobs
from cnc_station.engine.domain.actions import MachineAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.states import WAITING_JOBS, JobState, MachineState
from cnc_station.engine.views import JobFilter, StateInterval
from cnc_station.ui.floor.arrangement import chart_places
from cnc_station.ui.floor.spans import SPANS, Span, bars_since, span_for, ticks
from cnc_station.ui.floor.state_strip import History, StateStrip
from cnc_station.ui.page_context import TARGET_PER_HOUR
from cnc_station.ui.pages.floor import FloorPage
from cnc_station.ui.theme import Ink, theme
from tests.ui.real_engine import Office, mill, opened
from tests.until import until

HOUR_MS = 3_600_000
NOON = 1_790_000_000_000 // HOUR_MS * HOUR_MS


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[FloorPage]:
    async with opened(office, FloorPage(office.context)) as page:
        await until(lambda: page.looks)
        yield page


async def drawn(page: FloorPage) -> None:
    """The plots are there, which takes an import the first time."""
    await until(lambda: page.charts.use is not None and page.charts.use.count > 0, 20)


async def test_what_is_completed_and_what_waits_reaches_the_charts(
    office: Office, page: FloorPage
) -> None:
    await office.door.execute(SaveSettings({TARGET_PER_HOUR: 240}))
    machine = await office.door.execute(AddMachine(mill()))
    await office.door.execute(
        SubmitJobs([JobSpec(f"Part {n}", "mill", estimated_s=1) for n in range(3)])
    )
    await drawn(page)
    charts = page.charts
    assert charts.bars is not None
    bars = charts.bars
    await until(lambda: sum(bars.values) == 3)
    assert charts.completed.note.text() == "target 1"  # 240 an hour are 1 in 15 s
    assert charts.strip.history is not None
    states = {s.state for s in charts.strip.history.intervals if s.machine_id == machine}
    assert MachineState.RUNNING in states
    await office.door.execute(ActOnMachine(MachineAction.MAINTENANCE_ON, machine))
    await office.door.execute(SubmitJobs([JobSpec("Hinge", "mill")]))
    await until(lambda: charts.waiting.note.text() == "1")


async def test_a_tap_on_a_chart_opens_what_is_behind_it(office: Office, page: FloorPage) -> None:
    machine = await office.door.execute(AddMachine(mill()))
    await drawn(page)
    charts = page.charts
    assert charts.bars is not None
    assert charts.queue is not None
    row = charts.strip.row_rect(machine).center()
    QTest.mouseClick(charts.strip, Qt.MouseButton.LeftButton, pos=row)
    QTest.keyClick(charts.bars, Qt.Key.Key_Return)
    QTest.mouseClick(
        charts.queue, Qt.MouseButton.LeftButton, pos=QPoint(charts.queue.width() // 2, 5)
    )
    (to_machine, to_bar, to_queue) = office.went.to
    assert to_machine == ("machine", machine)
    bar = to_bar[1]
    assert isinstance(bar, JobFilter)
    assert bar.states == {JobState.COMPLETED}
    assert bar.finished_since is not None
    assert bar.finished_until == bar.finished_since + charts.span.bar_s * 1000
    assert to_queue == ("jobs", JobFilter(states=WAITING_JOBS))


async def test_where_one_chart_has_room_words_switch_to_the_others(
    office: Office, page: FloorPage
) -> None:
    await office.door.execute(AddMachine(mill()))
    await drawn(page)
    charts = page.charts
    charts.resize(900, 180)
    assert [c.isHidden() for c in (charts.completed, charts.waiting, charts.used)] == [
        False,
        True,
        True,
    ]
    charts.switch.choose(1)
    assert [c.isHidden() for c in (charts.completed, charts.waiting, charts.used)] == [
        True,
        False,
        True,
    ]
    charts.resize(1500, 300)
    assert not any(c.isHidden() for c in (charts.completed, charts.waiting, charts.used))


def strip_of(intervals: list[StateInterval]) -> StateStrip:
    strip = StateStrip()
    strip.resize(660, 118)
    strip.show_history(
        History({1: "Mill 1", 2: "Mill 2"}, intervals, NOON, NOON + 4 * HOUR_MS, SPANS[-1])
    )
    return strip


def colour(strip: StateStrip, machine: int, share: float) -> QColor:
    row = strip.row_rect(machine).center().y()
    return strip.grab().toImage().pixelColor(60 + round(share * 599), row)


async def test_a_short_alarm_is_seen_in_four_hours() -> None:
    alarm = NOON + 2 * HOUR_MS
    strip = strip_of(
        [
            StateInterval(1, MachineState.RUNNING, NOON, alarm, 1, ""),
            StateInterval(1, MachineState.ALARM, alarm, alarm + 2_000, None, "door"),
            StateInterval(1, MachineState.RUNNING, alarm + 2_000, NOON + 4 * HOUR_MS, 2, ""),
            StateInterval(2, MachineState.OFFLINE, NOON, NOON + 4 * HOUR_MS, None, ""),
        ]
    )
    red = theme().colour(Ink.ALARM)
    seen = [colour(strip, 1, 0.5 + step / 599) for step in range(4)]
    assert red in seen
    assert colour(strip, 1, 0.25) not in (red, colour(strip, 2, 0.25))
    assert strip.accessibleDescription() == "Mill 1 running 100 %, Mill 2 running 0 %"


async def test_the_keyboard_goes_from_row_to_row() -> None:
    strip = strip_of([])
    chosen: list[int] = []
    strip.chosen.connect(chosen.append)
    QTest.keyClick(strip, Qt.Key.Key_Down)
    QTest.keyClick(strip, Qt.Key.Key_Return)
    assert chosen == [2]


@given(st.floats(0, 40_000))
def test_the_span_shows_the_oldest_data_or_four_hours(age: float) -> None:
    span = span_for(age)
    assert span.seconds >= min(age, 14_400)
    shorter = [other for other in SPANS if other.seconds < span.seconds]
    assert all(other.seconds < age for other in shorter)


@given(st.sampled_from(SPANS), st.integers(NOON, NOON + 400 * 24 * HOUR_MS))
def test_bars_and_ticks_stand_on_round_times(span: Span, now: int) -> None:
    first = bars_since(span, now)
    last = first + span.bars * span.bar_s * 1000
    assert first % (span.bar_s * 1000) % 900_000 == 0
    assert last - span.bar_s * 1000 <= now < last
    times = list(ticks(span, now - span.seconds * 1000, now))
    assert 2 <= len(times) <= 6
    assert all(now - span.seconds * 1000 <= at <= now for at in times)


@given(st.integers(500, 3000), st.integers(140, 900))
def test_charts_share_their_room_without_overlapping(width: int, height: int) -> None:
    states, rest = chart_places(width, height)
    places = [states, *rest]
    for place in places:
        assert place.right() < width
        assert place.bottom() < height
        assert not any(place.intersects(other) for other in places if other is not place)
