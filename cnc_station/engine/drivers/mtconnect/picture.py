"""What a device says now, put together from its observations.

The probe tells which data item holds what; vendors name and number them as they like. Where a
device has several paths, the first one that reports its execution is the one that is watched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from cnc_station.engine.drivers.mtconnect.documents import (
    CONDITION_LEVELS,
    DataItem,
    Device,
    Observation,
)
from cnc_station.engine.drivers.reported import Phase, Report
from cnc_station.engine.views import Doing, Status

UNAVAILABLE = "UNAVAILABLE"
_SECONDS_A_MINUTE = 60  # a feed comes in mm/s

_PHASES: Mapping[str, tuple[Phase, str]] = {
    "READY": (Phase.IDLE, "ready"),
    "ACTIVE": (Phase.RUNNING, "active"),
    "WAIT": (Phase.RUNNING, "waiting"),  # goes on by itself
    "FEED_HOLD": (Phase.HELD, "feed hold"),
    "INTERRUPTED": (Phase.HELD, "interrupted"),
    "OPTIONAL_STOP": (Phase.HELD, "optional stop (M1)"),
    "PROGRAM_STOPPED": (Phase.HELD, "program stop (M0)"),
    "STOPPED": (Phase.STOPPED, "stopped"),
    "PROGRAM_COMPLETED": (Phase.COMPLETED, "program completed"),
}
_MODES = {
    "MANUAL": "in manual mode",
    "MANUAL_DATA_INPUT": "in manual data input",
    "EDIT": "a program is being edited",
}


class _Wanted(NamedTuple):
    """A type of data item, which of its subtypes will do, best first, and on which axis. In older
    editions of the standard an override is a feed or a speed in `percent`."""

    type: str
    sub_types: tuple[str, ...] = ("",)
    axis: str = ""
    percent: bool | None = None


_WANTED: Mapping[str, tuple[_Wanted, ...]] = {
    "execution": (_Wanted("EXECUTION"),),
    "available": (_Wanted("AVAILABILITY"),),
    "emergency": (_Wanted("EMERGENCY_STOP"),),
    "mode": (_Wanted("CONTROLLER_MODE"),),
    "program": (_Wanted("PROGRAM", ("MAIN", "", "ACTIVE")),),
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


def layout(device: Device) -> dict[str, str]:
    """Which data item, by its id, tells what. Without "execution" the device can't be watched."""
    home: tuple[str, ...] = ()
    found: dict[str, str] = {}
    for name, wanted in _WANTED.items():
        item = _choose(device.items, wanted, home)
        if item is None:
            continue
        found[item.id] = name
        if name == "execution":
            home = item.within
    return found


def _choose(
    items: tuple[DataItem, ...], wanted: tuple[_Wanted, ...], home: tuple[str, ...]
) -> DataItem | None:
    """The best subtype, then what shares most components with the execution that is watched."""
    for want in wanted:
        fits = [
            (want.sub_types.index(item.sub_type), -_shared(item.within, home), place)
            for place, item in enumerate(items)
            if item.type == want.type
            and item.sub_type in want.sub_types
            and (not want.axis or item.owner.upper() == want.axis)
            and want.percent in {None, item.units == "PERCENT"}
        ]
        if fits:
            return items[min(fits)[2]]
    return None


def _shared(some: tuple[str, ...], others: tuple[str, ...]) -> int:
    return sum(one == other for one, other in zip(some, others, strict=False))


@dataclass(frozen=True, slots=True)
class _Alarm:
    item: str
    code: str
    words: str


class Picture:
    """Starts out knowing nothing; `take` what the agent sends, in order."""

    def __init__(self, found: Mapping[str, str]) -> None:
        self._found = found
        self._values: dict[str, str] = {}
        self._alarms: list[_Alarm] = []

    def forget(self) -> None:
        """All of it: a state of things follows."""
        self._values.clear()
        self._alarms.clear()

    def take(self, observation: Observation) -> bool:
        """Whether that changed anything that `report` tells."""
        if observation.kind in CONDITION_LEVELS:
            return self._condition(observation)
        name = self._found.get(observation.item)
        if name is None:
            return False
        value = "" if observation.value == UNAVAILABLE else observation.value
        changed = self._values.get(name) != value
        self._values[name] = value
        return changed

    def _condition(self, seen: Observation) -> bool:
        """A level without a code speaks for all of its data item; a fault stays until then."""
        kept = [
            alarm
            for alarm in self._alarms
            if alarm.item != seen.item or (seen.code and alarm.code != seen.code)
        ]
        if seen.kind == "Fault":
            words = seen.value or seen.type.replace("_", " ").lower() or "fault"
            kept.append(_Alarm(seen.item, seen.code, words))
        changed = kept != self._alarms
        self._alarms = kept
        return changed

    def report(self) -> Report:
        """As the station understands it."""
        phase, words = self._phase()
        return Report(
            phase,
            words,
            alarm=self._alarm(),
            mode=_MODES.get(self._values.get("mode", ""), ""),
            figures=self._figures(),
        )

    def _phase(self) -> tuple[Phase, str]:
        told = self._values.get("execution", "")
        if not told or self._values.get("available", "AVAILABLE") != "AVAILABLE":
            return Phase.UNKNOWN, "the agent answers, but it has no word from the machine"
        unknown = (Phase.UNKNOWN, f"the machine reports what nobody here knows: {told[:60]}")
        return _PHASES.get(told, unknown)

    def _alarm(self) -> str:
        said = [
            f"{alarm.words} ({alarm.code})" if alarm.code else alarm.words for alarm in self._alarms
        ]
        if self._values.get("emergency") == "TRIGGERED":
            said.insert(0, "emergency stop")
        return "; ".join(said)

    def _figures(self) -> Status:
        number = self._number
        place = self._values.get("place", "").split()
        x, y, z = [_float(text) for text in place] if len(place) == 3 else [None] * 3
        feed, parts, line, tool = (number(name) for name in ("feed", "parts", "line", "tool"))
        return Status(
            Doing.UNREACHABLE,
            program=self._values.get("program", ""),
            line=_int(line),
            x=number("x") if x is None else x,
            y=number("y") if y is None else y,
            z=number("z") if z is None else z,
            feed_mm_min=None if feed is None else feed * _SECONDS_A_MINUTE,
            spindle_rpm=number("spindle"),
            tool=_int(tool),
            feed_override=_share(number("feed_override")),
            rapid_override=_share(number("rapid_override")),
            spindle_override=_share(number("spindle_override")),
            parts=_int(parts),
        )

    def _number(self, name: str) -> float | None:
        return _float(self._values.get(name, ""))


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def _int(value: float | None) -> int | None:
    return None if value is None else int(value)


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
