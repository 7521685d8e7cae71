"""Until when something is delayed: a menu of usual times, and a dialog for any other."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from PySide6.QtCore import QCoreApplication, QDateTime, Signal
from PySide6.QtWidgets import QMenu, QWidget

from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.formatting import local
from cnc_station.ui.widgets.buttons import PrimaryButton
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.literal import caption
from cnc_station.ui.widgets.local_time import LocalTimeEdit


def fill_delays(menu: QMenu, at: int, window: QWidget, delay: Callable[[int], None]) -> None:
    """Offer times after `at`; the chosen one goes to `delay` (both in ms)."""

    def tr(words: str) -> str:
        return QCoreApplication.translate("Delays", words)

    def take(until: datetime) -> None:
        delay(int(until.astimezone().timestamp() * 1000))

    now = local(at)
    tomorrow = (now + timedelta(days=1)).replace(hour=6, minute=0, second=0, microsecond=0)
    monday = tomorrow + timedelta(days=-tomorrow.weekday() % 7)
    for words, until in (
        (tr("15 minutes"), now + timedelta(minutes=15)),
        (tr("1 hour"), now + timedelta(hours=1)),
        (tr("Until tomorrow 6:00"), tomorrow),
        (tr("Until Monday 6:00"), monday),
    ):
        menu.addAction(caption(words), partial(take, until))
    menu.addSeparator()

    def ask() -> None:
        dialog = WhenDialog(tr("Delay until"), now, window)
        dialog.chosen.connect(take)
        dialog.open()

    menu.addAction(tr("Until…"), ask)


class WhenDialog(Dialog):
    """`chosen(datetime)` with a time after `now`, on this PC's clock. Show it with `open()`."""

    chosen = Signal(object)

    def __init__(self, title: str, now: datetime, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.edit = LocalTimeEdit()
        self.edit.setMinimumWidth(260)
        take = PrimaryButton(self.tr("Set"), clicked=self._take)
        take.setDefault(True)
        buttons = hbox(STRETCH, self.cancel_button(), take)
        vbox(Field(title, self.edit), self.edit.note, buttons, on=self, gap=16, margins=None)
        self.edit.setMinimumDateTime(_qt(now))
        self.edit.setDateTime(_qt((now + timedelta(hours=1)).replace(minute=0, second=0)))

    def _take(self) -> None:
        self.chosen.emit(_python(self.edit.dateTime()))
        self.accept()


def _qt(at: datetime) -> QDateTime:
    moment = QDateTime()
    moment.setSecsSinceEpoch(int(at.astimezone().timestamp()))
    return moment


def _python(at: QDateTime) -> datetime:
    return datetime.fromtimestamp(at.toSecsSinceEpoch()).astimezone().replace(tzinfo=None)
