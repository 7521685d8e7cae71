"""A station without a window."""

import asyncio
import contextlib
import gc
import logging
import signal
import sys

from cnc_station import systemd
from cnc_station.config import Config
from cnc_station.demo import DEMO, Loader
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.services.service import FIRST_PAUSE_S, LONGEST_PAUSE_S
from cnc_station.engine.timing import SWITCH_S, GrowingPause
from cnc_station.local_socket.server import listening
from cnc_station.secrets import complete
from cnc_station.web.serving import serving

log = logging.getLogger(__name__)

HEALTH_PORT = 8460


async def serve(config: Config, load: Loader | None = None) -> None:
    """Run the engine until SIGINT or SIGTERM, then stop it in order. `load` fills it first.

    Raises Conflict, and Unavailable where it is of no use to wait.
    """
    sys.setswitchinterval(SWITCH_S)
    asked_to_stop = _stop_signals()
    engine = await _started(await asyncio.to_thread(complete, config), asked_to_stop)
    if engine is None:
        return
    try:
        if load is not None:
            await load(engine.door(DEMO))
        async with (
            serving(config, engine.local_door, HEALTH_PORT),
            listening(config, engine.door),
        ):
            log.info("station %s is at work on %s", config.station, config.database_shown)
            systemd.notify("READY=1")
            gc.freeze()  # permanent objects need no further garbage collection
            await asked_to_stop.wait()
            systemd.notify("STOPPING=1")
    finally:
        await engine.stop()
        log.info("station %s has stopped", config.station)


async def _started(config: Config, asked_to_stop: asyncio.Event) -> StationEngine | None:
    """Start an engine, again and again while the database server is away. None if stopped."""
    pause, logged = GrowingPause(FIRST_PAUSE_S, LONGEST_PAUSE_S), ""
    while not asked_to_stop.is_set():
        engine = StationEngine(config)
        try:
            await engine.start()
        except Unavailable as error:
            if not error.transient:
                raise
            if logged != (logged := str(error)):
                log.warning("the start waits and is tried again: %s", error)
        else:
            return engine
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asked_to_stop.wait(), pause.next_s())
    return None


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
