"""The deliveries to endpoints: what waits, what arrived, what could not be made, and why."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.notice import ABOUT_WEBHOOKS, Notice
from cnc_station.engine.queries import (
    CountDeliveries,
    DeliveryById,
    ListDeliveries,
    ListWebhooks,
)
from cnc_station.engine.views.webhooks import (
    DeliveryCounts,
    DeliveryFilter,
    DeliveryRow,
    DeliveryState,
)
from cnc_station.ui import formatting
from cnc_station.ui.models.row_model import Column
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.delivery_detail import DeliveryDetailCard
from cnc_station.ui.pages.list_page import ListPage
from cnc_station.ui.theme import Ink
from cnc_station.ui.webhook_text import endpoint_name, event_word, look_of_delivery, what_came
from cnc_station.ui.widgets.buttons import Button, add_key
from cnc_station.ui.widgets.empty import EmptyState
from cnc_station.ui.widgets.filter_chip import FilterChip, MenuChip
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import STRETCH, hbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.state_look import DELIVERY_LOOKS

_PAGE_ROWS = 500
_REST_MS = 250
_HOLD_S = 1.0
_NOTHING = DeliveryCounts({}, 0)


class DeliveriesList(ListPage[DeliveryRow]):
    """A filtered list of deliveries, newest first, one of them in detail with its attempts."""

    endpoints_wanted = Signal()

    def __init__(self, context: PageContext) -> None:
        name = self.tr("Deliveries")
        super().__init__(context, name, interval_ms=_REST_MS, checkable=True, page_rows=_PAGE_ROWS)
        self._chosen_filter = DeliveryFilter()
        self._total = 0
        self._counts = _NOTHING
        self.rows.ticked.connect(self._show_replays)
        self.states = {
            state: FilterChip(look.word, tone=look.tone) for state, look in DELIVERY_LOOKS.items()
        }
        for chip in self.states.values():
            chip.clicked.connect(self._states_clicked)
        self.endpoint = MenuChip(self.tr("Endpoint"))
        self.detail = DeliveryDetailCard(context.now)
        self.detail.replay_button.clicked.connect(self._replay_current)
        self.detail.job_button.clicked.connect(self._show_job)
        self.table.opened.connect(lambda _: self._show_job())
        no_match = self.tr("No delivery matches the search and the filters.")
        chips = (*self.states.values(), self.endpoint)
        foot = self._foot()
        self.lay_out(self.detail, (3, 2), self._none(), no_match, *chips, least=420, foot=foot)
        add_key(self, self.tr("Replay the delivery"), "R", self._replay_current, repeats=False)

    def _foot(self) -> QWidget:
        self.replay_selected = Button("", clicked=self._replay_ticked)
        self.replay_filtered = HoldButton(
            "", seconds=_HOLD_S, danger=False, held=self._replay_filtered
        )
        foot = QWidget()
        hbox(self.replay_selected, STRETCH, self.replay_filtered, on=foot)
        return foot

    def columns(self) -> Sequence[Column[DeliveryRow]]:
        now = self._context.now
        return (
            Column(self.tr("Event"), lambda row: event_word(row.event), 200, strong=True),
            Column(
                self.tr("State"),
                lambda row: look_of_delivery(row).word,
                112,
                look=look_of_delivery,
            ),
            Column(
                self.tr("Job"),
                lambda row: formatting.NONE if row.job_id is None else str(row.job_id),
                52,
                right=True,
            ),
            Column(
                self.tr("To"),
                lambda row: endpoint_name(row.url),
                120,
                tip=lambda row: row.url,
            ),
            Column(
                self.tr("Queued"),
                lambda row: formatting.moment(row.at, now()),
                84,
                ink=lambda _: Ink.MUTED,
            ),
            Column(
                self.tr("What came of it"),
                lambda row: what_came(row, now()),
                ink=lambda row: Ink.ALARM if row.state is DeliveryState.DEAD else Ink.MUTED,
            ),
        )

    def _none(self) -> EmptyState:
        empty = EmptyState(
            "send",
            self.tr("Nothing was sent yet"),
            self.tr(
                "Each event that an endpoint hears of is listed here, with every request and "
                "answer. What did not arrive can be sent again."
            ),
            self.tr("Show the endpoints"),
        )
        empty.step.connect(self.endpoints_wanted)
        return empty

    def key_of(self, row: DeliveryRow) -> int:
        return row.id

    def follow(self, notice: Notice) -> None:
        if notice.tells_of(ABOUT_WEBHOOKS):
            self._refresh.request()

    def go_back(self) -> bool:
        """Clear the ticks, if there are any."""
        ticked = [row.id for row in self.rows.checked]
        self.rows.check(ticked, on=False)
        return bool(ticked)

    @property
    def is_filtered(self) -> bool:
        return self._chosen_filter != DeliveryFilter()

    def apply(self, chosen: DeliveryFilter) -> None:
        """Show the deliveries that a filter selects."""
        self._chosen_filter = chosen
        for state, chip in self.states.items():
            chip.setChecked(state in chosen.states)
        self.narrow()

    def _states_clicked(self) -> None:
        states = frozenset(state for state, chip in self.states.items() if chip.isChecked())
        self.apply(replace(self._chosen_filter, states=states))

    def choose_endpoint(self, webhook_id: int | None) -> None:
        self.apply(replace(self._chosen_filter, webhook_id=webhook_id))

    @property
    def _selection(self) -> DeliveryFilter:
        return replace(self._chosen_filter, text=self._text)

    async def read(self) -> Sequence[DeliveryRow]:
        door, chosen = self._context.door, self._selection
        names = {row.id: endpoint_name(row.url) for row in await door.ask(ListWebhooks())}
        self._offer_endpoints(names)
        self._counts = await door.ask(CountDeliveries(chosen))
        for state, chip in self.states.items():
            chip.set_count(self._counts.by_state[state])
        rows: list[DeliveryRow] = []
        while len(rows) < self.limit:
            page = await door.ask(ListDeliveries(chosen, len(rows), _PAGE_ROWS))
            rows += page.rows
            self._total = page.total
            if not page.rows:
                break
        return rows

    def _offer_endpoints(self, names: dict[int, str]) -> None:
        current = self._chosen_filter.webhook_id
        offered = [(name, webhook_id) for webhook_id, name in names.items()]
        self.endpoint.offer(offered, current, self.choose_endpoint)
        removed = self.tr("removed")
        self.endpoint.show_value("" if current is None else names.get(current, removed))

    async def _load(self) -> None:
        await super()._load()
        self._show_replays()

    def summary(self) -> str:
        listed, total = self.rows.total, self._total
        if listed < total:
            words = self.tr("The newest {listed} of {total}")
            return words.format(listed=f"{listed:,}", total=f"{total:,}")
        one, many = self.tr("1 delivery"), self.tr("{total} deliveries")
        return one if total == 1 else many.format(total=f"{total:,}")

    def _show_replays(self) -> None:
        ticked = len(self.rows.checked)
        self.replay_selected.setText(self.tr("Replay selected ({count})").format(count=ticked))
        self.replay_selected.setEnabled(ticked > 0)
        again = self._counts.replayable
        words = self.tr("Replay all of this filter ({count}): hold")
        self.replay_filtered.setText(words.format(count=f"{again:,}"))
        self.replay_filtered.setEnabled(again > 0 and self._selection != DeliveryFilter())
        narrow = self.tr("Choose a filter first. A disabled endpoint gets nothing.")
        set_tip(self.replay_filtered, "" if self.replay_filtered.isEnabled() else narrow)

    def show_row(self, row: DeliveryRow) -> None:
        self.detail.show_row(row)
        super().show_row(row)

    async def load_detail(self, row: DeliveryRow) -> None:
        detail = await self._context.door.ask(DeliveryById(row.id))
        if detail is not None and self.is_chosen(row):
            self.detail.show_detail(detail)

    def _replay_current(self) -> None:
        if (row := self.table.current) is not None:
            self._context.operations.bulk.replay_each((row.id,))

    def _replay_ticked(self) -> None:
        ids = tuple(row.id for row in self.rows.checked)
        self.rows.check(ids, on=False)
        self._context.operations.bulk.replay_each(ids)

    def _replay_filtered(self) -> None:
        """Replay as many as the button says, or none if their number is another by now."""
        self._context.operations.bulk.replay(self._selection, self._counts.replayable)

    def _show_job(self) -> None:
        row = self.table.current
        if row is not None and row.job_id is not None:
            self._context.navigator.to_job(row.job_id)
