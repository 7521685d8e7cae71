"""What a person at a machine waits for, and taps."""

from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.queries import JobsById, ListMachines
from cnc_station.ui.floor.card_text import CardAction
from cnc_station.ui.pages.floor import FloorPage
from tests.ui.real_engine import Office
from tests.until import until


async def comes_to(office: Office, job_id: int, state: JobState) -> None:
    async def there() -> bool:
        return [row.state for row in await office.door.ask(JobsById([job_id]))] == [state]

    await until(there)


async def machine_comes_to(office: Office, state: MachineState) -> None:
    async def there() -> bool:
        return [m.state for m in await office.door.ask(ListMachines())] == [state]

    await until(there)


async def tap(page: FloorPage, action: CardAction) -> None:
    """The button of the shop's only machine."""

    def button() -> bool:
        return any(card.button(action) for card in page.column.cards.values())

    await until(button)
    (card,) = page.column.cards.values()
    found = card.button(action)
    assert found is not None
    found.click()
    await until(lambda: page.at_machine.dialog)
