"""One endpoint: what it hears, how its deliveries go, and what came of a test."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from cnc_station.engine.views.webhooks import DeliveryDetail, DeliveryState, WebhookRow
from cnc_station.ui import formatting
from cnc_station.ui.dialogs.format_fields import format_name, takes_typed_secret
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.webhook_text import (
    endpoint_name,
    event_word,
    last_delivery,
    look_of_delivery,
    look_of_endpoint,
    outcome,
)
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.card import Card, rule, scrolling
from cnc_station.ui.widgets.chip import StateChip
from cnc_station.ui.widgets.facts import KeyValue
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import STRETCH, fill, hbox, vbox
from cnc_station.ui.widgets.state_look import DELIVERY_LOOKS, ENDPOINT_ON
from cnc_station.ui.widgets.text import ElidedLabel, Note, Text

_HOLD_S = 1.0
_MOST_ANSWER = 300  # the rest is with the delivery


class EndpointDetail(Card):
    """Shows an endpoint; the page connects its buttons. The test shown is the last one of the
    endpoint on view."""

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__()
        self._now = now
        self._shown: int | None = None
        self._testing: set[int] = set()
        self.tested: int | None = None
        self._name = ElidedLabel("", Role.CARD_TITLE)
        self._chip = StateChip(ENDPOINT_ON)
        self.trouble = Text("", Role.NOTE, Ink.ALARM, wrap=True, selectable=True)
        self.origin = Note(
            self.tr(
                "This endpoint comes from the settings (webhook_url). Change it there; a change "
                "counts from the next start."
            )
        )
        self.facts = KeyValue()
        self.deliveries_button = Button(self.tr("Deliveries"))
        self.dead_button = Button("")
        self._place_test()
        inner = QWidget()
        inner.setProperty("part", "plain")
        lists = hbox(self.deliveries_button, self.dead_button, STRETCH, gap=8)
        vbox(
            self.origin,
            self.trouble,
            self.facts,
            lists,
            rule(),
            self.test_part,
            STRETCH,
            on=inner,
            gap=10,
        )
        fill(self.body, hbox((self._name, 1), self._chip), 4, (scrolling(inner, focus=True), 1), 8)
        self.edit_button = Button(self.tr("Edit…"))
        self.switch_button = Button("")
        self.secret_button = Button(self.tr("Secret…"))
        self.remove_button = HoldButton(self.tr("Remove: hold 1 s"), seconds=_HOLD_S)
        self._changing = (
            self.edit_button,
            self.switch_button,
            self.secret_button,
            self.remove_button,
        )
        first = (self.edit_button, self.switch_button, self.secret_button)
        fill(self.body, hbox(*first, STRETCH, self.remove_button, gap=8))

    def _place_test(self) -> None:
        self.test_button = PrimaryButton(self.tr("Send a test"))
        self.test_chip = StateChip(DELIVERY_LOOKS[DeliveryState.PENDING])
        self.test_words = Text("", Role.NOTE, wrap=True, selectable=True)
        self.tested_button = Button(self.tr("Show the request and the answer"), quiet=True)
        self.test_part = QWidget()
        head = hbox(self.test_button, self.test_chip, STRETCH, gap=12)
        below = hbox(self.tested_button, STRETCH)
        vbox(head, self.test_words, below, on=self.test_part, gap=8)

    def show_endpoint(self, row: WebhookRow) -> None:
        """Show an endpoint; the test of another one is not shown any more."""
        self._name.setText(endpoint_name(row.url))
        self._chip.set_look(look_of_endpoint(row))
        self.origin.setVisible(row.from_settings)
        self.trouble.setText(row.disabled_reason)
        self.trouble.setVisible(bool(row.disabled_reason))
        self.facts.set_pairs(self._pairs(row))
        self.switch_button.setText(self.tr("Switch off") if row.enabled else self.tr("Switch on"))
        for button in self._changing:
            button.setVisible(not row.from_settings)
        if not takes_typed_secret(row.format):
            self.secret_button.hide()
        self.dead_button.setText(self.tr("{count} dead").format(count=f"{row.dead:,}"))
        self.dead_button.setVisible(row.dead > 0)
        if self._shown != row.id:
            self._shown, self.tested = row.id, None
            for part in (self.test_chip, self.test_words, self.tested_button):
                part.hide()
        self.test_button.setEnabled(row.enabled and row.id not in self._testing)

    def _pairs(self, row: WebhookRow) -> list[tuple[str, str]]:
        now = self._now()
        last = last_delivery(row, now)
        if row.last is not None and row.last.last_error:
            last = f"{last}\n{row.last.last_error}"
        heard = ", ".join(event_word(event) for event in row.events) or self.tr("alerts only")
        pairs = [
            (self.tr("Address"), row.url),
            (self.tr("Told as"), format_name(row.format)),
            (self.tr("Hears of"), heard),
            (self.tr("Customer"), self.tr("all") if row.tenant is None else row.tenant),
            (self.tr("Last delivery"), last),
            (self.tr("Waiting"), f"{row.pending:,}"),
        ]
        if row.previous_until is not None:
            until = formatting.moment(row.previous_until, now)
            pairs.append(
                (self.tr("Former secret"), self.tr("valid until {time}").format(time=until))
            )
        pairs.append(
            (self.tr("Added"), f"{formatting.moment(row.created_at, now)} · {row.created_by}")
        )
        return pairs

    def begin_test(self, row: WebhookRow) -> bool:
        """Show that a test is under way; False if one is already, or the endpoint is off."""
        if row.id in self._testing or not row.enabled:
            return False
        self._testing.add(row.id)
        self.test_button.setEnabled(False)
        self.tested = None
        self._show_outcome(DeliveryState.PENDING, self.tr("Sent. Waiting for the answer…"))
        return True

    def show_test(self, row: WebhookRow, found: DeliveryDetail) -> None:
        """Show what came of the test of an endpoint, if that is still on view."""
        self._end_test(row)
        if self._shown != row.id:
            return
        attempt = found.attempts[-1]
        answer = attempt.response.strip()[:_MOST_ANSWER]
        words = "\n".join(part for part in (outcome(attempt), answer) if part)
        self._show_outcome(found.row.state, words)
        self.test_chip.set_look(look_of_delivery(found.row))
        self.tested = found.row.id
        self.tested_button.show()

    def show_refused_test(self, row: WebhookRow, reason: str) -> None:
        self._end_test(row)
        if self._shown == row.id:
            self._show_outcome(DeliveryState.DEAD, reason)
            self.test_chip.hide()

    def _end_test(self, row: WebhookRow) -> None:
        self._testing.discard(row.id)
        if self._shown == row.id:
            self.test_button.setEnabled(True)

    def _show_outcome(self, state: DeliveryState, words: str) -> None:
        self.test_chip.set_look(DELIVERY_LOOKS[state])
        self.test_chip.show()
        self.test_words.set_ink(Ink.ALARM if state is DeliveryState.DEAD else Ink.TEXT)
        self.test_words.setText(words)
        self.test_words.show()
        self.tested_button.hide()
