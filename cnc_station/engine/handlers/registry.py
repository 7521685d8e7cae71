"""Which handlers there are. Explicit, so that a frozen bundle finds them too; others may join by
the entry point group `cnc_station.handlers`, each a class that needs no arguments."""

from functools import cache
from importlib.metadata import entry_points

from cnc_station.engine.handlers.base import Handler
from cnc_station.engine.handlers.delay import Delay

GROUP = "cnc_station.handlers"
_OWN: tuple[Handler, ...] = (Delay(),)


@cache
def handlers() -> dict[str, Handler]:
    """By name; read once, since to search what is installed takes a while. Ours win."""
    joined: tuple[Handler, ...] = tuple(entry.load()() for entry in entry_points(group=GROUP))
    return {handler.name: handler for handler in (*joined, *_OWN)}
