"""Integrations: the endpoints that hear of jobs, and what was delivered to them."""

from PySide6.QtWidgets import QWidget

from cnc_station.engine.views.webhooks import DeliveryFilter, DeliveryState
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.pages.deliveries import DeliveriesList
from cnc_station.ui.pages.endpoints import EndpointsList
from cnc_station.ui.theme import theme
from cnc_station.ui.widgets.layout import vbox
from cnc_station.ui.widgets.tabs import TabStack

_ENDPOINTS, _DELIVERIES = "endpoints", "deliveries"
_ABOVE = 6


class IntegrationsPage(QWidget):
    """Two lists behind tabs; the search narrows the one on view."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._text = ""
        self.endpoints = EndpointsList(context)
        self.deliveries = DeliveriesList(context)
        self.parts = TabStack(theme().metrics.page_margin)
        self.parts.add(_ENDPOINTS, self.tr("Endpoints"), self.endpoints)
        self.parts.add(_DELIVERIES, self.tr("Deliveries"), self.deliveries)
        self.parts.tabs.chosen.connect(lambda _: self.arrived())
        self.endpoints.deliveries_wanted.connect(self.show_deliveries)
        self.endpoints.delivery_wanted.connect(self._show_delivery)
        self.deliveries.endpoints_wanted.connect(self.show_endpoints)
        vbox(self.parts, on=self, margins=(0, _ABOVE, 0, 0))

    @property
    def _current(self) -> EndpointsList | DeliveriesList:
        shown = self.parts.tabs.current
        return self.deliveries if shown == _DELIVERIES else self.endpoints

    def arrived(self) -> None:
        self._current.search(self._text)
        self._current.arrived()

    def search(self, text: str) -> None:
        self._text = text
        self._current.search(text)

    def go_back(self) -> bool:
        return self._current.go_back()

    def show_endpoints(self) -> None:
        self.parts.tabs.choose(_ENDPOINTS)

    def show_deliveries(self, chosen: DeliveryFilter) -> None:
        """Show the deliveries that a filter selects."""
        self.deliveries.apply(chosen)
        self.parts.tabs.choose(_DELIVERIES)

    def show_dead(self) -> None:
        """Show the deliveries that could not be made."""
        self.show_deliveries(DeliveryFilter(states=frozenset({DeliveryState.DEAD})))

    def _show_delivery(self, delivery_id: int) -> None:
        self.show_deliveries(DeliveryFilter())
        self.deliveries.select(delivery_id)
