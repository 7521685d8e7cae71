"""Commands that stay: the window, the demo day, and the station without a window."""

import asyncio
from dataclasses import replace

from cnc_station.cli.call import Call, Exit
from cnc_station.cli.logs import start_log
from cnc_station.config import DATABASE_NAME

DEMO_DATABASE_NAME = "demo.db"
DEMO_SEED = 7  # a day on which the first complexity-5 jobs show the retry path


def window(call: Call) -> int:
    """Open the window."""
    from cnc_station.desktop import open_window  # noqa: PLC0415 - other commands need no Qt

    return open_window(call.config)


def demo(call: Call) -> int:
    """Open the window on the demo day, which has a database of its own unless one is named; that
    one starts afresh each time."""
    from cnc_station.demo import fresh_database  # noqa: PLC0415 - as above
    from cnc_station.desktop import open_window  # noqa: PLC0415 - as above

    config = call.config
    path = config.database_path
    if not call.args.database and path is not None and path.name == DATABASE_NAME:
        config = replace(config, database_url=f"sqlite:///{path.with_name(DEMO_DATABASE_NAME)}")
        fresh_database(config)
    if config.simulator_seed is None:
        config = replace(config, simulator_seed=DEMO_SEED)
    start_log(config, aloud=False)
    return open_window(config, demo=True)


def serve(call: Call) -> int:
    """Run the station without a window until it is told to stop."""
    from cnc_station import headless  # noqa: PLC0415 - the window starts without it

    start_log(call.config, aloud=True)
    asyncio.run(headless.serve(call.config, demo=call.args.demo))
    return Exit.OK
