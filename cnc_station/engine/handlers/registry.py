"""The handlers a station has: its own, and those of the entry point group `cnc_station.handlers`,
each a class without arguments. The own ones are listed, so that a frozen bundle finds them."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from cnc_station.engine.handlers.base import Handler, HandlerContext
from cnc_station.engine.handlers.cleanup import CleanUp
from cnc_station.engine.handlers.shell import ShellCommand
from cnc_station.engine.handlers.testing import Delay, Echo, Log
from cnc_station.engine.handlers.webhook import HttpWebhook

GROUP = "cnc_station.handlers"


def handlers(context: HandlerContext) -> Mapping[str, Handler]:
    """Return the handlers by name."""
    own: tuple[Handler, ...] = (
        HttpWebhook(context.http),
        Echo(),
        Delay(),
        Log(),
        CleanUp(context.clean_up),
        ShellCommand(context),
    )
    return {handler.name: handler for handler in (*installed(), *own)}


@cache
def installed() -> tuple[Handler, ...]:
    """Return those of other packages. Found once, since the search of what is installed is slow."""
    return tuple(entry.load()() for entry in entry_points(group=GROUP))
