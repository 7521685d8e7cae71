import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from cnc_station.engine.domain.states import MachineState
from cnc_station.ui.floor.summary import SummaryCard
from cnc_station.ui.theme import Density, Ink, ThemeName, Tone, apply_theme, theme
from cnc_station.ui.widgets.buttons import CloseButton
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.filter_chip import FilterChip
from cnc_station.ui.widgets.progress import BusyBar, ProgressBar
from cnc_station.ui.widgets.state_look import look_of
from cnc_station.ui.widgets.tabs import SegmentedTabs
from cnc_station.ui.widgets.text import ElidedLabel
from cnc_station.ui.widgets.timeline import Timeline, TimelineEntry
from cnc_station.ui.widgets.top_bar import Connection, ConnectionDots
from tests.until import until

LEFT = Qt.MouseButton.LeftButton


def picture(widget: QWidget) -> QImage:
    return widget.grab().toImage()


def colours_of(image: QImage) -> set[str]:
    return {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }


async def shown(qtbot: QtBot, widget: QWidget) -> None:
    qtbot.addWidget(widget)
    widget.show()
    widget.activateWindow()
    await until(widget.isActiveWindow)


def test_a_button_under_a_finger_looks_different(qtbot: QtBot) -> None:
    for button in (SummaryCard("Waiting"), FilterChip("Late")):
        qtbot.addWidget(button)
        button.resize(button.sizeHint())
        before = picture(button)
        button.setDown(True)
        assert picture(button) != before, type(button).__name__


def test_a_cross_takes_the_ink_of_a_new_theme(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
    cross = CloseButton("Close")
    qtbot.addWidget(cross)
    for name in (ThemeName.HIGH_CONTRAST, ThemeName.DARK):
        apply_theme(qapp, name, Density.DENSE)
        assert theme().colour(Ink.MUTED).name() in colours_of(picture(cross)), name


def test_a_chip_shows_its_tone_and_says_its_word(qtbot: QtBot) -> None:
    chip = StateChip(look_of(MachineState.ALARM), "02:31")
    qtbot.addWidget(chip)
    chip.resize(chip.sizeHint())
    assert chip.accessibleName() == "Alarm 02:31"
    image = picture(chip)
    colours = {image.pixelColor(x, 12).name() for x in range(image.width())}
    assert theme().colour(Ink.ALARM).name() in colours
    chip.set_look(look_of(MachineState.IDLE), "00:01")
    assert chip.accessibleName() == "Idle 00:01"


def test_a_filter_with_nothing_to_notice_is_quiet(qtbot: QtBot) -> None:
    chip = FilterChip("Needs attention", tone=Tone.ALARM)
    qtbot.addWidget(chip)
    chip.resize(chip.sizeHint())
    alarm = theme().colour(Ink.ALARM).name()
    for count, told in ((None, False), (3, True), (0, False)):
        chip.set_count(count)
        assert (alarm in colours_of(picture(chip))) is told, count


def test_a_painted_widget_takes_its_new_size_with_a_new_density(
    qtbot: QtBot, qapp: QApplication
) -> None:
    whole = QWidget()
    qtbot.addWidget(whole)
    box, line = QVBoxLayout(whole), QHBoxLayout()
    chip = FilterChip("Waiting")
    line.addWidget(chip)
    box.addLayout(line)
    whole.show()
    apply_theme(qapp, ThemeName.LIGHT, Density.TOUCH)
    box.activate()
    height = chip.height()
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
    assert height == 48


async def test_a_filter_chip_counts_and_toggles(qtbot: QtBot) -> None:
    chip = FilterChip("Waiting")
    await shown(qtbot, chip)
    chip.set_count(1234)
    assert chip.accessibleName() == "Waiting 1,234"
    QTest.keyClick(chip, Qt.Key.Key_Space)
    assert chip.isChecked()


@given(st.floats(min_value=-3, max_value=3), st.integers(min_value=20, max_value=300))
@pytest.mark.usefixtures("qapp")
def test_a_progress_bar_fills_in_proportion(fraction: float, width: int) -> None:
    bar = ProgressBar()
    bar.resize(width, 8)
    bar.set_fraction(fraction, Tone.HELD)
    image = picture(bar)
    ink = theme().colour(Ink.HELD).name()
    filled = sum(image.pixelColor(x, 4).name() == ink for x in range(width))
    assert abs(filled - min(1, max(0, fraction)) * width) <= 4  # the rounded ends are blended


def test_an_elided_label_keeps_the_whole_text_within_reach(qtbot: QtBot) -> None:
    label = ElidedLabel("aluminium · 12 of 40 · bracket_v2.nc r3")
    qtbot.addWidget(label)
    label.resize(60, 20)
    assert label.toolTip() == label.text() == "aluminium · 12 of 40 · bracket_v2.nc r3"
    assert label.minimumSizeHint().width() <= 60


def test_connections_are_said_in_words(qtbot: QtBot) -> None:
    dots = ConnectionDots()
    qtbot.addWidget(dots)
    dots.set_connections([Connection("Database"), Connection("Redis away 00:42", Tone.HELD)])
    assert dots.accessibleName() == "Database, Redis away 00:42"


def test_connections_are_not_cut_short_in_the_room_that_they_ask_for(
    qtbot: QtBot, qapp: QApplication
) -> None:
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
    dots = ConnectionDots()
    qtbot.addWidget(dots)
    dots.set_connections([Connection("Standalone")])
    asked = dots.sizeHint()
    dots.resize(asked)
    at_its_size = picture(dots)
    dots.resize(asked.width() + 100, asked.height())
    assert picture(dots).copy(at_its_size.rect()) == at_its_size


async def test_an_empty_page_offers_the_first_step(qtbot: QtBot) -> None:
    empty = EmptyState("list", "Nothing waits", "New jobs stand here.", "New job")
    await shown(qtbot, empty)
    button = empty.findChild(QPushButton)
    assert isinstance(button, QPushButton)
    steps: list[bool] = []
    empty.step.connect(lambda: steps.append(True))
    button.click()
    assert steps == [True]


def test_tabs_are_chosen_by_key(qtbot: QtBot) -> None:
    tabs = SegmentedTabs()
    qtbot.addWidget(tabs)
    tabs.add("timeline", "Timeline")
    tabs.add("runs", "Runs")
    tabs.set_count("runs", 2)
    assert tabs.current == "timeline"
    heard: list[str] = []
    tabs.chosen.connect(heard.append)
    tabs.choose("runs")
    assert heard == ["runs"]
    assert tabs.tabText(1) == "Runs 2"


def test_a_timeline_adds_events_without_losing_the_selection(qtbot: QtBot) -> None:
    line = Timeline()
    qtbot.addWidget(line)
    first = TimelineEntry("Created", "by operator 7", "08:02:11")
    line.set_entries([first, TimelineEntry("Waiting", "", "08:02:11")])
    line.setCurrentIndex(line.model().index(0, 0))
    line.set_entries([first, TimelineEntry("Waiting", "", "08:02:11"), first])
    assert line.model().rowCount() == 3
    line.copy()
    assert QGuiApplication.clipboard().text() == "08:02:11\tCreated\tby operator 7"
    line.clearSelection()
    assert len(line.as_text().splitlines()) == 3


async def test_work_is_shown_as_busy_only_when_it_lasts(qtbot: QtBot) -> None:
    whole = QWidget()
    box = QVBoxLayout(whole)
    bar = BusyBar(patience_s=0.05)
    box.addWidget(bar)
    await shown(qtbot, whole)
    bar.start("Importing")
    assert not bar.isVisible()
    await until(bar.isVisible)
    bar.finish()
    assert not bar.isVisible()
    patient = BusyBar(patience_s=0.1)
    box.addWidget(patient)
    bar.start("Quick")
    bar.finish()
    patient.start("Slow")
    await until(patient.isVisible)
    assert not bar.isVisible()
