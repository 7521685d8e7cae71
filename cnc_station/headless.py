"""A station without a window."""

import asyncio
import contextlib
import gc
import logging
import signal

from cnc_station.config import Config
from cnc_station.demo import Share, load_demo
from cnc_station.engine.engine import StationEngine
from cnc_station.secrets import complete
from cnc_station.web.serving import serving

log = logging.getLogger(__name__)

HEALTH_PORT = 8460


async def serve(config: Config, demo: Share | None = None) -> None:
    """Run the engine until SIGINT or SIGTERM, then stop it in order. Raises Unavailable."""
    asked_to_stop = _stop_signals()
    engine = StationEngine(await asyncio.to_thread(complete, config))
    await engine.start()
    try:
        if demo:
            await load_demo(engine, demo)
        async with serving(config, engine, HEALTH_PORT):
            log.info("station %s is at work on %s", config.station, config.database_shown)
            gc.freeze()  # permanent objects need no further garbage collection
            await asked_to_stop.wait()
    finally:
        await engine.stop()
        log.info("station %s has stopped", config.station)


def _stop_signals() -> asyncio.Event:
    """Return an event that the first signal sets.

    Installed before the start, so that a signal does not end it halfway.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    return stop
