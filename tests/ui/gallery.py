"""Draws every part in every theme and density: `python -m tests.ui.gallery OUTDIR [WORD ...]`.

The pictures are for looking at, none is compared. Words keep only the pictures whose name has them.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.views import Sort, SortKey
from cnc_station.ui.floor.summary import SummaryCard
from cnc_station.ui.main_window import MainWindow, PageSpec
from cnc_station.ui.models.row_model import Column, RowList
from cnc_station.ui.theme import Density, Ink, Role, ThemeName, Tone, apply_theme
from cnc_station.ui.widgets.buttons import Button, DangerButton, PrimaryButton
from cnc_station.ui.widgets.card import Card, rule
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.filter_chip import FilterChip
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.progress import ProgressBar
from cnc_station.ui.widgets.state_look import RETRY, StateLook, look_of
from cnc_station.ui.widgets.table import SortHeader, Table, table_card
from cnc_station.ui.widgets.tabs import SegmentedTabs
from cnc_station.ui.widgets.text import ElidedLabel, Text, restyle
from cnc_station.ui.widgets.timeline import Timeline, TimelineEntry
from cnc_station.ui.widgets.top_bar import Connection
from tests.ui.gallery_machine import machine_page


def _summaries() -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(10)
    for caption, figure, tone in (
        ("Waiting", "47", Tone.NORMAL),
        ("Running", "6", Tone.NORMAL),
        ("Completed today", "83", Tone.NORMAL),
        ("Needs attention", "3", Tone.ALARM),
        ("Late at today's pace", "2", Tone.NORMAL),
    ):
        card = SummaryCard(caption)
        card.set_figure(figure, tone)
        line.addWidget(card)
    return line


def _machine(name: str, control: str, state: MachineState, since: str, job: str) -> Card:
    card = Card()
    look = look_of(state)
    card.set_tone(look.tone if look.tone is not Tone.RUNNING else Tone.NORMAL)
    head = QHBoxLayout()
    head.addWidget(Text(name, Role.CARD_TITLE))
    head.addWidget(Text(control, Role.NOTE, Ink.MUTED))
    head.addStretch(1)
    head.addWidget(StateChip(look, since))
    card.body.addLayout(head)
    card.body.addWidget(ElidedLabel(job, Role.STRONG))
    note = "aluminium · 12 of 40 · bracket_v2.nc r3 and a name too long for the card"
    card.body.addWidget(ElidedLabel(note, Role.NOTE, Ink.MUTED))
    line = QHBoxLayout()
    line.setSpacing(8)
    if state is MachineState.NEEDS_CLEARING:
        line.addWidget(Button("Scrap…"), 1)
        line.addWidget(PrimaryButton("Cleared", tone=Tone.OPERATOR), 1)
        card.body.addLayout(line)
    else:
        line.addWidget(Text("18:42", Role.FIGURE))
        left = Text("64 % · line 3,018\nleft of this part", Role.NOTE, Ink.MUTED)
        left.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(left, 1)
        card.body.addLayout(line)
        bar = ProgressBar()
        bar.set_fraction(0.64, Tone.RUNNING if look.tone is Tone.NORMAL else look.tone)
        card.body.addWidget(bar)
    card.body.addStretch(1)
    card.body.addWidget(rule())
    card.body.addWidget(ElidedLabel("Next: Manifold plate · op10, 15:40", Role.NOTE, Ink.MUTED))
    return card


def floor_page() -> QWidget:
    page = QWidget()
    box = QHBoxLayout(page)
    box.setContentsMargins(16, 14, 16, 0)
    box.setSpacing(16)
    main, side = QVBoxLayout(), QVBoxLayout()
    main.setSpacing(14)
    side.setSpacing(10)
    main.addLayout(_summaries())
    grid = QGridLayout()
    grid.setSpacing(10)
    for place, words in enumerate(
        (
            ("Mill 1", "VF-2", MachineState.RUNNING, "1:12:08", "Bracket v2 · op20"),
            ("Mill 2", "LinuxCNC", MachineState.NEEDS_CLEARING, "04:10", "Motor mount · op10"),
            ("Mill 3", "GRBL", MachineState.ALARM, "02:31", "Jig base · op10"),
            ("Lathe 1", "ST-10", MachineState.RUNNING, "22:15", "Shaft Ø22 · op10"),
            ("Lathe 2", "MTConnect", MachineState.HELD, "07:44", "Flange DN50 · op20"),
            ("Drill 1", "Simulator", MachineState.IDLE, "12:03", "Nothing for a drill"),
        )
    ):
        grid.addWidget(_machine(*words), place // 3, place % 3)
    main.addLayout(grid)
    main.addStretch(1)
    empty = Card()
    empty.body.addWidget(EmptyState("list", "Nothing waits", "New jobs stand here.", "New job"))
    side.addWidget(empty, 1)
    box.addLayout(main, 1)
    holder = QWidget()
    holder.setFixedWidth(284)
    side.setContentsMargins(0, 0, 0, 0)
    holder.setLayout(side)
    box.addWidget(holder)
    return page


def _rows() -> RowList[tuple[int, StateLook]]:
    rows: RowList[tuple[int, StateLook]] = RowList(
        (
            Column("Job", lambda row: f"Bracket v{row[0]} · op20", 150),
            Column(
                "State", lambda row: row[1].word, 150, sort=SortKey.STATE, look=lambda row: row[1]
            ),
            Column("Machine", lambda row: "Mill 1" if row[0] < 3 else "—", 76),
            Column("Qty", lambda row: str(40 + row[0]), 60, right=True),
            Column("Priority", lambda row: str(row[0] * 10), 86, sort=SortKey.PRIORITY, right=True),
            Column("Due", lambda _: "today 17:00", 110),
            Column("Next step", lambda _: "18:42 left · 64 %"),
        ),
        lambda row: row[0],
    )
    looks: Sequence[StateLook] = [*(look_of(state) for state in JobState), RETRY]
    rows.take(list(enumerate(looks)))
    return rows


def _filters() -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(8)
    for label, count, tone in (
        ("All open", 53, Tone.NORMAL),
        ("Waiting", 47, Tone.NORMAL),
        ("Running", 6, Tone.NORMAL),
        ("Needs attention", 3, Tone.ALARM),
        ("Type: any ▾", None, Tone.NORMAL),
    ):
        chip = FilterChip(label, tone=tone)
        chip.set_count(count)
        chip.setChecked(label == "All open")
        line.addWidget(chip)
    line.addStretch(1)
    return line


def _detail() -> Card:
    card = Card()
    card.setFixedWidth(398)
    head = QHBoxLayout()
    head.addWidget(Text("Bracket v2 · op20", Role.PAGE_TITLE))
    head.addStretch(1)
    head.addWidget(StateChip(look_of(JobState.RUNNING)))
    card.body.addLayout(head)
    fields = KeyValue()
    fields.set_pairs(
        [
            ("Machine", "Mill 1"),
            ("Parts", "12 of 40 good, 0 scrap"),
            ("Due", "today 17:00"),
            ("Note", "Deburr the inner edge by hand; the customer measures it and sends back."),
            ("Work order", ""),
        ]
    )
    card.body.addWidget(fields)
    buttons = QHBoxLayout()
    buttons.setSpacing(8)
    buttons.addWidget(Button("Hold"), 1)
    buttons.addWidget(Button("Message…"), 1)
    abort = HoldButton("Abort: hold 2 s")
    buttons.addWidget(abort, 1)
    card.body.addSpacing(8)
    card.body.addLayout(buttons)
    tabs = SegmentedTabs()
    for key in ("Timeline", "Runs", "Program", "Extra data", "Webhooks"):
        tabs.add(key, key)
    tabs.set_count("Runs", 2)
    card.body.addWidget(tabs)
    line = Timeline()
    line.set_entries(
        [
            TimelineEntry("Created", "imported from monday.csv, row 7, by operator 7", "08:02:11"),
            TimelineEntry("Waiting", "mill, complexity 3", "08:02:11"),
            TimelineEntry("Assigned to Mill 1", "same material as the run before", "12:41:03"),
            TimelineEntry("Run 1 failed", "tool 4 broke, line 812", "12:44:50", Tone.ALARM),
            TimelineEntry("Run 2 started", "set-up confirmed", "12:55:22", Tone.RUNNING),
        ]
    )
    card.body.addWidget(line, 1)
    return card


def jobs_page() -> QWidget:
    page = QWidget()
    box = QHBoxLayout(page)
    box.setContentsMargins(16, 14, 16, 0)
    box.setSpacing(16)
    left = QVBoxLayout()
    left.setSpacing(14)
    left.addLayout(_filters())
    rows = _rows()
    table = Table(rows, "Jobs")
    rows.setParent(table)
    header = SortHeader(rows, table)
    header.setStretchLastSection(True)
    table.setHorizontalHeader(header)
    for place, column in enumerate(rows.columns[:-1]):
        table.setColumnWidth(place, column.width)
    header.set_order([Sort(SortKey.STATE), Sort(SortKey.PRIORITY, descending=True)])
    table.selectRow(5)
    left.addWidget(table_card(table), 1)
    box.addLayout(left, 1)
    box.addWidget(_detail())
    return page


def form_page() -> QWidget:
    page = QWidget()
    box = QHBoxLayout(page)
    box.setContentsMargins(16, 14, 16, 0)
    card = Card(title="Fields")
    wrong = QLineEdit("not a number")
    restyle(wrong, wrong=True)
    off = QLineEdit("cannot be changed")
    off.setEnabled(False)
    combo, spin, ticked, radio = (
        QComboBox(),
        QSpinBox(),
        QCheckBox("Ticked"),
        QRadioButton("One"),
    )
    combo.addItems(["Mill", "Lathe", "Drill"])
    ticked.setChecked(True)
    radio.setChecked(True)
    focused = QLineEdit("the keyboard is here")
    for widget in (focused, wrong, off, combo, spin, ticked, QCheckBox("Open"), radio):
        card.body.addWidget(widget)
    card.body.addWidget(QPlainTextEdit("several lines\nof text"))
    box.addWidget(card, 1)
    other = Card(title="Buttons")
    down, held, idle = Button("Under a finger"), HoldButton("Abort: hold 2 s"), Button("Disabled")
    down.setDown(True)
    idle.setEnabled(False)
    primary_down = PrimaryButton("Primary, pressed")
    primary_down.setDown(True)
    held.setDown(True)
    for button in (
        PrimaryButton("Primary"),
        primary_down,
        PrimaryButton("Remedy", tone=Tone.OPERATOR),
        Button("Button"),
        down,
        idle,
        Button("Quiet", quiet=True),
        DangerButton("Danger"),
        held,
    ):
        other.body.addWidget(button)
    for state in MachineState:
        other.body.addWidget(StateChip(look_of(state), "04:10"))
    other.body.addStretch(1)
    box.addWidget(other, 1)
    return page


def empty_page() -> QWidget:
    return EmptyState(
        "layout-grid",
        "No machine yet",
        "Every mill, lathe and drill of this station has its card here. Add the first one, or "
        "look around in the demo day.",
        "Add a machine",
    )


PAGES: dict[str, Callable[[], QWidget]] = {
    "floor": floor_page,
    "jobs": jobs_page,
    "form": form_page,
    "empty": empty_page,
    "machine": machine_page,
}
RAIL = (
    ("floor", "Floor", "layout-grid"),
    ("jobs", "Jobs", "list"),
    ("form", "Attention", "triangle-alert"),
    ("empty", "Programs", "file"),
    ("machine", "Machines", "factory"),
    ("settings", "Settings", "settings"),
)


def window(key: str) -> MainWindow:
    made = MainWindow([PageSpec(k, t, i, PAGES.get(k, QWidget)) for k, t, i in RAIL])
    made.show_page(key)
    made.rail.set_badge("form", 3)
    away = Connection("Redis away 00:42 · slower, nothing lost", Tone.HELD)
    made.top_bar.dots.set_connections([Connection("Database"), away])
    made.top_bar.clock.setText("Day shift · 14:07")
    if key != "floor":
        made.busy.start("Importing monday.csv")
        made.busy.set_fraction(0.4)
        made.busy.show()
        made.toasts.fail("Mill 3 does not answer. Is it switched on? Trying again every 10 s.")
    made.toasts.say("Bracket v2 · op20 moved before Hinge set", lambda: None)
    return made


def main() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    out, words = Path(sys.argv[1]), sys.argv[2:]
    out.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    for theme_name in [name for name in ThemeName if name is not ThemeName.SYSTEM]:
        for density in Density:
            for size in ((1366, 768), (1920, 1080)):
                for key in PAGES:
                    name = f"{key}-{theme_name}-{density}-{size[0]}"
                    if not all(word in name for word in words):
                        continue
                    apply_theme(app, theme_name, density)
                    made = window(key)
                    made.resize(*size)
                    made.show()
                    app.processEvents()
                    made.grab().save(str(out / f"{name}.png"))
                    made.finish()
                    made.deleteLater()


if __name__ == "__main__":
    main()
