"""The list behind the bell: the open alerts, worst and oldest first, and those that are over.

While it is open, no row moves: a row whose alert is over stays where it is, and new alerts wait
behind a button.
"""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QTimer, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from cnc_station.engine.views.alerts import AlertRow
from cnc_station.ui import formatting
from cnc_station.ui.alerts.alert_text import open_note, over_note, seen_by, tone_of_severity
from cnc_station.ui.alerts.presenter import AlertPresenter
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.floor.activity_row import RowText, SideRow
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Role, Tone, theme
from cnc_station.ui.widgets.buttons import Button, CloseButton
from cnc_station.ui.widgets.card import Card, scrolling
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.tap_guard import TapGuard
from cnc_station.ui.widgets.text import Note, Text

_WIDTH, _TOUCH_WIDTH = 560, 680
_EDGE, _LEAST_HEIGHT = 8, 200


class AlertPanel(QWidget):
    """A card over the pages of `window`, below the bar with the bell (`anchor`); a tap beside it
    closes it and does nothing else. `opened(AlertRow)`: a row was tapped. `settings_wanted`: so was
    the way to the rules."""

    opened = Signal(object)
    settings_wanted = Signal()

    def __init__(self, context: PageContext, anchor: QWidget, window: QWidget) -> None:
        super().__init__(window)
        self._alerts: AlertPresenter = context.alerts
        self._now = context.now
        self._anchor = anchor
        self._window = window
        self._rows: dict[int, SideRow] = {}
        self._open: dict[int, AlertRow] = {}
        self._over: Sequence[AlertRow] = ()
        self._read_over = CoalescedTask(context.operations, self._load_over, self)
        self._seconds = QTimer(self, interval=1000)
        self._seconds.timeout.connect(self._tick)
        self.card = Card(self)
        self.card.setAccessibleName(self.tr("Alerts"))
        self._guard = TapGuard(self.card)
        self._make_parts()
        context.alerts.feed.changed.connect(self._follow)
        context.alerts.changed.connect(self._show_mute)
        self.hide()

    def _make_parts(self) -> None:
        tr = self.tr
        self.more = Button("", clicked=self._renew)
        self.mute = Button("", clicked=self._toggle_mute)
        self.all_seen = Button(tr("Acknowledge all"), clicked=self._acknowledge_all)
        rules = Button(tr("Rules…"), clicked=self.settings_wanted)
        close = CloseButton(tr("Close the alerts"), clicked=self.close_panel)
        self.nothing = Note(tr("No alert is open: nothing in the shop asks for anybody."))
        self.over_title = Text(tr("Over"), Role.STRONG)
        self._list = QWidget()
        self._box = vbox(self.nothing, self.over_title, on=self._list, gap=2)
        head = hbox(Text(tr("Alerts"), Role.CARD_TITLE), STRETCH, self.mute, rules, close, gap=8)
        self._area = scrolling(self._list)
        foot = hbox(self.more, STRETCH, self.all_seen, gap=8)
        fill(self.card.body, head, (self._area, 1), foot)

    @property
    def lines(self) -> list[SideRow]:
        """The rows from top to bottom."""
        return list(self._rows.values())

    # Opening and closing

    def toggle(self) -> None:
        if self.isVisible():
            self.close_panel()
        else:
            self.open_panel()

    def open_panel(self) -> None:
        self._window.installEventFilter(self)
        self._over = ()
        self._renew()
        self._show_mute()
        self._place()
        self.show()
        self.raise_()
        self._guard.opened()
        self._seconds.start()
        self._read_over.request()

    def close_panel(self) -> None:
        self._window.removeEventFilter(self)
        self._seconds.stop()
        self.hide()

    def go_back(self) -> bool:
        """Close it; False if it is closed already."""
        was_open = self.isVisible()
        if was_open:
            self.close_panel()
        return was_open

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the size of the window."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.card.geometry().contains(event.position().toPoint()):
            self.close_panel()

    def _place(self) -> None:
        """Below the bar and above the shelf, the card below the bell."""
        bar = self._anchor.parentWidget() or self._anchor
        top = bar.mapTo(self._window, QPoint(0, bar.height())).y()
        width, height = self._window.width(), self._window.height() - top - theme().metrics.shelf
        self.setGeometry(0, top, width, height)
        wide = _TOUCH_WIDTH if theme().metrics.touch else _WIDTH
        wide = min(wide, width - 2 * _EDGE)
        left = min(self._anchor.mapTo(self._window, QPoint(0, 0)).x(), width - wide - _EDGE)
        self.card.setGeometry(left, _EDGE, wide, max(_LEAST_HEIGHT, height - 2 * _EDGE))

    # The rows

    def _follow(self) -> None:
        if not self.isVisible():
            return
        new = [row.id for row in self._alerts.feed.open_rows if row.id not in self._open]
        words = self.tr("Show 1 new alert") if len(new) == 1 else self.tr("Show {n} new alerts")
        self.more.setText(words.format(n=len(new)))
        self.more.setVisible(bool(new))
        now_open = {row.id: row for row in self._alerts.feed.open_rows}
        gone = [row for row in self._open.values() if row.id not in now_open]
        self._open = {key: now_open.get(key, row) for key, row in self._open.items()}
        if gone:
            self._read_over.request()
        self._tick()

    async def _load_over(self) -> None:
        self._over = await self._alerts.feed.ended_rows()
        if self.isVisible():
            ended = {row.id: row for row in self._over}
            self._open = {key: ended.get(key, row) for key, row in self._open.items()}
            self._add_over()
            self._tick()

    def _renew(self) -> None:
        """Build the list of the alerts that are open now."""
        for row in self._rows.values():
            row.hide()
            row.deleteLater()
        while self._box.count():
            self._box.takeAt(0)
        rows = sorted(self._alerts.feed.open_rows, key=lambda row: row.acknowledged_at is not None)
        self._open = {row.id: row for row in rows}
        self._rows = {row.id: self._made(row.id) for row in rows}
        fill(self._box, self.nothing, *self._rows.values(), 8, self.over_title)
        self._guard.forget()
        self._box.addStretch(1)
        self.more.hide()
        self.nothing.setVisible(not rows)
        self.over_title.hide()
        self._add_over()
        self._tick()

    def _add_over(self) -> None:
        """Add those that are over below all others: they have never moved a row that is there."""
        added = [row for row in self._over if row.id not in self._rows]
        if added and self.over_title.isHidden():
            self.over_title.show()
            for row in added:
                self._rows[row.id] = self._made(row.id)
                self._box.insertWidget(self._box.count() - 1, self._rows[row.id])

    def _made(self, alert_id: int) -> SideRow:
        row = SideRow(RowText(""), self._list)
        row.clicked.connect(partial(self._open_row, alert_id))
        row.remedied.connect(partial(self._acknowledge, alert_id))
        return row

    def _tick(self) -> None:
        now = self._now()
        over = {row.id: row for row in self._over}
        for alert_id, line in self._rows.items():
            row = self._open.get(alert_id) or over[alert_id]
            line.set_words(self._words(row, now))
            if line.remedy is not None:
                action = ("seen", alert_id) if line.words.remedy else None
                self._guard.show(alert_id, action, line.remedy)
        self.all_seen.setVisible(len(self._unseen()) > 1)

    def _words(self, row: AlertRow, now: int) -> RowText:
        if row.ended_at is not None:
            return RowText(row.title, over_note(row, now))
        seen = bool(seen_by(row)) or row.id in self._alerts.feed.acknowledging
        tone = Tone.NORMAL if seen else tone_of_severity(row.severity)
        return RowText(
            row.title, open_note(row, now), "", tone, "" if seen else self.tr("Acknowledge")
        )

    # What is tapped

    def _unseen(self) -> list[AlertRow]:
        rows = [row for row in self._open.values() if row.ended_at is None]
        known = self._alerts.feed.acknowledging
        return [row for row in rows if row.acknowledged_at is None and row.id not in known]

    def _acknowledge(self, alert_id: int) -> None:
        self._alerts.feed.acknowledge([self._open[alert_id]])
        self._tick()

    def _acknowledge_all(self) -> None:
        self._alerts.feed.acknowledge(self._unseen())
        self._tick()

    def _open_row(self, alert_id: int) -> None:
        over = {row.id: row for row in self._over}
        row = self._open.get(alert_id) or over[alert_id]
        self.close_panel()
        self.opened.emit(row)

    def _toggle_mute(self) -> None:
        self._alerts.mute(on=self._alerts.muted_until is None)

    def _show_mute(self) -> None:
        until = self._alerts.muted_until
        if until is None:
            self.mute.setText(self.tr("Mute for 30 min"))
        else:
            time = formatting.time_of_day(until, seconds=False)
            self.mute.setText(self.tr("Muted until {time}: unmute").format(time=time))
        self.mute.setVisible(self._alerts.settings.sound)
