"""The application's loop, as the type it has."""

import asyncio

from cnc_station.loop import ApplicationLoop


def running() -> ApplicationLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ApplicationLoop)
    return loop
