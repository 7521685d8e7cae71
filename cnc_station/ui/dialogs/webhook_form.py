"""The form of an endpoint. Which fields it has depends on the format."""

from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLineEdit, QWidget

from cnc_station.engine.commands import CreateWebhook, EditWebhook
from cnc_station.engine.domain.errors import FieldError
from cnc_station.engine.domain.message_formats.options import TELEGRAM_API, MessageFormat
from cnc_station.engine.domain.webhooks import (
    DEFAULT_EVENTS,
    MOST_SECRET,
    MOST_URL,
    WebhookEvent,
    WebhookSpec,
)
from cnc_station.engine.views.webhooks import WebhookRow
from cnc_station.ui.dialogs.form_dialog import FormDialog
from cnc_station.ui.dialogs.format_fields import (
    MAILTO,
    FormatFields,
    format_words,
    takes_typed_secret,
)
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.webhook_text import endpoint_name, event_words
from cnc_station.ui.widgets.fields import Field
from cnc_station.ui.widgets.literal import caption
from cnc_station.ui.widgets.secret_field import SecretField

_DENSE, _TOUCH = (680, 620), (760, 740)
_MOST_TENANT = 80
_COLUMNS = 2
_EVENT_GAP = 4


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
        self._words = format_words()
        self.format = QComboBox()
        self.format.addItems([words.name for words in self._words.values()])
        self.url = QLineEdit()
        self.url.setMaxLength(MOST_URL)
        self.own = FormatFields()
        self.events = EventChoice()
        self.tenant = QLineEdit()
        self.tenant.setMaxLength(_MOST_TENANT)
        self.secret = SecretField("", self.tr("the secret"))
        self.secret.setMaxLength(MOST_SECRET)
        self._place()
        self._fill(row)
        self.format.currentIndexChanged.connect(self._choose_format)
        self.fit(_DENSE, _TOUCH)

    def _place(self) -> None:
        tr = self.tr
        self.add("format", Field(tr("Told as"), self.format), 0, 0, 2)
        self.add("url", Field(tr("Address"), self.url, wanted=True), 1, 0, 2)
        own = self.own.fields
        self.add("chat", own["chat"], 2, 0, 2)
        self.add("tags", own["tags"], 3, 0, 2)
        self.add("priorities", own["priorities"], 4, 0, 2)
        self.add("method", own["method"], 5, 0)
        self.add("kind", own["kind"], 5, 1)
        self.add("headers", own["headers"], 6, 0, 2)
        self.add("body", own["body"], 7, 0, 2)
        self.add("secret", Field(tr("Secret"), self.secret, hint=" "), 8, 0, 2)
        self.add("events", Field(tr("Hears of"), self.events, hint=" "), 9, 0, 2)
        everyone = tr("empty: the jobs of all tenants")
        self.add("tenant", Field(tr("Customer"), self.tenant, hint=everyone), 10, 0, 2)
        self.fill_below()

    def _fill(self, row: WebhookRow | None) -> None:
        """A stored endpoint keeps its format, and its secret is not changed here."""
        if row is not None:
            self.format.setCurrentIndex(list(self._words).index(row.format))
            self.format.setEnabled(False)
            self.url.setText(_typed(row.url))
            self.own.fill(row.options)
            self.tenant.setText(row.tenant or "")
        self.events.set_value(DEFAULT_EVENTS if row is None else row.events)
        self._show_fields()

    @property
    def chosen(self) -> MessageFormat:
        """The format that is chosen."""
        return list(self._words)[self.format.currentIndex()]

    def choose_format(self, chosen: MessageFormat) -> None:
        self.format.setCurrentIndex(list(self._words).index(chosen))

    def _choose_format(self) -> None:
        """Another format hears of other things and lives elsewhere."""
        self.events.set_value(DEFAULT_EVENTS if self.chosen is MessageFormat.WEBHOOK else ())
        self.url.setText(TELEGRAM_API if self.chosen is MessageFormat.TELEGRAM else "")
        self._show_fields()

    def _show_fields(self) -> None:
        words = self._words[self.chosen]
        self.own.show_for(self.chosen)
        self.url.setPlaceholderText(words.example)
        self.fields["url"].set_label(words.address)
        self.fields["url"].set_hint(words.hint)
        self.fields["secret"].setVisible(self._row is None and takes_typed_secret(self.chosen))
        self.fields["secret"].set_label(words.secret)
        self.fields["secret"].set_hint(words.secret_hint)
        alerts_only = self.tr("none: it is told of alerts only")
        webhook = self.chosen is MessageFormat.WEBHOOK
        self.fields["events"].set_hint("" if webhook else alerts_only)

    def _spec(self) -> WebhookSpec:
        """Return what is typed. Raises InvalidInput for what can't be read."""
        url = self.url.text().strip()
        if self.chosen is MessageFormat.EMAIL and url:
            url = f"{MAILTO}{url.removeprefix(MAILTO)}"
        return WebhookSpec(
            url,
            self.events.value,
            self.tenant.text().strip() or None,
            self._row is None or self._row.enabled,
            self.chosen,
            self.own.options(self.chosen),
        )

    def storing(self) -> Coroutine[Any, Any, Any]:
        return self._store(self._spec())

    async def _store(self, spec: WebhookSpec) -> None:
        door = self._context.door
        if self._row is not None:
            await door.execute(EditWebhook(self._row.id, spec))
            return
        secret = self.secret.text() if takes_typed_secret(spec.format) else ""
        self.created.emit(await door.execute(CreateWebhook(spec, secret or None)))

    def tell(self, errors: Iterable[FieldError]) -> None:
        """Show an error of one header at the field of all."""
        super().tell([_at_its_field(error) for error in errors])


class EventChoice(QWidget):
    """A box to tick for each event."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(_EVENT_GAP)
        words = event_words()
        self.boxes = {event: QCheckBox(caption(words[event])) for event in WebhookEvent}
        for place, box in enumerate(self.boxes.values()):
            grid.addWidget(box, place // _COLUMNS, place % _COLUMNS)
        self.setFocusProxy(next(iter(self.boxes.values())))

    @property
    def value(self) -> tuple[str, ...]:
        return tuple(event.value for event, box in self.boxes.items() if box.isChecked())

    def set_value(self, events: Sequence[str]) -> None:
        for event, box in self.boxes.items():
            box.setChecked(event in events)


def spec_of(row: WebhookRow) -> WebhookSpec:
    """An endpoint as it is stored."""
    return WebhookSpec(row.url, row.events, row.tenant, row.enabled, row.format, row.options)


def _typed(url: str) -> str:
    return url.removeprefix(MAILTO).replace(",", ", ")


def _at_its_field(error: FieldError) -> FieldError:
    field, _, name = error.field.partition(".")
    return FieldError(field, f"{name} {error.reason}") if field == "headers" and name else error
