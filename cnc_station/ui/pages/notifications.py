"""Notifications in the settings: the rules of the shop, its endpoints, and this station."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from cnc_station.engine.commands import TestWebhook
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.queries import ListWebhooks
from cnc_station.engine.views.webhooks import WebhookRow
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.alert_rules import AlertRulesCard, delivery_outcome
from cnc_station.ui.pages.station_alerts import StationAlertsCard
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.card import Card, scrolling
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.text import ElidedLabel, Note, Text


class NotificationSettings(QWidget):
    """The rules at the left; this station and the endpoints at the right."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self.rules = AlertRulesCard(context)
        self.station = StationAlertsCard(context)
        self.endpoints = EndpointsCard(context)
        gap = theme().metrics.page_margin
        top = Qt.AlignmentFlag.AlignTop
        inner = QWidget()
        right = vbox(self.station, self.endpoints, STRETCH, gap=gap)
        left = vbox(self.rules, STRETCH, gap=gap)
        line = hbox(on=inner, gap=gap)
        line.addLayout(left, 3)
        line.addLayout(right, 2)
        line.setAlignment(top)
        vbox(scrolling(inner, right=0, focus=True), on=self)

    def arrived(self) -> None:
        """Read everything again."""
        self.rules.refresh.request()
        self.endpoints.refresh.request()
        self.station.show_settings()


class EndpointsCard(Card):
    """The endpoints for mail, chat and phone, each with a test. They are set up elsewhere."""

    def __init__(self, context: PageContext) -> None:
        super().__init__(title=self.tr("Endpoints for mail, chat and phone"))
        self._context = context
        self.tests: dict[int, Button] = {}
        self.outcomes: dict[int, Text] = {}
        self.refresh = CoalescedTask(context.operations, self._load, self)
        self.nothing = Note(
            self.tr("No endpoint yet. One is added on the page Integrations, or by `webhook add`.")
        )
        self._list = QWidget()
        self._box = vbox(on=self._list, gap=4)
        fill(self.body, self.nothing, self._list)

    async def _load(self) -> None:
        rows = await self._context.door.ask(ListWebhooks())
        self.nothing.setVisible(not rows)
        if {row.id for row in rows} == self.tests.keys():
            return
        for part in self._list.findChildren(
            QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly
        ):
            part.hide()
            part.deleteLater()
        self.tests.clear()
        self.outcomes.clear()
        self._add(rows)

    def _add(self, rows: Sequence[WebhookRow]) -> None:
        for row in rows:
            test = self.tests[row.id] = Button(self.tr("Test"), clicked=partial(self._start, row))
            test.setAccessibleName(self.tr("Test: {endpoint}").format(endpoint=row.url))
            outcome = self.outcomes[row.id] = Text("", Role.NOTE, wrap=True)
            outcome.hide()
            line = QWidget()
            vbox(hbox((ElidedLabel(row.url), 1), test, gap=8), outcome, on=line, gap=2)
            self._box.addWidget(line)

    def _start(self, row: WebhookRow, *_checked: object) -> None:
        self._context.operations.run(self._test(row.id))

    async def _test(self, webhook_id: int) -> None:
        self._show(webhook_id, self.tr("Sending…"), Ink.MUTED)
        try:
            detail = await self._context.door.execute(TestWebhook(webhook_id))
        except CncStationError as error:
            self._show(webhook_id, str(error), Ink.ALARM)
        else:
            self._show(webhook_id, *delivery_outcome(detail))

    def _show(self, webhook_id: int, words: str, ink: Ink) -> None:
        if outcome := self.outcomes.get(webhook_id):
            outcome.set_ink(ink)
            outcome.setText(words)
            outcome.show()
