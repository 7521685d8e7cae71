"""Present alerts at this station as the rules tell: in the window, on the desktop, by a sound.

A critical alert keeps its banner until it is acknowledged or over; other banners go by themselves.
There is one banner for one alert, and at most one critical banner, so that the shelf keeps room for
what else is reported.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import Protocol

from PySide6.QtCore import QCoreApplication, QObject, Signal, SignalInstance

from cnc_station.engine.commands import SaveSettings
from cnc_station.engine.domain.alert_rules import Channel
from cnc_station.engine.domain.alerts import AlertKind, AlertMessage, AlertState, Severity
from cnc_station.engine.door import Door
from cnc_station.engine.queries import AboutStation, StoredSettings
from cnc_station.engine.views.alerts import AlertRow, SentAlert
from cnc_station.ui import formatting
from cnc_station.ui.alerts.alert_text import icon_of_severity, tone_of_severity, unseen
from cnc_station.ui.alerts.feed import AlertFeed
from cnc_station.ui.alerts.sound_player import SoundPlayer, found_players
from cnc_station.ui.alerts.station_settings import (
    MUTE_MS,
    StationAlerts,
    setting_key,
    station_alerts,
)
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.operations import Operations
from cnc_station.ui.widgets.toasts import Message

_BANNER = "banner"
_MOST_ON_DESKTOP = 3  # at once; the others are counted


class Shelf(Protocol):
    """Where the window shows banners."""

    def alert(self, message: Message) -> None:
        """Show an alert, in place of the one with its key."""

    def withdraw(self, key: Hashable) -> None:
        """Remove the alert with this key, if it is there."""


class Desktop(Protocol):
    """Where messages beside the window go."""

    @property
    def can_tell(self) -> bool:
        """Whether this desktop shows messages."""

    def tell(self, title: str, text: str, *, critical: bool) -> bool:
        """Show a message; False where that is not possible."""

    @property
    def message_clicked(self) -> SignalInstance:
        """The last message was clicked."""


class AlertPresenter(QObject):
    """`outcome(SentAlert, why not)` after each message; "" if it was presented. `changed`: other
    `settings` are in force. `opened(AlertRow)`: its desktop message was clicked."""

    outcome = Signal(object, str)
    changed = Signal()
    opened = Signal(object)

    def __init__(
        self,
        feed: AlertFeed,
        door: Door,
        operations: Operations,
        shelf: Shelf,
        now: Callable[[], int],
        desktop: Desktop | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.feed = feed
        self.desktop = desktop
        self.settings = StationAlerts()
        self.player = SoundPlayer()
        self._door = door
        self._operations = operations
        self._shelf = shelf
        self._now = now
        self._key = setting_key(door.peek(AboutStation()).station)
        self._critical: set[int] = set()  # told to the window
        self._shown: set[int] = set()  # likewise, less than critical
        self._banner: int | None = None
        self._on_desktop: int | None = None
        self._sound: SentAlert | None = None
        self._sound_fault = ""
        self._changed_here = False
        self._sounds = CoalescedTask(operations, self._play, self)
        feed.told.connect(self._tell)
        feed.changed.connect(self._withdraw)
        if desktop is not None:
            desktop.message_clicked.connect(self._open_clicked)

    def start(self) -> None:
        self._operations.run(self._load())
        self.feed.start()

    def stop(self) -> None:
        self.feed.stop()
        self._sounds.stop()
        self.player.close()

    async def _load(self) -> None:
        stored = await self._door.ask(StoredSettings())
        if not self._changed_here:
            self.settings = station_alerts(stored.get(self._key))
            self.changed.emit()

    def use(self, settings: StationAlerts) -> None:
        """Put settings into force at once, then keep them."""
        self._changed_here = True
        self.settings = settings
        self.changed.emit()
        self._operations.run(self._door.execute(SaveSettings({self._key: settings.stored()})))

    @property
    def muted_until(self) -> int | None:
        """Until when no sound is played here; None if sounds are on."""
        muted = self.settings.is_muted(self._now())
        return self.settings.muted_until if muted else None

    def mute(self, *, on: bool = True) -> None:
        """Play no sound at this station for half an hour, or play them again."""
        self.use(self.settings.muted(self._now() + MUTE_MS if on else 0))

    def test(self, channel: Channel, severity: Severity) -> None:
        """Present a test of one channel of this station. Its outcome is told by `outcome`."""
        self._tell([test_message(channel, severity, self._now())])

    def _tell(self, messages: Sequence[SentAlert]) -> None:
        latest = {(sent.channel, sent.message.alert_id or -sent.id): sent for sent in messages}
        waiting = {row.id: row for row in unseen(self.feed.open_rows)}
        told = [sent for sent in latest.values() if _still(sent, waiting)]
        for sent in told:
            if sent.channel is Channel.WINDOW:
                self._tell_in_window(sent, waiting.get(sent.message.alert_id))
        self._show_banner()
        self._tell_desktop([sent for sent in told if sent.channel is Channel.DESKTOP])
        self._tell_by_sound([sent for sent in told if sent.channel is Channel.SOUND])

    def _tell_in_window(self, sent: SentAlert, row: AlertRow | None) -> None:
        if row is None:  # a test, or it is over
            key = ("told", sent.message.alert_id or -sent.id)
            words = f"{sent.message.title} · {sent.message.text}"
            self._shelf.alert(Message(words, key=key, icon="bell"))
        elif row.severity is Severity.CRITICAL:
            self._critical.add(row.id)
        else:
            self._shown.add(row.id)
            self._shelf.alert(self._message(row, row.id, row.text))
        self.outcome.emit(sent, "")

    def _message(self, row: AlertRow, key: Hashable, words: str) -> Message:
        return Message(
            words,
            tone_of_severity(row.severity),
            stays=row.severity is Severity.CRITICAL,
            action=(self.tr("Acknowledge"), partial(self._acknowledge, row)),
            key=key,
            icon=icon_of_severity(row.severity),
        )

    def _acknowledge(self, row: AlertRow) -> None:
        self._banner = None if self._banner == row.id else self._banner
        self.feed.acknowledge([row])
        self._show_banner()

    def _withdraw(self) -> None:
        """Remove the banners of alerts that are over or acknowledged."""
        waiting = {row.id for row in unseen(self.feed.open_rows)}
        for alert_id in self._shown - waiting:
            self._shelf.withdraw(alert_id)
        self._shown &= waiting
        self._critical &= waiting
        self._show_banner()

    def _show_banner(self) -> None:
        """Show the longest open one of the critical alerts, and how many others there are."""
        rows = [row for row in unseen(self.feed.open_rows) if row.id in self._critical]
        rows = [row for row in rows if row.id not in self.feed.acknowledging]
        first = rows[0] if rows else None
        if first is None or first.id != self._banner:
            self._shelf.withdraw(_BANNER)
        self._banner = first.id if first else None
        if first is not None:
            words = first.text
            if len(rows) > 1:
                words = self.tr("{text} {n} more critical.").format(text=words, n=len(rows) - 1)
            self._shelf.alert(self._message(first, _BANNER, words))

    def _tell_desktop(self, told: Sequence[SentAlert]) -> None:
        told = _worst_first(told)
        for sent in told[:_MOST_ON_DESKTOP]:
            self.outcome.emit(sent, self._show_on_desktop(sent))
        more = len(told) - _MOST_ON_DESKTOP
        if more > 0 and self.desktop is not None and self.settings.desktop:
            title = self.tr("{n} more alerts").format(n=more)
            self.desktop.tell(title, self.tr("The bell lists them."), critical=False)

    def _show_on_desktop(self, sent: SentAlert) -> str:
        """Return why it can't be shown, otherwise ""."""
        if not self.settings.desktop:
            return self.tr("Desktop messages are switched off at this station.")
        critical = sent.message.severity is Severity.CRITICAL
        title, text = sent.message.title, sent.message.text
        if self.desktop is None or not self.desktop.tell(title, text, critical=critical):
            return self.tr("This desktop has no tray.")
        self._on_desktop = sent.message.alert_id
        return ""

    def _open_clicked(self) -> None:
        row = next((row for row in self.feed.open_rows if row.id == self._on_desktop), None)
        if row is not None:
            self.opened.emit(row)

    def _tell_by_sound(self, told: Sequence[SentAlert]) -> None:
        """Play the worst of them; while a sound is played, the worst one waits."""
        waiting = [self._sound] if self._sound is not None else []
        for sent in _worst_first([*told, *waiting])[:1]:
            if reason := self._silent_because():
                self.outcome.emit(sent, reason)
            else:
                self._sound = sent
                self._sounds.request()

    def _silent_because(self) -> str:
        if not self.settings.sound:
            return self.tr("Sounds are switched off at this station.")
        if (until := self.muted_until) is not None:
            time = formatting.time_of_day(until, seconds=False)
            return self.tr("Sounds are muted until {time}.").format(time=time)
        return "" if found_players() else self.tr("This computer has no sound player.")

    async def _play(self) -> None:
        sent, self._sound = self._sound, None
        if sent is None:
            return
        settings = self.settings
        sound = settings.sound_of(sent.message.severity, sent.sound)
        fault = await self.player.play(sound, settings.player, settings.device)
        self.outcome.emit(sent, fault)
        if fault and fault != self._sound_fault:
            self._operations.fail(self.tr("No sound: {why}").format(why=fault))
        self._sound_fault = fault


def test_message(channel: Channel, severity: Severity, now: int) -> SentAlert:
    """Return the test of a channel of this station: no rule and no alert stand behind it."""
    title = QCoreApplication.translate("Alerts", "Test of CNC Station")
    text = QCoreApplication.translate("Alerts", "This is how an alert is told here.")
    told = AlertMessage(
        alert_id=0,
        kind=AlertKind.MACHINE_WAITING,
        severity=severity,
        title=title,
        text=text,
        machine=None,
        job_id=None,
        tenant=None,
        raised_at=now,
        state=AlertState.TEST,
    )
    return SentAlert(0, now, 0, "", channel, told, "", None, "")


def _still(sent: SentAlert, waiting: Iterable[int]) -> bool:
    """Whether it is still to be presented: the alert is neither acknowledged nor over."""
    return sent.message.state in {AlertState.TEST, AlertState.WITHDRAWN} or (
        sent.message.alert_id in waiting
    )


def _worst_first(told: Sequence[SentAlert]) -> list[SentAlert]:
    return sorted(told, key=lambda sent: -sent.message.severity.rank)
