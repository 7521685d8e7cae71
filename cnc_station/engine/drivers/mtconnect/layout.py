"""Find the data items of a device: vendors name and number them differently. Position, feed and
tool are those of the first path with an execution. Execution, program and modes are kept for every
path, with those of the whole machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import eq
from typing import NamedTuple

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.mtconnect.documents import DataItem, Device
from cnc_station.engine.drivers.mtconnect.modes import override

_CONTROLS = ("Path", "Controller", "Device")  # other executions are of a loader, for example
_PROGRAMS = ("MAIN", "", "ACTIVE")  # of several, the best subtype
_MOST_PATHS = 32
_MOST_OF_A_PATH = 200  # data items that are watched


class _Wanted(NamedTuple):
    """A type of data item, its accepted subtypes, best first, and its axis. In older versions of
    the standard an override is a feed or a speed in `percent`."""

    type: str
    sub_types: tuple[str, ...] = ("",)
    axis: str = ""
    percent: bool | None = None


_WANTED: Mapping[str, tuple[_Wanted, ...]] = {
    "execution": (_Wanted("EXECUTION"),),
    "available": (_Wanted("AVAILABILITY"),),
    "emergency": (_Wanted("EMERGENCY_STOP"),),
    "mode": (_Wanted("CONTROLLER_MODE"),),
    "program": (_Wanted("PROGRAM", _PROGRAMS),),
    "parts": (_Wanted("PART_COUNT", ("ALL", "", "COMPLETE", "GOOD")),),
    "line": (_Wanted("LINE_NUMBER", ("ABSOLUTE", "")), _Wanted("LINE")),
    "tool": (_Wanted("TOOL_NUMBER"),),
    "place": (_Wanted("PATH_POSITION", ("ACTUAL", "")),),
    "x": (_Wanted("POSITION", ("ACTUAL", ""), "X"),),
    "y": (_Wanted("POSITION", ("ACTUAL", ""), "Y"),),
    "z": (_Wanted("POSITION", ("ACTUAL", ""), "Z"),),
    "feed": (_Wanted("PATH_FEEDRATE", ("ACTUAL", ""), percent=False),),
    "spindle": (
        _Wanted("ROTARY_VELOCITY", ("ACTUAL", ""), percent=False),
        _Wanted("SPINDLE_SPEED", ("ACTUAL", ""), percent=False),
    ),
    "feed_override": (
        _Wanted("PATH_FEEDRATE_OVERRIDE", ("PROGRAMMED", "")),
        _Wanted("PATH_FEEDRATE", ("OVERRIDE", ""), percent=True),
    ),
    "rapid_override": (_Wanted("PATH_FEEDRATE_OVERRIDE", ("RAPID",)),),
    "spindle_override": (
        _Wanted("ROTARY_VELOCITY_OVERRIDE"),
        _Wanted("SPINDLE_SPEED", ("OVERRIDE",), percent=True),
    ),
}


@dataclass(frozen=True, slots=True)
class PathItems:
    """The data items of one path, by id. `overrides` maps them to the switches of
    `modes.override`."""

    name: str
    executions: tuple[str, ...]
    programs: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    overrides: tuple[tuple[str, str], ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        switches = (item for item, _ in self.overrides)
        return frozenset((*self.executions, *self.programs, *self.modes, *self.purposes, *switches))


@dataclass(frozen=True, slots=True)
class Layout:
    """`figures` maps a figure to the id of its data item. A device needs `paths` to be usable."""

    figures: Mapping[str, str]
    paths: tuple[PathItems, ...]


def layout(device: Device) -> Layout:
    """Return the layout of a device. Raises Unavailable if it has more paths than any machine."""
    homes = _homes(device.items)
    first = homes[0] if homes else ()
    figures: dict[str, str] = {}
    for name, wanted in _WANTED.items():
        item = _choose(device.items, wanted, first)
        if item is not None:
            figures[name] = item.id
    placed = [(item, _home_of(item, homes)) for item in device.items]
    found = Layout(figures, tuple(_path(placed, home) for home in homes))
    if any(len(path.ids) > _MOST_OF_A_PATH for path in found.paths):
        raise Unavailable(f"the device reports more than {_MOST_OF_A_PATH} modes and programs")
    return found


_Home = tuple[str, ...]


def _homes(items: tuple[DataItem, ...]) -> tuple[_Home, ...]:
    """Return the components that report an execution."""
    executions = [item for item in items if item.type == "EXECUTION"]
    controls = [item for item in executions if item.component in _CONTROLS]
    homes = tuple(dict.fromkeys(item.within for item in controls or executions))
    if len(homes) > _MOST_PATHS:
        raise Unavailable(f"the device reports {len(homes)} paths, more than {_MOST_PATHS}")
    return homes


def _path(placed: list[tuple[DataItem, _Home | None]], home: _Home) -> PathItems:
    own = [item for item, place in placed if place == home]
    shared = [
        item for item, place in placed if place is None or home[: len(item.within)] == item.within
    ]
    relevant = [
        item
        for item, place in placed
        if place == home or place is None or home[: len(item.within)] == item.within
    ]
    return PathItems(
        next((item.owner for item in own if item.within == home and item.owner), ""),
        _ids(own, "EXECUTION"),
        _programs(own) or _programs(shared),
        _ids(own, "CONTROLLER_MODE") or _ids(shared, "CONTROLLER_MODE"),
        tuple(dict.fromkeys((*_ids(own, "FUNCTIONAL_MODE"), *_ids(shared, "FUNCTIONAL_MODE")))),
        tuple(
            (item.id, switch)
            for item in relevant
            if (switch := override(item.type, item.sub_type)) is not None
        ),
    )


def _home_of(item: DataItem, homes: tuple[_Home, ...]) -> _Home | None:
    """Return the innermost component with an execution around the item."""
    around = [home for home in homes if item.within[: len(home)] == home]
    return max(around, key=len, default=None)


def _ids(items: list[DataItem], kind: str) -> tuple[str, ...]:
    return tuple(item.id for item in items if item.type == kind)


def _programs(items: list[DataItem]) -> tuple[str, ...]:
    for sub_type in _PROGRAMS:
        fits = [item.id for item in items if item.type == "PROGRAM" and item.sub_type == sub_type]
        if fits:
            return tuple(fits)
    return ()


def _choose(
    items: tuple[DataItem, ...], wanted: tuple[_Wanted, ...], home: tuple[str, ...]
) -> DataItem | None:
    """Prefer the best subtype, then the item that shares most components with `home`."""
    for want in wanted:
        fits = [
            (want.sub_types.index(item.sub_type), -sum(map(eq, item.within, home)), place)
            for place, item in enumerate(items)
            if item.type == want.type
            and item.sub_type in want.sub_types
            and (not want.axis or item.owner.upper() == want.axis)
            and want.percent in {None, item.units == "PERCENT"}
        ]
        if fits:
            return items[min(fits)[2]]
    return None
