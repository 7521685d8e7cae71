"""What carries out a run, as a run session sees it."""

from collections.abc import Callable
from typing import Protocol

from cnc_station.engine.drivers.base import OnLoss, Order, RunInspection
from cnc_station.engine.views import Abilities, Identity, Status


class Executor(Protocol):
    """The part of `Driver` that a run needs; each driver is one. The promises of `Driver` hold."""

    on_loss: OnLoss
    abilities: Abilities

    async def connect(self) -> Identity:
        """See `Driver`."""
        ...

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        """See `Driver`."""
        ...

    async def start(self) -> None:
        """See `Driver`."""
        ...

    async def ended(self) -> None:
        """See `Driver`."""
        ...

    async def hold(self) -> None:
        """See `Driver`."""
        ...

    async def resume(self) -> None:
        """See `Driver`."""
        ...

    async def abort(self) -> None:
        """See `Driver`."""
        ...

    async def inspect_run(self, order: Order) -> RunInspection:
        """See `Driver`."""
        ...

    def status(self) -> Status:
        """See `Driver`."""
        ...

    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """See `Driver`."""
        ...
