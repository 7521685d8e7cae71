"""Settings: the window's appearance, the operator's name, the station's configuration,
notifications and back-ups.

A change is saved at once and reported as saved after the engine's commit.
"""

import platform
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QGridLayout,
    QLineEdit,
    QWidget,
)

from cnc_station.engine.commands import SaveSettings
from cnc_station.engine.domain.errors import CncStationError, InvalidInput
from cnc_station.engine.domain.notice import ABOUT_LINKS, Notice
from cnc_station.engine.queries import AboutStation, ListLinks, StoredSettings
from cnc_station.ui import formatting
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.dialogs.licences import LicenceTexts
from cnc_station.ui.link_text import link_name
from cnc_station.ui.page_context import DENSITY, OPERATOR, TARGET_PER_HOUR, THEME, PageContext
from cnc_station.ui.pages.backups import BackupSettings
from cnc_station.ui.pages.notifications import NotificationSettings
from cnc_station.ui.theme import Density, Ink, Role, ThemeName, apply_theme, theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.card import Card, scrolling
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.fields import Field, NumberBox
from cnc_station.ui.widgets.filter_chip import FilterChip
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.tabs import TabStack
from cnc_station.ui.widgets.text import Note, Text

_LONGEST_NAME = 60
_MOST_AN_HOUR = 100_000


class SettingsPage(QWidget):
    """Cards of settings; each card shows when its change is saved."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._refresh = CoalescedTask(context.operations, self._load, self)
        context.bridge.changed.connect(self._follow)
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme().metrics.page_margin)
        self.appearance = self._appearance()
        self.window_card = self._window()
        grid.addWidget(self.appearance, 0, 0)
        grid.addWidget(self.window_card, 1, 0)
        grid.addWidget(self._station(), 2, 0)
        grid.addWidget(self._about(), 0, 1, 3, 1)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        grid.setRowStretch(3, 1)
        self.notifications = NotificationSettings(context)
        self.parts = TabStack()
        self.parts.add("general", self.tr("General"), scrolling(inner, right=0, focus=True))
        self.parts.add("notifications", self.tr("Notifications"), self.notifications)
        self.backups = BackupSettings(context)
        self.parts.add("backups", self.tr("Back-ups"), self.backups)
        margin = theme().metrics.page_margin
        vbox(self.parts, on=self, margins=(margin, 4, margin, 4))

    def _appearance(self) -> Card:
        card = Card(title=self.tr("Appearance"), note=" ")
        self.themes = self._choices(
            {
                ThemeName.SYSTEM: self.tr("Follow system"),
                ThemeName.LIGHT: self.tr("Light"),
                ThemeName.DARK: self.tr("Dark"),
                ThemeName.HIGH_CONTRAST: self.tr("High contrast"),
                ThemeName.HIGH_CONTRAST_LIGHT: self.tr("High contrast, light"),
                ThemeName.LAVENDER: self.tr("Lavender"),
            }
        )
        dense, touch = self.tr("Compact (mouse)"), self.tr("Large (touch)")
        self.densities = self._choices({Density.DENSE: dense, Density.TOUCH: touch})
        for name, chips in ((self.tr("Theme"), self.themes), (self.tr("Size"), self.densities)):
            row = hbox(*chips.values(), STRETCH, gap=theme().metrics.gap)
            fill(card.body, 8, Text(name, Role.NOTE, Ink.MUTED), row)
        for chip in (*self.themes.values(), *self.densities.values()):
            chip.clicked.connect(lambda: self._dress(card))
        card.body.addStretch(1)
        return card

    def _choices(self, choices: Mapping[Any, str]) -> dict[Any, FilterChip]:
        group = QButtonGroup(self)
        chips = {value: FilterChip(label) for value, label in choices.items()}
        for chip in chips.values():
            group.addButton(chip)
        return chips

    def _window(self) -> Card:
        card = Card(title=self.tr("This window"), note=" ")
        self.operator = QLineEdit(self._context.door.operator)
        self.operator.setMaxLength(_LONGEST_NAME)
        self.operator.editingFinished.connect(lambda: self._rename(card))
        self.target = NumberBox(0, _MOST_AN_HOUR, 0)
        self.target.setSpecialValueText(self.tr("none"))
        self.target.setKeyboardTracking(False)
        self.target.valueChanged.connect(
            lambda value: self._save({TARGET_PER_HOUR: value or None}, card)
        )
        self.operator_field = Field(
            self.tr("Operator at this window"),
            self.operator,
            hint=self.tr("Recorded in the history with everything done here."),
        )
        target = Field(
            self.tr("Parts an hour to aim for"),
            self.target,
            hint=self.tr("A line in the chart of the floor."),
        )
        top = Qt.AlignmentFlag.AlignTop
        fill(card.body, 8, hbox((self.operator_field, 1, top), (target, 1, top), gap=16))
        return card

    def _station(self) -> Card:
        about = self._context.door.peek(AboutStation())
        card = Card(title=self.tr("This station"))
        speed = self.tr("{speed:g} times as fast as the clock").format(speed=about.simulator_speed)
        real = self.tr("in real time")
        self._facts = (
            (self.tr("Name"), about.station),
            (self.tr("Simulated machines"), real if about.simulator_speed == 1 else speed),
            (self.tr("Stored in"), about.database),
        )
        self.station = KeyValue()
        copy = Button(
            self.tr("Copy the path of the database"),
            clicked=lambda: QGuiApplication.clipboard().setText(about.database),
        )
        origin = Note(
            self.tr(
                "Set outside the window: by CNC_STATION, CNC_SIMULATOR_SPEED and CNC_DATABASE, "
                "or in cnc-station.toml; read at the start."
            )
        )
        left = Qt.AlignmentFlag.AlignLeft
        fill(card.body, 8, self.station, 8, origin, 8, (copy, 0, left))
        return card

    def _about(self) -> Card:
        card = Card(title=self.tr("About"))
        facts = KeyValue()
        own = self._context.door.peek(AboutStation()).version
        python = platform.python_version()
        facts.set_pairs((("CNC Station", own), ("Qt", qVersion()), ("Python", python)))
        texts = Button(self.tr("Licence texts…"), clicked=self.show_licences)
        licence = Note(
            self.tr(
                "CNC Station is free under the MIT licence. It is made with Qt for Python and "
                "other free software, each under a licence of its own."
            )
        )
        fill(card.body, 8, facts, 8, licence)
        fill(card.body, (texts, 0, Qt.AlignmentFlag.AlignLeft), STRETCH)
        return card

    def arrived(self) -> None:
        """Read the settings: another window may have changed them."""
        self._refresh.request()
        self.notifications.arrived()
        self.backups.arrived()

    def show_notifications(self) -> None:
        """Show the rules and this station's way to tell alerts."""
        self.parts.tabs.choose("notifications")

    def show_backups(self) -> None:
        """Show the back-ups."""
        self.parts.tabs.choose("backups")

    def _follow(self, notice: Notice) -> None:
        if self.isVisible() and notice.tells_of(ABOUT_LINKS):
            self._show_links()

    async def _load(self) -> None:
        found = await self._context.door.ask(StoredSettings())
        self.themes[theme().name].setChecked(True)
        self.densities[theme().density].setChecked(True)
        if not self.operator.hasFocus():
            self.operator.setText(self._context.door.operator)
        with QSignalBlocker(self.target):
            self.target.setValue(int(found.get(TARGET_PER_HOUR) or 0))
        self._show_links()

    def _show_links(self) -> None:
        now = self._context.now()
        pairs = list(self._facts)
        for link in self._context.door.peek(ListLinks()):
            since = formatting.moment(link.since, now)
            state = self.tr("{state} since {when}").format(state=link.state, when=since)
            pairs.append((link_name(link), f"{state} · {link.detail}" if link.detail else state))
        self.station.set_pairs(pairs)

    def _dress(self, card: Card) -> None:
        """Change the window at once and keep the choice for the next start."""
        name = next(name for name, chip in self.themes.items() if chip.isChecked())
        density = next(density for density, chip in self.densities.items() if chip.isChecked())
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, name, density)
        self._save({THEME: name.value, DENSITY: density.value}, card)

    def _rename(self, card: Card) -> None:
        name = self.operator.text().strip()
        if name == self._context.door.operator:
            self.operator_field.set_error("")
            return
        if not name:
            self.operator_field.set_error(self.tr("Enter a name for the history"))
            return
        try:
            self._context.door.rename_operator(name)
        except InvalidInput as error:
            self.operator_field.set_error(error.errors[0].reason)
            return
        self.operator_field.set_error("")
        self._save({OPERATOR: self._context.door.operator}, card)

    def _save(self, values: Mapping[str, Any], card: Card) -> None:
        self._context.operations.run(self._keep(values, card.note))

    async def _keep(self, values: Mapping[str, Any], note: Text) -> None:
        note.setText(self.tr("Saving…"))
        try:
            await self._context.door.execute(SaveSettings(values))
        except CncStationError:
            note.setText(self.tr("Not saved"))
            raise
        saved = self.tr("Saved {when}")
        note.setText(saved.format(when=formatting.time_of_day(self._context.now())))

    def show_licences(self) -> LicenceTexts:
        dialog = LicenceTexts(self)
        dialog.open()
        return dialog
