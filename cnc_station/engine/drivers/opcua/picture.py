"""What a machine tool after OPC 40501-1 says: where that stands in its model, what it means.

Names are written as (namespace URI, name): which index a namespace has is each server's own
matter, and may be another one after its next update.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from cnc_station.engine.drivers.reported import Phase, Report
from cnc_station.engine.views import Doing, Status

UA = "http://opcfoundation.org/UA/"
DI = f"{UA}DI/"
MACHINERY = f"{UA}Machinery/"
MACHINE_TOOL = f"{UA}MachineTool/"

Path = tuple[tuple[str, str], ...]
_PROGRAM: Path = ((MACHINE_TOOL, "Production"), (MACHINE_TOOL, "ActiveProgram"))
_MONITORING: Path = ((MACHINE_TOOL, "Monitoring"), (MACHINE_TOOL, "MachineTool"))

# What is watched, under a machine. All but the state may be missing.
STATE = "state"
WATCHED: Mapping[str, Path] = {
    STATE: (*_PROGRAM, (MACHINE_TOOL, "State"), (UA, "CurrentState"), (UA, "Number")),
    "program": (*_PROGRAM, (MACHINE_TOOL, "Name")),
    "parts": (
        (MACHINE_TOOL, "Production"),
        (MACHINE_TOOL, "Statistics"),
        (MACHINE_TOOL, "PartsProducedInLifetime"),
    ),
    "mode": (*_MONITORING, (MACHINE_TOOL, "OperationMode")),
    "item": (*_MONITORING, (MACHINERY, "MachineryItemState"), (UA, "CurrentState"), (UA, "Id")),
    "override": (*_MONITORING, (MACHINE_TOOL, "FeedOverride")),
}
PRODUCTION: Path = ((MACHINE_TOOL, "Production"),)
MESSAGES: Path = ((MACHINE_TOOL, "Notification"), (MACHINE_TOOL, "Messages"))
IDENTIFICATION: Mapping[str, Path] = {
    label: ((DI, "Identification"), (DI, name))
    for label, name in {
        "Maker": "Manufacturer",
        "Model": "Model",
        "Serial number": "SerialNumber",
        "Identifier": "ProductInstanceUri",
    }.items()
}
ALERT_TYPE = 39  # AlertType in the MachineTool namespace

# ProductionStateMachineType, by StateNumber.
_PHASES: Mapping[object, tuple[Phase, str]] = {
    0: (Phase.IDLE, "initializing"),
    1: (Phase.RUNNING, "running"),
    2: (Phase.COMPLETED, "ended"),
    3: (Phase.HELD, "interrupted"),
    4: (Phase.ABORTED, "aborted"),
}
# MachineOperationMode.
_MODES: Mapping[object, str] = {0: "in manual mode", 2: "in set-up mode", 4: "in service mode"}
# MachineryItemState, by the node of the state.
_OUT_OF_SERVICE, _NOT_AVAILABLE = 5004, 5005


@dataclass(frozen=True, slots=True)
class Value:
    """What one of WATCHED holds; None for nothing, or nothing good."""

    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Alert:
    """An alarm that came, changed or went. `key` tells it from others."""

    key: str
    words: str
    code: str
    active: bool


class Picture:
    """Starts out knowing nothing; `take` what the server sends, in order."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}
        self._alerts: dict[str, str] = {}

    def take(self, news: Value | Alert) -> bool:
        """Whether that changed anything that `report` tells."""
        if isinstance(news, Value):
            before = self._values.get(news.name)
            self._values[news.name] = news.value
            # False is 0 to Python, but no count
            return type(before) is not type(news.value) or before != news.value
        words = news.words or "alarm"
        told = self._alerts.get(news.key)
        if news.active:
            self._alerts[news.key] = f"{words} ({news.code})" if news.code else words
        else:
            self._alerts.pop(news.key, None)
        return self._alerts.get(news.key) != told

    def report(self) -> Report:
        """As the station understands it."""
        phase, words = self._phase()
        program = self._values.get("program")
        parts = self._values.get("parts")
        override = self._values.get("override")
        return Report(
            phase,
            words,
            alarm="; ".join(self._alerts.values()),
            mode=self._mode(),
            figures=Status(
                Doing.UNREACHABLE,
                program=program if isinstance(program, str) else "",
                parts=_whole(parts),
                feed_override=_share(override),
            ),
        )

    def _phase(self) -> tuple[Phase, str]:
        number = _whole(self._values.get(STATE))
        if self._values.get("item") == _NOT_AVAILABLE:
            return Phase.UNKNOWN, "the server answers, but says that the machine is not available"
        nothing = (Phase.UNKNOWN, "the server answers, but it has no word from the machine")
        return _PHASES.get(number, nothing)

    def _mode(self) -> str:
        if self._values.get("item") == _OUT_OF_SERVICE:
            return "out of service"
        return _MODES.get(_whole(self._values.get("mode")), "")


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _share(percent: object) -> float | None:
    if isinstance(percent, int | float) and isfinite(percent):
        return percent / 100
    return None
