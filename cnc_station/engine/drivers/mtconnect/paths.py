"""What all paths of a machine do together.

A machine is in its program as long as one path is, and has completed it when the last path that
took part has ended and none was broken off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cnc_station.engine.drivers.mtconnect.layout import PathItems
from cnc_station.engine.drivers.reported import IN_PROGRAM, Phase

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
_OPEN = (*IN_PROGRAM, Phase.STOPPED)  # its program may go on
NO_WORD = "the agent answers, but it has no word from the machine"


@dataclass(slots=True)
class _Execution:
    """One data item, and what was seen of it since the machine last began something."""

    path: PathItems
    number: int
    phase: Phase | None = None  # None: never heard of
    words: str = ""
    took_part: bool = False
    broken_off: bool = False
    names: tuple[str, ...] = ()  # of its programs, when it was last in one


class Paths:
    """Starts out knowing nothing; `take` each value of an execution, in order."""

    def __init__(self, paths: Iterable[PathItems]) -> None:
        self._executions = {
            item: _Execution(path, number)
            for number, path in enumerate(paths, 1)
            for item in path.executions
        }

    def forget(self) -> None:
        """All of it: a state of things follows."""
        for item, known in self._executions.items():
            self._executions[item] = _Execution(known.path, known.number)

    def take(self, item: str, value: str) -> None:
        """What an execution says; "" if it is not available."""
        known = self._executions.get(item)
        if known is None or (not value and known.phase is None):
            return
        before = known.phase
        nothing = (Phase.UNKNOWN, f"the machine reports an unknown state: {value[:60]}")
        lost = (Phase.UNKNOWN, NO_WORD)
        known.phase, known.words = _PHASES.get(value, nothing) if value else lost
        if known.phase in IN_PROGRAM:
            if before not in _OPEN:
                self._begin(known)
            known.took_part, known.broken_off = True, False
        elif known.phase is Phase.IDLE:
            known.broken_off = known.broken_off or before in (Phase.HELD, Phase.STOPPED)
        elif known.phase is Phase.COMPLETED:
            known.broken_off = False

    def _begin(self, begun: _Execution) -> None:
        """The first path that begins makes the others' earlier ends history."""
        others = [one for one in self._executions.values() if one is not begun]
        if not any(one.phase in _OPEN for one in others):
            for one in others:
                one.took_part = one.broken_off = False

    def name(self, values: Mapping[str, str]) -> None:
        """Remember which programs the open paths are in."""
        for known in self._executions.values():
            if known.phase in _OPEN:
                known.names = tuple(values.get(item, "") for item in known.path.programs)

    def phase(self) -> tuple[Phase, str]:
        """Of the machine, and its words."""
        heard = [one for one in self._executions.values() if one.phase is not None]
        if not heard:
            return Phase.UNKNOWN, NO_WORD
        for phase in (Phase.UNKNOWN, *_OPEN):
            found = next((one for one in heard if one.phase is phase), None)
            if found is not None:
                return phase, self._words(found)
        taking_part = [one for one in heard if one.took_part] or heard
        done = next((one for one in taking_part if one.phase is Phase.COMPLETED), None)
        broken = next((one for one in taking_part if one.broken_off), None)
        if done is not None and broken is not None:
            return Phase.ABORTED, f"{_called(broken)} was broken off"
        ended = done or taking_part[0]
        return ended.phase or Phase.UNKNOWN, ended.words

    def open(self) -> list[PathItems]:
        """The paths whose program runs, is held or may go on."""
        return [one.path for one in self._executions.values() if one.phase in _OPEN]

    def programs(self) -> tuple[str, ...]:
        """Of the open paths, or of those that have been completed; () where one path is all."""
        if len(self._executions) < 2:
            return ()
        known = list(self._executions.values())
        found = [one for one in known if one.phase in _OPEN] or [
            one for one in known if one.took_part and one.phase is Phase.COMPLETED
        ]
        return tuple(dict.fromkeys(name for one in found for name in one.names or ("",)))

    def _words(self, found: _Execution) -> str:
        if len(self._executions) < 2 or found.phase is Phase.UNKNOWN:
            return found.words
        return f"{_called(found)}: {found.words}"


def _called(found: _Execution) -> str:
    name = found.path.name
    return name if "path" in name.lower() else f"path {name or found.number}"
