"""A station without a window."""

import asyncio
import contextlib
import logging
import signal

from cnc_station.config import Config
from cnc_station.demo import load_demo
from cnc_station.engine.engine import StationEngine

log = logging.getLogger(__name__)


async def serve(config: Config, *, demo: bool = False) -> None:
    """Run the engine until SIGINT or SIGTERM, then stop it in order. Raises Unavailable."""
    engine = StationEngine(config)
    await engine.start()
    try:
        if demo:
            await load_demo(engine)
        log.info("station %s is at work on %s", config.station, config.database_path)
        await _asked_to_stop()
    finally:
        await engine.stop()
        log.info("station %s has stopped", config.station)


async def _asked_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: KeyboardInterrupt ends it
            loop.add_signal_handler(number, stop.set)
    await stop.wait()
