"""The handlers a station has: its own, and those of the entry point group `cnc_station.handlers`,
each a class without arguments. The own ones are listed, so that a frozen bundle finds them."""

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from cnc_station.engine.handlers.base import Handler, HandlerFailed, HandlerOrder

GROUP = "cnc_station.handlers"
LONGEST_MS = 86_400_000
_TELL_EVERY_S = 0.2


class Delay:
    """Implements `Handler`: takes its time, and fails if asked to, for trying out a station.

    Payload: `durationMs` (default 1000), `shouldFail`, `failMessage`.
    """

    name = "test.delay"

    async def run(self, order: HandlerOrder, progress: Callable[[float], None]) -> None:
        total_s = _duration_ms(order.payload) / 1000
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while (left_s := begun + total_s - loop.time()) > 0:
            progress(1 - left_s / total_s)
            await asyncio.sleep(min(left_s, _TELL_EVERY_S))
        if order.payload.get("shouldFail") is True:
            raise HandlerFailed(
                str(order.payload.get("failMessage") or "failed as it was asked to")
            )
        progress(1.0)


def _duration_ms(payload: Mapping[str, Any]) -> float:
    asked = payload.get("durationMs", 1000)
    number = isinstance(asked, int | float) and not isinstance(asked, bool)
    if not number or not 0 <= asked <= LONGEST_MS:
        raise HandlerFailed(f"durationMs: must be a number from 0 to {LONGEST_MS:,}")
    return float(asked)


@cache
def handlers() -> dict[str, Handler]:
    """Return the handlers by name. Read once, since the search of what is installed is slow."""
    installed: tuple[Handler, ...] = tuple(entry.load()() for entry in entry_points(group=GROUP))
    return {handler.name: handler for handler in (*installed, Delay())}
