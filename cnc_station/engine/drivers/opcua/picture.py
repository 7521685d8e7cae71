"""The values of a machine tool in OPC 40501-1: their places in the model, and their meaning. Names
are (namespace URI, name): the index of a namespace is different on each server."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.reported import IN_PROGRAM, Doubt, PartCounter, Phase, Report
from cnc_station.engine.views import Doing, Status
from cnc_station.peers.values import number

UA = "http://opcfoundation.org/UA/"
DI = f"{UA}DI/"
MACHINERY = f"{UA}Machinery/"
MACHINE_TOOL = f"{UA}MachineTool/"

Path = tuple[tuple[str, str], ...]
_PROGRAM: Path = ((MACHINE_TOOL, "Production"), (MACHINE_TOOL, "ActiveProgram"))
_MONITORING: Path = ((MACHINE_TOOL, "Monitoring"), (MACHINE_TOOL, "MachineTool"))

# The watched values of a machine. All except the state may be missing.
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
MACHINERY_STATES = frozenset(("item", "purpose"))  # reported by the node of the state
MONITORING: Path = ((MACHINE_TOOL, "Monitoring"),)
# For each NC channel. A node below Monitoring without a channel state is not a channel.
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
_MOST_ALERTS, _MOST_SHOWN = 1_000, 20

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
_AUTOMATIC = (1, 3)  # 3 has manual intervention, but cuts
_OTHER = Doubt("the machine is in a mode without a name", "ran in a mode without a name")
_NO_MODE = Doubt("the machine does not report its mode", "the machine did not report its mode")
# MachineryItemState, by the node of the state.
_OUT_OF_SERVICE, _NOT_AVAILABLE = 5004, 5005
_IDLE_SERVICE = Doubt("the machine is out of service", "the machine was out of service")
# MachineryOperationMode, by the node of the state.
_PURPOSES: Mapping[object, Doubt] = {
    5025: Doubt("the machine is in maintenance", "the machine was in maintenance"),
    5027: Doubt("the machine is being set up", "the machine was being set up"),
}
_WARM_UP = Doubt("the machine is warming up", "the machine was warming up")
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
    """Return the name of one value of a channel."""
    return f"{channel}/{name}"


@dataclass(frozen=True, slots=True)
class Value:
    """One of WATCHED, or `channel/` and one of CHANNEL. None if it is empty or of bad quality."""

    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Alert:
    """An alarm that came, changed or went. `key` identifies it."""

    key: str
    words: str
    code: str
    active: bool


class Picture:
    """The state of a machine, unknown at first. `take` what the server sends, in order."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}
        self._mode_known = False  # the channels that it has
        self._alerts: dict[str, str] = {}
        self._counter = PartCounter()

    def take(self, update: Value | Alert) -> bool:
        """Take a value or an alarm. Return whether it changes the `report`."""
        if isinstance(update, Value):
            before = self._values.get(update.name)
            self._values[update.name] = update.value
            self._mode_known |= update.name == "mode" and _whole(update.value) is not None
            # False equals 0 in Python, but is not a count
            return type(before) is not type(update.value) or before != update.value
        words = update.words or "alarm"
        shown_before = self._alerts.get(update.key)
        if update.active:
            self._alerts[update.key] = f"{words} ({update.code})" if update.code else words
            if len(self._alerts) > _MOST_ALERTS:
                raise Unavailable(f"the server reports more than {_MOST_ALERTS:,} alarms")
        else:
            self._alerts.pop(update.key, None)
        return self._alerts.get(update.key) != shown_before

    def report(self) -> Report:
        phase, words, programs = self._phase()
        program = self._values.get("program")
        return Report(
            phase,
            words,
            alarm="; ".join(islice(self._alerts.values(), _MOST_SHOWN)),
            mode="out of service"
            if self._values.get("item") == _OUT_OF_SERVICE
            else _MODES.get(_whole(self._values.get("mode")), ""),
            doubts=self._doubts() if phase in IN_PROGRAM else (),
            programs=programs,
            figures=Status(
                Doing.UNREACHABLE,
                program=program if isinstance(program, str) else "",
                parts=self._counter.read(_whole(self._values.get("parts"))),
                feed_override=_share(self._values.get("override")),
            ),
        )

    def _phase(self) -> tuple[Phase, str, tuple[str, ...]]:
        """Return the phase, its text, and the names of the programs if not only the active one."""
        state = _whole(self._values.get(STATE))
        if self._values.get("item") == _NOT_AVAILABLE:
            words = "the server answers, but reports that the machine is not available"
            return Phase.UNKNOWN, words, ()
        nothing = (Phase.UNKNOWN, "the server answers, but it has no data from the machine")
        phase, words = _PHASES.get(state, nothing)
        if phase in (Phase.IDLE, Phase.COMPLETED, Phase.ABORTED):
            for channel in self._channels():
                goes_on = _CHANNEL_PHASES.get(self._of(channel, CHANNEL_STATE))
                manual = self._of(channel, "mode") in _CHANNEL_MODES  # this is not a program
                if goes_on is not None and not manual:
                    return goes_on, f"channel {channel}: {goes_on}", ("",)
        return phase, words, ()

    def _channels(self) -> list[str]:
        return [name.rpartition("/")[0] for name in self._values if name.endswith(_STATE_OF_ONE)]

    def _of(self, channel: str, name: str) -> int | None:
        return _whole(self._values.get(channel_value(channel, name)))

    def _doubts(self) -> tuple[Doubt, ...]:
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


def _by_hand(words: str) -> Doubt:
    return Doubt(f"the machine is {words}", f"ran {words}", by_hand=True)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _share(percent: object) -> float | None:
    known = number(percent) if isinstance(percent, int | float) else None
    return None if known is None else known / 100
