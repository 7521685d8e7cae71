"""Commands that stay: the window, the demo day, and the station without a window."""

import asyncio
import logging
from dataclasses import replace
from importlib import import_module

from cnc_station.cli.call import Call, Exit
from cnc_station.config import DATABASE_NAME

DEMO_DATABASE_NAME = "demo.db"


def window(call: Call) -> int:
    """Open the window."""
    return int(import_module("cnc_station.desktop").open_window(call.config, demo=False))


def demo(call: Call) -> int:
    """Open the window on the demo day, which has a database of its own unless one is named."""
    config = call.config
    path = config.database_path
    if not call.args.database and path is not None and path.name == DATABASE_NAME:
        config = replace(config, database_url=f"sqlite:///{path.with_name(DEMO_DATABASE_NAME)}")
    return int(import_module("cnc_station.desktop").open_window(config, demo=True))


def serve(call: Call) -> int:
    """Run the station without a window until it is told to stop."""
    from cnc_station import headless  # noqa: PLC0415 - the window starts without it

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    asyncio.run(headless.serve(call.config, demo=call.args.demo))
    return Exit.OK
