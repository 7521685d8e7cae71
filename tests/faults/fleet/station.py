"""A station for fault campaigns: `python -m tests.faults.fleet.station JSON`.

The real engine without a window. What its drivers do is noted in a file, by the one clock that all
processes of this computer share; its wall clock may be wrong, and a guard may be taken out.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from cnc_station.engine.drivers.base import Order
from cnc_station.engine.drivers.simulator import Simulator
from cnc_station.engine.handlers.base import HandlerOrder, HandlerResult


@dataclass(frozen=True, slots=True)
class Orders:
    """What a campaign asks of a station beside its settings (`CNC_*`)."""

    notes: str  # the file that its drivers, handlers and commands write into
    clock_ahead_s: float = 0.0
    mutation: str = ""

    def dumped(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, text: str) -> Self:
        return cls(**json.loads(text))


def _set_clock(ahead_s: float) -> None:
    """A wrong wall clock; the monotonic one stays what it is, as in life."""
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + ahead_s
    time.time_ns = lambda: now_ns() + round(ahead_s * 1e9)


def note_drivers(path: str) -> None:
    from cnc_station.engine.drivers import registry, simulator  # noqa: PLC0415 - after the clock is set

    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(what: str, order: Order | HandlerOrder) -> None:
        line = f"{time.monotonic_ns()} {os.getpid()} {order.job_id} {order.run_id} {what}\n"
        os.write(file, line.encode())

    class Noted(Simulator):
        order: Order

        async def load(self, order: Order, part: int) -> tuple[str, ...]:
            self.order = order
            return await super().load(order, part)

        async def start(self) -> None:
            note("start", self.order)
            await super().start()

        async def ended(self) -> None:
            try:
                await super().ended()
            finally:
                note("stop", self.order)

    registry.OWN["simulator"] = replace(simulator.KIND, make=Noted.make)
    _note_delays(note)


def _note_delays(note: Callable[[str, Order | HandlerOrder], None]) -> None:
    from cnc_station.engine.handlers.testing import Delay  # noqa: PLC0415 - as above

    run = Delay.run

    async def noted(
        self: Delay, order: HandlerOrder, progress: Callable[[float], None]
    ) -> HandlerResult:
        note("start", order)
        try:
            return await run(self, order, progress)
        finally:
            note("stop", order)

    patched: Any = Delay
    patched.run = noted


def main() -> None:
    orders = Orders.loaded(sys.argv[1])
    _set_clock(orders.clock_ahead_s)
    from cnc_station import config, headless  # noqa: PLC0415 - after the clock is set
    from cnc_station.cli.station_log import start_log  # noqa: PLC0415 - as above
    from tests.faults.fleet.mutations import MUTATIONS  # noqa: PLC0415 - as above

    note_drivers(orders.notes)
    if orders.mutation:
        MUTATIONS[orders.mutation].in_a_station()
    settings = config.load(os.environ)
    Path(settings.data_folder).mkdir(parents=True, exist_ok=True)
    start_log(settings, aloud=True)
    asyncio.run(headless.serve(settings))


if __name__ == "__main__":
    main()
