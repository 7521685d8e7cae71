"""One delivery: its attempts with request and answer, and the body that is sent."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from cnc_station.engine.views.webhooks import (
    DeliveryAttempt,
    DeliveryDetail,
    DeliveryRow,
    DeliveryState,
)
from cnc_station.ui import formatting
from cnc_station.ui.models.row_model import Column, RowList
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.webhook_text import (
    endpoint_name,
    event_word,
    look_of_delivery,
    readable,
    transcript,
    tried_again_at,
)
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.card import Card
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.code_view import CodeView
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.list_table import ListTable
from cnc_station.ui.widgets.state_look import DELIVERY_LOOKS
from cnc_station.ui.widgets.table import table_card
from cnc_station.ui.widgets.tabs import TabStack
from cnc_station.ui.widgets.text import ElidedLabel

_ATTEMPTS, _BODY = "attempts", "body"


class DeliveryDetailCard(Card):
    """Shows a delivery; the page connects its buttons."""

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__()
        self._now = now
        self._title = ElidedLabel("", Role.CARD_TITLE)
        self._chip = StateChip(DELIVERY_LOOKS[DeliveryState.PENDING])
        self.facts = KeyValue()
        self.attempts = RowList(self._columns(), lambda a: (a.at, a.station, a.duration_s), self)
        self.table = ListTable(self.attempts, self.tr("Attempts"))
        self.table.chosen.connect(self._show_attempt)
        self.exchange = CodeView()
        self.exchange.setAccessibleName(self.tr("Request and answer"))
        self.body_text = CodeView()
        self.body_text.setAccessibleName(self.tr("Body"))
        self._body = self._exchange = ""
        tried = QWidget()
        tried.setProperty("part", "plain")
        vbox((table_card(self.table), 2), (self.exchange, 3), on=tried, gap=8)
        self.parts = TabStack()
        self.parts.add(_ATTEMPTS, self.tr("Attempts"), tried)
        self.parts.add(_BODY, self.tr("Body"), self.body_text)
        self.replay_button = Button(self.tr("Replay"))
        self.job_button = Button(self.tr("Show job"))
        head = hbox((self._title, 1), self._chip)
        buttons = hbox(self.replay_button, self.job_button, STRETCH, gap=8)
        fill(self.body, head, 4, self.facts, 4, (self.parts, 1), 8, buttons)

    def _columns(self) -> tuple[Column[DeliveryAttempt], ...]:
        return (
            Column(self.tr("At"), lambda a: formatting.moment(a.at, self._now()), 88),
            Column(self.tr("Station"), lambda a: a.station, 84),
            Column(
                self.tr("Answer"),
                lambda a: formatting.NONE if a.status is None else str(a.status),
                72,
                right=True,
            ),
            Column(self.tr("Took"), lambda a: f"{a.duration_s:.2f} s", 62, right=True),
            Column(
                self.tr("Error"),
                lambda a: a.error,
                ink=lambda a: Ink.ALARM if a.error else Ink.MUTED,
            ),
        )

    def show_row(self, row: DeliveryRow) -> None:
        """Show what the list knows, at once."""
        self._title.setText(event_word(row.event))
        self._chip.set_look(look_of_delivery(row))
        self.facts.set_pairs([pair for pair in self._pairs(row) if pair[1]])
        self.job_button.setVisible(row.job_id is not None)

    def _pairs(self, row: DeliveryRow) -> list[tuple[str, str]]:
        now, again = self._now(), tried_again_at(row)
        return [
            (self.tr("To"), endpoint_name(row.url)),
            (self.tr("Job"), "" if row.job_id is None else str(row.job_id)),
            (self.tr("Queued"), formatting.moment(row.at, now)),
            (self.tr("Error"), "" if row.state is DeliveryState.DELIVERED else row.last_error),
            (self.tr("Tried again"), "" if again is None else formatting.moment(again, now)),
        ]

    def show_detail(self, detail: DeliveryDetail) -> None:
        """Show the rest."""
        self.show_row(detail.row)
        newest = tuple(reversed(detail.attempts))
        came = self.attempts.total < len(newest)
        self.attempts.take(newest)
        self.parts.tabs.set_count(_ATTEMPTS, len(newest) or None)
        if newest and (came or self.table.current is None):
            self.table.choose(0)
        self._show_attempt(self.table.current)
        if detail.body != self._body:
            self._body = detail.body
            self.body_text.set_text(readable(detail.body))

    def _show_attempt(self, attempt: DeliveryAttempt | None) -> None:
        text = "" if attempt is None else transcript(attempt)
        if text != self._exchange:
            self._exchange = text
            self.exchange.set_text(text)
