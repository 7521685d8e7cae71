"""Claims: whenever there is a new job or a free machine, match them."""

from collections.abc import Callable

from cnc_station.engine.services.pen import Pen
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.claims import Claim, Claimed

SLOW_TICK_S = 30.0


class Dispatcher(Service):
    """Hands every claimed run to `take`. Woken by hints; the slow tick makes up for lost ones."""

    def __init__(self, pen: Pen, take: Callable[[Claimed], None], lease_s: float) -> None:
        super().__init__()
        self._pen = pen
        self._take = take
        self._claim = Claim(lease_s)

    async def run_once(self) -> float:
        """Claim until nothing can be matched."""
        while claimed := await self._pen.write(self._claim):
            for one in claimed:
                self._take(one)
        return SLOW_TICK_S
