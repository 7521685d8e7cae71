"""The form of an endpoint."""

from collections.abc import Coroutine, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QWidget

from cnc_station.engine.commands import CreateWebhook, EditWebhook
from cnc_station.engine.domain.webhooks import (
    DEFAULT_EVENTS,
    LEAST_SECRET,
    MOST_SECRET,
    MOST_URL,
    WebhookEvent,
    WebhookSpec,
)
from cnc_station.engine.views.webhooks import WebhookRow
from cnc_station.ui.dialogs.form_dialog import FormDialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.webhook_text import endpoint_name, event_words
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.literal import caption
from cnc_station.ui.widgets.secret_field import SecretField

_DENSE, _TOUCH = (640, 560), (720, 720)
_MOST_TENANT = 80
_COLUMNS = 2


class WebhookForm(FormDialog):
    """Adds an endpoint (`created` carries it with its secret), or changes `row`."""

    created = Signal(object)  # NewWebhook

    def __init__(
        self, context: PageContext, parent: QWidget | None, row: WebhookRow | None = None
    ) -> None:
        title, save = self.tr("New endpoint"), self.tr("Add endpoint")
        if row is not None:
            title = self.tr("Edit {name}").format(name=endpoint_name(row.url))
            save = self.tr("Save")
        super().__init__(context.operations, title, save, parent)
        self._context = context
        self._row = row
        self.url = QLineEdit()
        self.url.setMaxLength(MOST_URL)
        self.url.setPlaceholderText("https://erp.example/hooks")
        self.events = EventChoice()
        self.tenant = QLineEdit()
        self.tenant.setMaxLength(_MOST_TENANT)
        self.secret = SecretField("", self.tr("the secret"))
        self.secret.setMaxLength(MOST_SECRET)
        self._place()
        self._fill(spec_of(row) if row is not None else WebhookSpec(""))
        self.fit(_DENSE, _TOUCH)

    def _place(self) -> None:
        tr = self.tr
        self.add("url", Field(tr("Address"), self.url, wanted=True), 0, 0, 2)
        self.add("events", Field(tr("Hears of"), self.events), 1, 0, 2)
        everyone = tr("empty: the jobs of all customers")
        self.add("tenant", Field(tr("Customer"), self.tenant, hint=everyone), 2, 0, 2)
        secret = tr(
            "It signs every delivery. Empty: one is made and shown once. At least {n} letters."
        )
        hint = secret.format(n=LEAST_SECRET)
        self.add("secret", Field(tr("Secret"), self.secret, hint=hint), 3, 0, 2)
        self.fields["secret"].setVisible(self._row is None)
        self.fill_below()

    def _fill(self, spec: WebhookSpec) -> None:
        self.url.setText(spec.url)
        self.events.set_value(spec.events)
        self.tenant.setText(spec.tenant or "")

    def storing(self) -> Coroutine[Any, Any, Any]:
        enabled = self._row is None or self._row.enabled
        spec = WebhookSpec(
            self.url.text(), self.events.value, self.tenant.text().strip() or None, enabled
        )
        return self._store(spec.validated())

    async def _store(self, spec: WebhookSpec) -> None:
        door = self._context.door
        if self._row is not None:
            await door.execute(EditWebhook(self._row.id, spec))
            return
        self.created.emit(await door.execute(CreateWebhook(spec, self.secret.text() or None)))


class EventChoice(QWidget):
    """A box to tick for each event."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        words = event_words()
        self.boxes = {event: QCheckBox(caption(words[event])) for event in WebhookEvent}
        for place, box in enumerate(self.boxes.values()):
            grid.addWidget(box, place // _COLUMNS, place % _COLUMNS)
        self.setFocusProxy(next(iter(self.boxes.values())))

    @property
    def value(self) -> tuple[str, ...]:
        return tuple(event.value for event, box in self.boxes.items() if box.isChecked())

    def set_value(self, events: Sequence[str] = DEFAULT_EVENTS) -> None:
        for event, box in self.boxes.items():
            box.setChecked(event in events)


def spec_of(row: WebhookRow) -> WebhookSpec:
    """An endpoint as it is stored."""
    return WebhookSpec(row.url, row.events, row.tenant, row.enabled)
