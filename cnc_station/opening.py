"""What a window opens: the shop's own data, or the demo day, and how it changes between them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from cnc_station.config import Config

if TYPE_CHECKING:
    from cnc_station.demo import Loader


class Data(StrEnum):
    """Which data."""

    SHOP = "shop"  # the database of the settings as they are now
    DEMO = "demo"  # a database of its own, deleted when it is left


@dataclass(frozen=True, slots=True)
class Opening:
    """A station to open. `load` fills one that has no machines. `data` is DEMO for a demo day in a
    database of its own; `end` removes that after its engine has stopped, and blocks. `crashes` are
    reports of former lives to tell of."""

    config: Config
    load: "Loader | None" = None
    data: Data = Data.SHOP
    end: Callable[[], None] | None = None
    crashes: tuple[Path, ...] = ()


# Returns what to open instead, and blocks. Raises InvalidInput or Unavailable.
Reopen = Callable[[Data], Opening]
