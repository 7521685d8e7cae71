"""What the drivers of the machines can do, kept at hand: asking for them searches the disk."""

from collections.abc import Callable, Mapping, Sequence

from cnc_station.engine.views import Abilities, DriverInfo

_UNKNOWN = Abilities()


class Drivers:
    """The drivers by name; asked for once, when they are first needed."""

    def __init__(self, ask: Callable[[], Sequence[DriverInfo]]) -> None:
        self._ask = ask
        self._found: Mapping[str, DriverInfo] | None = None

    def info(self, name: str) -> DriverInfo | None:
        """One of them; None if there is none of that name."""
        if self._found is None:
            self._found = {info.name: info for info in self._ask()}
        return self._found.get(name)

    def title(self, name: str) -> str:
        """What people call it."""
        info = self.info(name)
        return info.title if info else name

    def abilities(self, name: str) -> Abilities:
        """What can be asked of its controllers; everything, of one that nobody knows: the engine
        refuses what it can't do."""
        info = self.info(name)
        return info.abilities if info else _UNKNOWN
