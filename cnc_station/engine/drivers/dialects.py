"""How the control of a machine reads programs: as its driver fixes, or its settings state."""

from collections.abc import Mapping

from cnc_station.engine.domain.nc import Dialect
from cnc_station.engine.domain.nc.dialects import ALL, BY_NAME
from cnc_station.engine.views import DriverInfo, Setting

FIELD = "dialect"
_BY_LABEL = {dialect.label: dialect for dialect in ALL}

DIALECT = Setting(
    FIELD,
    "Control reads programs as",
    hint="Empty: found from each program",
    choices=tuple(_BY_LABEL),
)
"""A field for drivers whose controllers can be of any make."""


def stated(settings: Mapping[str, object]) -> Dialect | None:
    """Return the dialect that settings state; None without one. Raises ValueError for another."""
    wanted = str(settings.get(FIELD) or "")
    if not wanted:
        return None
    dialect = _BY_LABEL.get(wanted) or BY_NAME.get(wanted)
    if dialect is None:
        raise ValueError(f"{wanted!r} is not a dialect that CNC Station knows")
    return dialect


def of_machine(info: DriverInfo, settings: Mapping[str, object]) -> Dialect | None:
    """Return the dialect of a machine; None if it is to be guessed from each program."""
    return BY_NAME[info.dialect] if info.dialect is not None else stated(settings)
