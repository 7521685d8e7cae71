"""How this station tells alerts: the desktop, the sounds, and a test of each with its outcome."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QGridLayout, QLineEdit

from cnc_station.engine.domain.alert_rules import Channel
from cnc_station.engine.domain.alerts import Severity
from cnc_station.engine.views.alerts import SentAlert
from cnc_station.ui import formatting
from cnc_station.ui.alerts.alert_text import severity_word
from cnc_station.ui.alerts.sound_player import found_players
from cnc_station.ui.alerts.station_settings import StationAlerts
from cnc_station.ui.file_dialogs import file_dialogs
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.card import Card, rule
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.text import ElidedLabel, Note, Text

_LONGEST_DEVICE = 200


class StationAlertsCard(Card):
    """Changes are put into force and kept at once. `outcomes` by channel and severity."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(title=self.tr("This station"))
        self._alerts = context.alerts
        tr = self.tr
        self.desktop = QCheckBox(tr("Messages on the desktop"))
        self.desktop_note = Note()
        self.sound = QCheckBox(tr("Sounds"))
        self.sound_note = Note()
        self.player, self.device = QComboBox(), QLineEdit()
        self.device.setMaxLength(_LONGEST_DEVICE)
        self.device.setPlaceholderText(tr("the system's output"))
        self.mute = Button("", clicked=self._toggle_mute)
        self.files: dict[Severity, ElidedLabel] = {}
        self.usual: dict[Severity, Button] = {}
        self.tests: dict[tuple[Channel, Severity], Button] = {}
        self.outcomes: dict[Channel, Text] = {}
        self._place()
        self._listen()
        self._alerts.changed.connect(self.show_settings)
        self._alerts.outcome.connect(self._show_outcome)
        self.show_settings()

    def _place(self) -> None:
        gap = theme().metrics.gap
        window = hbox(
            (Text(self.tr("Banners in the window")), 1), self._test(Channel.WINDOW), gap=gap
        )
        desktop = hbox((self.desktop, 1), self._test(Channel.DESKTOP), gap=gap)
        sound = hbox((self.sound, 1), self.mute, gap=gap)
        played = Field(self.tr("Played by"), self.player)
        device = Field(self.tr("Device"), self.device)
        fill(self.body, 6, window, self._outcome(Channel.WINDOW), rule())
        fill(self.body, desktop, self.desktop_note, self._outcome(Channel.DESKTOP), rule())
        fill(self.body, sound, self.sound_note, self._sounds(), self._outcome(Channel.SOUND), 4)
        fill(self.body, hbox((played, 1), (device, 1), gap=16), STRETCH)

    def _sounds(self) -> QGridLayout:
        """A row for each severity: its file, and what can be done with it."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme().metrics.gap)
        grid.setColumnStretch(1, 1)
        for place, severity in enumerate(reversed(Severity)):
            name = severity_word(severity)
            self.files[severity] = ElidedLabel("", Role.NOTE, Ink.MUTED)
            choose = Button(self.tr("File…"), clicked=partial(self._choose, severity))
            choose.setAccessibleName(self.tr("File for {severity}").format(severity=name))
            usual = Button(self.tr("Usual"), clicked=partial(self._set_file, severity, ""))
            usual.setAccessibleName(self.tr("Usual sound for {severity}").format(severity=name))
            self.usual[severity] = usual
            play = self._test(Channel.SOUND, severity, self.tr("Play"))
            grid.addWidget(Text(name, Role.NOTE), place, 0)
            for column, part in enumerate((self.files[severity], usual, choose, play), start=1):
                grid.addWidget(part, place, column)
        return grid

    def _test(
        self, channel: Channel, severity: Severity = Severity.WARNING, words: str = ""
    ) -> Button:
        button = Button(words or self.tr("Test"))
        name = severity_word(severity) if channel is Channel.SOUND else channel.value
        button.setAccessibleName(f"{button.text()}: {name}")
        button.clicked.connect(lambda: self._start_test(channel, severity))
        self.tests[channel, severity] = button
        return button

    def _outcome(self, channel: Channel) -> Text:
        self.outcomes[channel] = Text("", Role.NOTE, wrap=True)
        self.outcomes[channel].hide()
        return self.outcomes[channel]

    def _listen(self) -> None:
        self.desktop.clicked.connect(lambda on: self._use(desktop=on))
        self.sound.clicked.connect(lambda on: self._use(sound=on))
        self.player.activated.connect(lambda: self._use(player=self.player.currentData()))
        self.device.editingFinished.connect(self._set_device)

    # What is shown

    def show_settings(self) -> None:
        settings = self._alerts.settings
        self.desktop.setChecked(settings.desktop)
        can_tell = self._alerts.desktop is not None and self._alerts.desktop.can_tell
        self._explain(
            self.desktop_note,
            "" if can_tell else self.tr("This desktop has no tray: it can't show messages."),
        )
        self.sound.setChecked(settings.sound)
        self._show_players(settings)
        if not self.device.hasFocus():
            self.device.setText(settings.device)
        for severity, label in self.files.items():
            path = settings.sounds.get(severity, "")
            label.setText(Path(path).name if path else self.tr("usual"))
            if path:
                set_tip(label, path)
            self.usual[severity].setEnabled(bool(path))
        self._show_mute(settings)

    def _show_players(self, settings: StationAlerts) -> None:
        found = found_players()
        no_player = self.tr(
            "This computer has no sound player: install pw-play (PipeWire), paplay (PulseAudio) or "
            "aplay (ALSA)."
        )
        self._explain(self.sound_note, "" if found else no_player)
        with QSignalBlocker(self.player):
            self.player.clear()
            first = self.tr("the first found: {player}").format(player=found[0]) if found else ""
            self.player.addItem(first or self.tr("none found"), "")
            for name in found:
                self.player.addItem(name, name)
            self.player.setCurrentIndex(max(0, self.player.findData(settings.player)))

    def _show_mute(self, settings: StationAlerts) -> None:
        until = self._alerts.muted_until
        if until is None:
            self.mute.setText(self.tr("Mute for 30 min"))
        else:
            time = formatting.time_of_day(until, seconds=False)
            self.mute.setText(self.tr("Muted until {time}: unmute").format(time=time))
        self.mute.setEnabled(settings.sound)

    @staticmethod
    def _explain(note: Note, words: str) -> None:
        note.setText(words)
        note.setVisible(bool(words))

    def _show_outcome(self, sent: SentAlert, why_not: str) -> None:
        """Show what came of a test of this card."""
        if sent.id or sent.message.alert_id:
            return
        done = {
            Channel.WINDOW: self.tr("Shown at the bottom of this window."),
            Channel.DESKTOP: self.tr("Given to the desktop."),
            Channel.SOUND: self.tr("Played."),
        }
        text = self.outcomes[sent.channel]
        text.set_ink(Ink.ALARM if why_not else Ink.RUNNING)
        text.setText(why_not or done[sent.channel])
        text.show()

    # What is changed

    def _use(self, **values: Any) -> None:
        self._alerts.use(replace(self._alerts.settings, **values))

    def _set_device(self) -> None:
        device = self.device.text().strip()
        if device != self._alerts.settings.device:
            self._use(device=device)

    def _choose(self, severity: Severity) -> None:
        title = self.tr("Sound for {severity}").format(severity=severity_word(severity))
        chooser = file_dialogs.make(self, title)
        chooser.setFileMode(QFileDialog.FileMode.ExistingFile)
        chooser.setNameFilters([self.tr("Sounds (*.wav *.ogg *.oga *.flac)"), self.tr("All (*)")])
        chooser.fileSelected.connect(partial(self._set_file, severity))
        chooser.open()

    def _set_file(self, severity: Severity, path: str, *_checked: object) -> None:
        self._alerts.use(self._alerts.settings.with_sound(severity, path))

    def _toggle_mute(self) -> None:
        self._alerts.mute(on=self._alerts.muted_until is None)

    def _start_test(self, channel: Channel, severity: Severity) -> None:
        text = self.outcomes[channel]
        text.set_ink(Ink.MUTED)
        text.setText(self.tr("Testing…"))
        text.show()
        self._alerts.test(channel, severity)
