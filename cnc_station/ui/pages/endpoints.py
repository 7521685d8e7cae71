"""The endpoints: who hears of jobs, whether it answers, and what waits for it."""

from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal

from cnc_station.engine.commands import DeleteWebhook, EditWebhook, TestWebhook
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.notice import ABOUT_WEBHOOKS, Notice
from cnc_station.engine.domain.webhooks import WebhookSpec
from cnc_station.engine.queries import ListWebhooks
from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryState, NewWebhook, WebhookRow
from cnc_station.ui.dialogs.format_fields import format_name
from cnc_station.ui.dialogs.webhook_form import WebhookForm, spec_of
from cnc_station.ui.dialogs.webhook_secret import SecretDialog
from cnc_station.ui.models.row_model import Column
from cnc_station.ui.page_context import SLOW_LOOK_MS, PageContext
from cnc_station.ui.pages.endpoint_detail import EndpointDetail
from cnc_station.ui.pages.list_page import ListPage
from cnc_station.ui.theme import Ink
from cnc_station.ui.webhook_text import endpoint_name, last_delivery, look_of_endpoint
from cnc_station.ui.widgets.buttons import Button, add_key
from cnc_station.ui.widgets.empty import EmptyState

_REST_MS = 250
_SLOW_LOOK_S = SLOW_LOOK_MS // 1000


class EndpointsList(ListPage[WebhookRow]):
    """The list of endpoints, one of them in detail."""

    deliveries_wanted = Signal(object)  # DeliveryFilter
    delivery_wanted = Signal(int)

    def __init__(self, context: PageContext) -> None:
        super().__init__(context, self.tr("Endpoints"), interval_ms=_REST_MS)
        self._ticks = 0
        self.table.opened.connect(lambda _: self.edit())
        self.detail = EndpointDetail(context.now)
        self.detail.test_button.clicked.connect(self.test)
        self.detail.edit_button.clicked.connect(self.edit)
        self.detail.switch_button.clicked.connect(self.switch)
        self.detail.secret_button.clicked.connect(self.rotate)
        self.detail.remove_button.held.connect(self.remove)
        self.detail.tested_button.clicked.connect(self._show_test)
        every, dead = frozenset[DeliveryState](), frozenset({DeliveryState.DEAD})
        self.detail.deliveries_button.clicked.connect(lambda: self._show_deliveries(every))
        self.detail.dead_button.clicked.connect(lambda: self._show_deliveries(dead))
        self.add_button = Button(self.tr("New endpoint…"), clicked=self.add)
        no_match = self.tr("No endpoint matches the search.")
        self.lay_out(self.detail, (3, 2), self._none(), no_match, self.add_button, least=460)
        add_key(self, self.tr("New endpoint"), "E", self.add)
        add_key(self, self.tr("Test the endpoint"), "T", self.test)

    def columns(self) -> Sequence[Column[WebhookRow]]:
        now = self._context.now
        return (
            Column(
                self.tr("Endpoint"),
                lambda row: endpoint_name(row.url),
                200,
                strong=True,
                tip=lambda row: row.url,
            ),
            Column(self.tr("Told as"), lambda row: format_name(row.format), 84),
            Column(
                self.tr("State"),
                lambda row: look_of_endpoint(row).word,
                108,
                look=look_of_endpoint,
                tip=lambda row: row.disabled_reason or look_of_endpoint(row).word,
            ),
            Column(
                self.tr("Waiting"),
                lambda row: f"{row.pending:,}",
                66,
                right=True,
            ),
            Column(
                self.tr("Dead"),
                lambda row: f"{row.dead:,}",
                54,
                right=True,
                ink=lambda row: Ink.ALARM if row.dead else Ink.TEXT,
            ),
            Column(
                self.tr("Last delivery"),
                lambda row: last_delivery(row, now()),
                ink=lambda row: Ink.ALARM if _failed(row) else Ink.MUTED,
            ),
        )

    def _none(self) -> EmptyState:
        empty = EmptyState(
            "send",
            self.tr("No endpoint yet"),
            self.tr(
                "An endpoint is told when a job is completed, fails or needs attention: your ERP, "
                "a chat, a phone or a mailbox. Every delivery is listed here."
            ),
            self.tr("New endpoint…"),
        )
        empty.step.connect(self.add)
        return empty

    def key_of(self, row: WebhookRow) -> int:
        return row.id

    def follow(self, notice: Notice) -> None:
        if notice.tells_of(ABOUT_WEBHOOKS):
            self._refresh.request()

    def tick(self) -> None:
        """Look again from time to time: the end of a secret's second life causes no notice."""
        self._ticks += 1
        if self._ticks % _SLOW_LOOK_S == 0:
            self._refresh.request()

    def go_back(self) -> bool:
        """Nothing on it can be closed."""
        return False

    async def read(self) -> Sequence[WebhookRow]:
        rows = await self._context.door.ask(ListWebhooks())
        words = self._text.lower().split()
        return [row for row in rows if all(word in _searched(row) for word in words)]

    def summary(self) -> str:
        rows = self.rows.rows
        off = sum(not row.enabled for row in rows)
        dead = sum(row.dead for row in rows)
        one, many = self.tr("1 endpoint"), self.tr("{count} endpoints")
        parts = [
            one if len(rows) == 1 else many.format(count=f"{len(rows):,}"),
            self.tr("{count} off").format(count=off) if off else "",
            self.tr("{count} dead").format(count=f"{dead:,}") if dead else "",
        ]
        return " · ".join(part for part in parts if part)

    def show_row(self, row: WebhookRow) -> None:
        self.detail.show_endpoint(row)

    def add(self) -> WebhookForm:
        """Open the form for a new endpoint."""
        form = WebhookForm(self._context, self)
        form.created.connect(self._added)
        form.open()
        return form

    def _added(self, made: NewWebhook) -> None:
        self.select(made.id)
        if made.secret is not None:
            SecretDialog(self._context, self, made.id, secret=made.secret).open()

    def edit(self) -> WebhookForm | None:
        """Open the form for the chosen endpoint; one of the settings is changed there."""
        row = self.table.current
        if row is None or row.from_settings:
            return None
        form = WebhookForm(self._context, self, row)
        form.open()
        return form

    def switch(self) -> None:
        """Switch the chosen endpoint on or off, and offer to take it back."""
        if (row := self.table.current) is not None and not row.from_settings:
            self._do(self._switch(row.id, spec_of(row), on=not row.enabled))

    async def _switch(self, webhook_id: int, spec: WebhookSpec, *, on: bool) -> None:
        await self._context.door.execute(EditWebhook(webhook_id, replace(spec, enabled=on)))
        words = self.tr("{name} is on") if on else self.tr("{name} is off")
        self._context.operations.say(
            words.format(name=endpoint_name(spec.url)),
            lambda: self._do(self._switch(webhook_id, spec, on=not on)),
        )

    def rotate(self) -> None:
        """Offer a new secret for the chosen endpoint."""
        row = self.table.current
        if row is not None and not row.from_settings:
            SecretDialog(self._context, self, row.id, row.format).open()

    def remove(self) -> None:
        if (row := self.table.current) is not None and not row.from_settings:
            self._do(self._remove(row))

    async def _remove(self, row: WebhookRow) -> None:
        await self._context.door.execute(DeleteWebhook(row.id))
        words = self.tr("{name} removed; its deliveries stay listed")
        self._context.operations.say(words.format(name=endpoint_name(row.url)))

    def test(self) -> None:
        """Send a test to the chosen endpoint; what comes of it is shown in its detail."""
        row = self.table.current
        if row is not None and self.detail.begin_test(row):
            self._do(self._test(row))

    async def _test(self, row: WebhookRow) -> None:
        try:
            found = await self._context.door.execute(TestWebhook(row.id))
        except CncStationError as error:
            self.detail.show_refused_test(row, str(error))
        else:
            self.detail.show_test(row, found)

    def _show_test(self) -> None:
        if self.detail.tested is not None:
            self.delivery_wanted.emit(self.detail.tested)

    def _show_deliveries(self, states: frozenset[DeliveryState]) -> None:
        if (row := self.table.current) is not None:
            self.deliveries_wanted.emit(DeliveryFilter(row.id, states=states))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._context.operations.run(work)


def _failed(row: WebhookRow) -> bool:
    return row.last is not None and row.last.state is DeliveryState.DEAD


def _searched(row: WebhookRow) -> str:
    texts = (row.url, format_name(row.format), row.tenant or "", *row.events, row.created_by)
    return " ".join(texts).lower()
