"""What a machine tool after OPC 40501-1 says: where that stands in its model, what it means.

Names are written as (namespace URI, name): which index a namespace has is each server's own
matter, and may be another one after its next update.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from cnc_station.engine.drivers.reported import IN_PROGRAM, Doubt, Phase, Report
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
    "purpose": (
        *_MONITORING,
        (MACHINERY, "MachineryOperationMode"),
        (UA, "CurrentState"),
        (UA, "Id"),
    ),
    "warm_up": (*_MONITORING, (MACHINE_TOOL, "IsWarmUp")),
    "override": (*_MONITORING, (MACHINE_TOOL, "FeedOverride")),
}
MACHINERY_STATES = frozenset(("item", "purpose"))  # told by the node of the state
MONITORING: Path = ((MACHINE_TOOL, "Monitoring"),)
# Of each NC channel; without its state a node below Monitoring is not one.
CHANNEL_STATE = "state"
CHANNEL: Mapping[str, Path] = {
    CHANNEL_STATE: ((MACHINE_TOOL, "ChannelState"),),
    "mode": ((MACHINE_TOOL, "ChannelMode"),),
    "dry_run": ((MACHINE_TOOL, "ChannelModifiers"), (MACHINE_TOOL, "DryRun")),
    "test": ((MACHINE_TOOL, "ChannelModifiers"), (MACHINE_TOOL, "TestMode")),
    "single": ((MACHINE_TOOL, "ChannelModifiers"), (MACHINE_TOOL, "SingleStep")),
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
_AUTOMATIC = (1, 3)  # 3 with manual intervention: it cuts
_OTHER = Doubt("the machine is in a mode without a name", "ran in a mode without a name")
_NO_MODE = Doubt("the machine does not say its mode", "the machine did not say its mode")
# MachineryItemState, by the node of the state.
_OUT_OF_SERVICE, _NOT_AVAILABLE = 5004, 5005
_IDLE_SERVICE = Doubt("the machine is out of service", "the machine was out of service")
# MachineryOperationMode, likewise.
_PURPOSES: Mapping[object, Doubt] = {
    5025: Doubt("the machine is in maintenance", "the machine was in maintenance"),
    5027: Doubt("the machine is being set up", "the machine was being set up"),
}
_WARM_UP = Doubt("the machine warms up", "the machine was warming up")
# ChannelState and ChannelMode.
_STATE_OF_ONE = f"/{CHANNEL_STATE}"
_CHANNEL_PHASES: Mapping[object, Phase] = {0: Phase.RUNNING, 1: Phase.HELD}
_CHANNEL_MODES: Mapping[object, str] = {
    1: "in MDI",
    2: "in manual mode",
    3: "in manual mode",
    4: "in teaching mode",
    6: "in reference mode",
}
_MODIFIERS: Mapping[str, Doubt] = {
    "dry_run": Doubt("dry run is on", "dry run was on"),
    "test": Doubt("test mode is on", "test mode was on"),
    "single": Doubt("single block is on", "single block was on"),
}


def channel_value(channel: str, name: str) -> str:
    """What one value of a channel is called."""
    return f"{channel}/{name}"


@dataclass(frozen=True, slots=True)
class Value:
    """What one of WATCHED, or of CHANNEL after a channel's name, holds; None for nothing, or
    nothing good."""

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
        self._mode_known = False  # that it has one
        self._alerts: dict[str, str] = {}

    def take(self, news: Value | Alert) -> bool:
        """Whether that changed anything that `report` tells."""
        if isinstance(news, Value):
            before = self._values.get(news.name)
            self._values[news.name] = news.value
            self._mode_known |= news.name == "mode" and _whole(news.value) is not None
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
        phase, words, programs = self._phase()
        program = self._values.get("program")
        parts = self._values.get("parts")
        override = self._values.get("override")
        return Report(
            phase,
            words,
            alarm="; ".join(self._alerts.values()),
            mode=self._mode(),
            doubts=self._doubts() if phase in IN_PROGRAM else (),
            programs=programs,
            figures=Status(
                Doing.UNREACHABLE,
                program=program if isinstance(program, str) else "",
                parts=_whole(parts),
                feed_override=_share(override),
            ),
        )

    def _phase(self) -> tuple[Phase, str, tuple[str, ...]]:
        """With the names of the programs, where that of the active program is not the one."""
        number = _whole(self._values.get(STATE))
        if self._values.get("item") == _NOT_AVAILABLE:
            words = "the server answers, but says that the machine is not available"
            return Phase.UNKNOWN, words, ()
        nothing = (Phase.UNKNOWN, "the server answers, but it has no word from the machine")
        phase, words = _PHASES.get(number, nothing)
        if phase in (Phase.IDLE, Phase.COMPLETED, Phase.ABORTED):
            for channel in self._channels():
                goes_on = self._channel_phase(channel)
                if goes_on is not None:
                    return goes_on, f"channel {channel}: {goes_on}", ("",)
        return phase, words, ()

    def _channels(self) -> list[str]:
        return [name.rpartition("/")[0] for name in self._values if name.endswith(_STATE_OF_ONE)]

    def _channel_phase(self, channel: str) -> Phase | None:
        """Whether its program runs or is held; what is moved by hand is not a program."""
        if self._of(channel, "mode") in _CHANNEL_MODES:
            return None
        return _CHANNEL_PHASES.get(self._of(channel, CHANNEL_STATE))

    def _of(self, channel: str, name: str) -> int | None:
        return _whole(self._values.get(channel_value(channel, name)))

    def _doubts(self) -> tuple[Doubt, ...]:
        """Why what runs now may make no part."""
        mode = _whole(self._values.get("mode"))
        found: list[Doubt | None] = []
        if mode in _MODES:
            found.append(_by_hand(_MODES[mode]))
        elif self._mode_known and mode not in _AUTOMATIC:
            found.append(_NO_MODE if mode is None else _OTHER)
        if self._values.get("item") == _OUT_OF_SERVICE:
            found.append(_IDLE_SERVICE)
        found.append(_PURPOSES.get(_whole(self._values.get("purpose"))))
        found.append(_WARM_UP if self._values.get("warm_up") is True else None)
        for channel in self._channels():
            if self._of(channel, CHANNEL_STATE) in _CHANNEL_PHASES:
                found.extend(self._channel_doubts(channel))
        return tuple(dict.fromkeys(doubt for doubt in found if doubt is not None))

    def _channel_doubts(self, channel: str) -> list[Doubt]:
        mode = self._of(channel, "mode")
        found = [_by_hand(_CHANNEL_MODES[mode])] if mode in _CHANNEL_MODES else []
        for name, doubt in _MODIFIERS.items():
            if self._values.get(channel_value(channel, name)) is True:
                found.append(doubt)
        return found

    def _mode(self) -> str:
        if self._values.get("item") == _OUT_OF_SERVICE:
            return "out of service"
        return _MODES.get(_whole(self._values.get("mode")), "")


def _by_hand(words: str) -> Doubt:
    return Doubt(f"the machine is {words}", f"ran {words}", by_hand=True)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _share(percent: object) -> float | None:
    if isinstance(percent, int | float) and isfinite(percent):
        return percent / 100
    return None
