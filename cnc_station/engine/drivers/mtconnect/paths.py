"""The common state of all paths of a machine. It is in its program as long as one path is, and has
completed it when the last path that took part has ended and none was aborted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cnc_station.engine.drivers.mtconnect.layout import PathItems
from cnc_station.engine.drivers.reported import IN_PROGRAM, Phase

_PHASES: Mapping[str, tuple[Phase, str]] = {
    "READY": (Phase.IDLE, "ready"),
    "ACTIVE": (Phase.RUNNING, "active"),
    "WAIT": (Phase.RUNNING, "waiting"),  # continues by itself
    "FEED_HOLD": (Phase.HELD, "feed hold"),
    "INTERRUPTED": (Phase.HELD, "interrupted"),
    "OPTIONAL_STOP": (Phase.HELD, "optional stop (M1)"),
    "PROGRAM_STOPPED": (Phase.HELD, "program stop (M0)"),
    "STOPPED": (Phase.STOPPED, "stopped"),
    "PROGRAM_COMPLETED": (Phase.COMPLETED, "program completed"),
}
_OPEN = (*IN_PROGRAM, Phase.STOPPED)  # its program can continue
NO_DATA = "the agent answers, but it has no data from the machine"


@dataclass(slots=True)
class _Execution:
    """One execution item, and its history since the machine last began a program."""

    path: PathItems
    number: int
    phase: Phase | None = None  # None: never reported
    words: str = ""
    took_part: bool = False
    broken_off: bool = False
    names: tuple[str, ...] = ()  # its programs, when it was last in one


class Paths:
    """The executions of all paths, unknown at first. `take` each value, in order."""

    def __init__(self, paths: Iterable[PathItems]) -> None:
        self._executions = {
            item: _Execution(path, number)
            for number, path in enumerate(paths, 1)
            for item in path.executions
        }

    def forget(self) -> None:
        for item, known in self._executions.items():
            self._executions[item] = _Execution(known.path, known.number)

    def take(self, item: str, value: str) -> None:
        """Take a value of an execution; "" if it is not available."""
        known = self._executions.get(item)
        if known is None or (not value and known.phase is None):
            return
        before = known.phase
        nothing = (Phase.UNKNOWN, f"the machine reports an unknown state: {value[:60]}")
        lost = (Phase.UNKNOWN, NO_DATA)
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
        """Handle the first path that begins: earlier ends of the others no longer count."""
        others = [one for one in self._executions.values() if one is not begun]
        if not any(one.phase in _OPEN for one in others):
            for one in others:
                one.took_part = one.broken_off = False

    def name(self, values: Mapping[str, str]) -> None:
        """Store the program names of the open paths."""
        for known in self._executions.values():
            if known.phase in _OPEN:
                known.names = tuple(values.get(item, "") for item in known.path.programs)

    def phase(self) -> tuple[Phase, str]:
        reported = [one for one in self._executions.values() if one.phase is not None]
        if not reported:
            return Phase.UNKNOWN, NO_DATA
        for phase in (Phase.UNKNOWN, *_OPEN):
            found = next((one for one in reported if one.phase is phase), None)
            if found is not None:
                return phase, self._words(found)
        taking_part = [one for one in reported if one.took_part] or reported
        done = next((one for one in taking_part if one.phase is Phase.COMPLETED), None)
        broken = next((one for one in taking_part if one.broken_off), None)
        if done is not None and broken is not None:
            return Phase.ABORTED, f"{_path_name(broken)} was aborted"
        ended = done or taking_part[0]
        return ended.phase or Phase.UNKNOWN, ended.words

    def open(self) -> list[PathItems]:
        """Return the paths whose program runs, is held or can continue."""
        return [one.path for one in self._executions.values() if one.phase in _OPEN]

    def programs(self) -> tuple[str, ...]:
        """Return the programs of the open paths, otherwise the completed ones; () for one path."""
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
        return f"{_path_name(found)}: {found.words}"


def _path_name(found: _Execution) -> str:
    name = found.path.name
    return name if "path" in name.lower() else f"path {name or found.number}"
