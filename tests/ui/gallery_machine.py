"""The parts that stand for a machine and for what is asked at it, for the gallery."""

from PySide6.QtWidgets import QGridLayout, QWidget

from cnc_station.engine.views import Doing, Telemetry
from cnc_station.ui.dialogs.set_up import CheckRow
from cnc_station.ui.theme import Role
from cnc_station.ui.widgets.card import Card
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.fields import Stepper
from cnc_station.ui.widgets.live_panel import LivePanel
from cnc_station.ui.widgets.state_look import NOT_REACHABLE, SET_UP, look_of
from cnc_station.ui.widgets.text import Text
from tests.ui.controller_fleet import ALARM, CUTTING, WATCHED


def machine_page() -> QWidget:
    page = QWidget()
    grid = QGridLayout(page)
    grid.setContentsMargins(16, 14, 16, 0)
    run = Telemetry(part=3, parts=12, fraction=0.21, remaining_s=4312.0)
    for column, (title, status) in enumerate(
        (("Cuts", CUTTING), ("In alarm", ALARM), ("Only watched", WATCHED))
    ):
        card = Card(title=title)
        live = LivePanel()
        live.show_status(status, run if status is CUTTING else None)
        card.body.addWidget(live, 1)
        grid.addWidget(card, 0, column)
    lines = Card(title="A set-up")
    ticked = CheckRow("Material", "aluminium")
    ticked.setChecked(True)
    tools = CheckRow("Tools", "T1  D=50 FACE MILL\nT4  D=8 FLAT END MILL")
    to_read = CheckRow("Quantity", "to read only: 12 parts", checkable=False)
    for row in (ticked, tools, to_read):
        lines.body.addWidget(row)
    lines.body.addStretch(1)
    grid.addWidget(lines, 1, 0)
    counts = Card(title="Counts")
    for name, value in (("Good", 12), ("Scrap", 0)):
        counts.body.addWidget(Text(name, Role.NOTE))
        counts.body.addWidget(Stepper(name, value, 1000))
    counts.body.addStretch(1)
    grid.addWidget(counts, 1, 1)
    states = Card(title="What controllers say")
    for look in (*(look_of(doing) for doing in Doing), SET_UP, NOT_REACHABLE):
        states.body.addWidget(StateChip(look, "04:10"))
    states.body.addStretch(1)
    grid.addWidget(states, 1, 2)
    return page
