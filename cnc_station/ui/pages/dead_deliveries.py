"""The line on Needs attention about deliveries that could not be made."""

from cnc_station.engine.queries import ListWebhooks
from cnc_station.ui.coalesced_task import CoalescedTask
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.theme import Role, Tone
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.card import Card
from cnc_station.ui.widgets.layout import fill, hbox
from cnc_station.ui.widgets.text import Text

_REST_MS = 1000


class DeadDeliveries(Card):
    """Leads to their list; hidden while there are none."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self._context = context
        self._query = CoalescedTask(context.operations, self._count, self, interval_ms=_REST_MS)
        self.words = Text("", Role.STRONG)
        self.show_button = Button(
            self.tr("Show them"), clicked=context.navigator.to_dead_deliveries
        )
        fill(self.body, hbox((self.words, 1), self.show_button))
        self.set_tone(Tone.HELD)
        self.hide()

    def count(self) -> None:
        """Count them again."""
        self._query.request()

    async def _count(self) -> None:
        dead = sum(row.dead for row in await self._context.door.ask(ListWebhooks()))
        one = self.tr("1 delivery to another program could not be made")
        many = self.tr("{count} deliveries to other programs could not be made")
        self.show_button.setText(self.tr("Show it") if dead == 1 else self.tr("Show them"))
        self.words.setText(one if dead == 1 else many.format(count=f"{dead:,}"))
        self.setVisible(dead > 0)
