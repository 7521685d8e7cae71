"""Asks for a day and a time."""

from datetime import datetime, timedelta

from PySide6.QtCore import QDateTime, Qt, Signal
from PySide6.QtWidgets import QDateTimeEdit, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.field import Field


class WhenDialog(QDialog):
    """`chosen(datetime)` with a time after `now`, on this PC's clock. Show it with `open()`."""

    chosen = Signal(object)

    def __init__(self, title: str, now: datetime, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.edit = QDateTimeEdit()
        self.edit.setDisplayFormat("ddd d MMM yyyy  HH:mm")
        self.edit.setMinimumDateTime(_qt(now))
        self.edit.setDateTime(_qt((now + timedelta(hours=1)).replace(minute=0, second=0)))
        self.edit.setCalendarPopup(True)
        self.edit.setMinimumWidth(260)
        cancel = Button(self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        take = PrimaryButton(self.tr("Set"))
        take.setDefault(True)
        take.clicked.connect(self._take)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(take)
        box = QVBoxLayout(self)
        box.setSpacing(16)
        box.addWidget(Field(title, self.edit))
        box.addLayout(buttons)

    def _take(self) -> None:
        self.chosen.emit(_python(self.edit.dateTime()))
        self.accept()


def _qt(at: datetime) -> QDateTime:
    moment = QDateTime()
    moment.setSecsSinceEpoch(int(at.astimezone().timestamp()))
    return moment


def _python(at: QDateTime) -> datetime:
    return datetime.fromtimestamp(at.toSecsSinceEpoch()).astimezone().replace(tzinfo=None)
