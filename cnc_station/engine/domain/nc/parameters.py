"""The values of #1, #100 and #<name> while a program is read."""

from collections.abc import Callable

from cnc_station.engine.domain.nc.findings import BlockError

LOCAL_IN_MACRO_B, LOCAL_IN_LINUXCNC = 33, 30
HIGHEST_PARAMETER = 999_999
ALARM, STOP_WITH_MESSAGE = 3000, 3006

Parameter = int | str
Lookup = Callable[[Parameter], float | None]


class Vacant(float):
    """The value of a parameter that was never set, in a Fanuc macro: zero in a sum, but not equal
    to zero. A word with this value is left out of its block."""

    __slots__ = ()


VACANT = Vacant(0.0)


def unknown(_: Parameter) -> None:
    """Look up nothing: only the program sets parameters."""


class Parameters:
    """Values of #1, #2 ... and of #<name>; names that start with _ are global. `macro_b`: they have
    the rules of Fanuc's and Haas's macros, otherwise those of LinuxCNC. `lookup` returns what the
    control itself sets. `signals` are the assignments with which a macro stops the machine, until
    the reader has seen them."""

    __slots__ = ("_globals", "locals", "lookup", "macro_b", "signals")

    def __init__(self, lookup: Lookup = unknown) -> None:
        self._globals: dict[Parameter, float] = {}
        self.locals: dict[Parameter, float] = {}
        self.lookup = lookup
        self.macro_b = False
        self.signals: list[tuple[int, float]] = []

    def _home(self, key: Parameter) -> dict[Parameter, float]:
        if isinstance(key, str):
            return self._globals if key.startswith("_") else self.locals
        last = LOCAL_IN_MACRO_B if self.macro_b else LOCAL_IN_LINUXCNC
        return self.locals if key <= last else self._globals

    def knows(self, key: Parameter) -> bool:
        """Return whether the parameter was set. Numbered parameters always count as set."""
        return isinstance(key, int) or key in self._home(key) or self.lookup(key) is not None

    def get(self, key: Parameter) -> float:
        """Return a value. #0 is always empty."""
        if key == 0:
            return VACANT
        value = self._home(key).get(key)
        if value is None:
            value = self.lookup(key)
        if value is not None:
            return value
        if isinstance(key, str):
            raise BlockError(f"#<{key.lower()}> is used before it is set")
        return VACANT if self.macro_b else 0.0

    def set(self, key: Parameter, value: float) -> None:
        if key == 0:
            raise BlockError("#0 is always empty: it cannot be set")
        self._home(key)[key] = value
        if self.macro_b and isinstance(key, int) and key in {ALARM, STOP_WITH_MESSAGE}:
            self.signals.append((key, value))

    def snapshot(self) -> tuple[dict[Parameter, float], dict[Parameter, float]]:
        """Return copies of all values, to compare them later."""
        return dict(self.locals), dict(self._globals)
