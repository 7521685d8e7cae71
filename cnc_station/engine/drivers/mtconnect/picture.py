"""The state of a device, collected from its observations. See `layout` for the data items."""

from itertools import islice
from math import inf

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.mtconnect import modes
from cnc_station.engine.drivers.mtconnect.documents import CONDITION_LEVELS, Observation
from cnc_station.engine.drivers.mtconnect.layout import Layout, PathItems
from cnc_station.engine.drivers.mtconnect.paths import NO_DATA, Paths
from cnc_station.engine.drivers.reported import Doubt, PartCounter, Phase, Report
from cnc_station.engine.views import Doing, Status

UNAVAILABLE = "UNAVAILABLE"
_MOST = 1e12  # larger figures are nonsense
_SECONDS_A_MINUTE = 60  # feeds are in mm/s
_MOST_ALARMS, _MOST_SHOWN = 1_000, 20


class Picture:
    """The state of a device, unknown at first. `take` the observations in order; Unavailable for
    more alarms than any machine has."""

    def __init__(self, found: Layout) -> None:
        self._figures_at = found.figures
        self._watched = frozenset(found.figures.values()).union(*(path.ids for path in found.paths))
        self._switches = {item: False for path in found.paths for item, _ in path.overrides}
        self._paths = Paths(found.paths)
        self._values: dict[str, str] = {}  # by the id of the data item; "" means not available
        self._ever_available: set[str] = set()  # those that were available at least once
        self._alarms: dict[tuple[str, str], str] = {}  # by item and code, in order of arrival
        self._codes: dict[str, set[str]] = {}  # of the alarms of an item
        self._counter = PartCounter()

    def forget(self) -> None:
        """Forget everything: a present state follows."""
        self._values.clear()
        self._alarms.clear()
        self._codes.clear()
        self._paths.forget()

    def take(self, observation: Observation) -> bool:
        """Take an observation. Return whether it changes the `report`."""
        if observation.kind in CONDITION_LEVELS:
            return self._condition(observation)
        item = observation.item
        if item not in self._watched:
            return False
        value = "" if observation.value == UNAVAILABLE else observation.value
        changed = self._values.get(item) != value
        self._values[item] = value
        if changed:
            self._learn(item, value)
        return changed

    def _learn(self, item: str, value: str) -> None:
        if value:
            self._ever_available.add(item)
        if item in self._switches:
            self._switches[item] = modes.switched(value, before=self._switches[item])
        self._paths.take(item, value)
        self._paths.name(self._values)

    def _condition(self, seen: Observation) -> bool:
        """Take a condition. A fault stays until a level with its code, or without any, comes."""
        codes = self._codes.setdefault(seen.item, set())
        ended = {seen.code} & codes if seen.code else set(codes)
        before = {code: self._alarms[seen.item, code] for code in ended}
        now: dict[str, str] = {}
        if seen.kind == "Fault":
            now[seen.code] = seen.value or seen.type.replace("_", " ").lower() or "fault"
        if before == now:
            return False
        for code in ended:
            del self._alarms[seen.item, code]
        self._alarms.update(((seen.item, code), words) for code, words in now.items())
        codes.difference_update(ended)
        codes.update(now)
        if len(self._alarms) > _MOST_ALARMS:
            raise Unavailable(f"the agent reports more than {_MOST_ALARMS:,} alarms")
        return True

    def report(self) -> Report:
        phase, words = self._phase()
        programs = self._paths.programs()
        return Report(
            phase,
            words,
            alarm=self._alarm(),
            mode=modes.NOT_READY.get(self._value("mode"), ""),
            doubts=self._doubts(),
            programs=programs,
            figures=self._figures(next(filter(None, programs), "")),
        )

    def _phase(self) -> tuple[Phase, str]:
        available = self._values.get(self._figures_at.get("available", ""), "AVAILABLE")
        if available != "AVAILABLE":
            return Phase.UNKNOWN, NO_DATA
        return self._paths.phase()

    def _doubts(self) -> tuple[Doubt, ...]:
        """Return the doubts of all paths whose program runs, is held or can continue."""
        found = (doubt for path in self._paths.open() for doubt in self._path_doubts(path))
        return tuple(dict.fromkeys(found))

    def _path_doubts(self, path: PathItems) -> list[Doubt]:
        """Return the doubts of a path. A mode never reported counts as not present."""
        found: list[Doubt | None] = []
        for item in path.modes:
            value = self._values.get(item, "")
            if value:
                found.append(modes.mode_doubt(value))
            elif item in self._ever_available:
                found.append(modes.UNKNOWN)
        found.extend(modes.purpose_doubt(self._values.get(item, "")) for item in path.purposes)
        found.extend(
            modes.OVERRIDES[switch] for item, switch in path.overrides if self._switches[item]
        )
        return [doubt for doubt in found if doubt is not None]

    def _alarm(self) -> str:
        shown = islice(self._alarms.items(), _MOST_SHOWN)
        texts = [f"{words} ({code})" if code else words for (_, code), words in shown]
        if len(self._alarms) > _MOST_SHOWN:
            texts.append(f"and {len(self._alarms) - _MOST_SHOWN} more")
        if self._value("emergency") == "TRIGGERED":
            texts.insert(0, "emergency stop")
        return "; ".join(texts)

    def _figures(self, program: str) -> Status:
        number = self._number
        place = self._value("place").split()
        x, y, z = [_float(text) for text in place] if len(place) == 3 else [None] * 3
        feed, line, tool = (number(name) for name in ("feed", "line", "tool"))
        return Status(
            Doing.UNREACHABLE,
            program=program or self._value("program"),
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
            parts=self._counter.read(_float(self._value("parts"), inf)),
        )

    def _number(self, name: str) -> float | None:
        return _float(self._value(name))

    def _value(self, figure: str) -> str:
        """Return a value; "" if it is not available."""
        return self._values.get(self._figures_at.get(figure, ""), "")


def _float(text: str, most: float = _MOST) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= most else None  # not a number compares as false


def _int(value: float | None) -> int | None:
    return None if value is None else int(value)


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
