"""The look of every state: icon, word and tone, in one table."""

from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from cnc_station.engine.domain.schedule import FiringState
from cnc_station.engine.domain.states import JobState, MachineState, RunState
from cnc_station.engine.views import Doing, Presence
from cnc_station.engine.views.webhooks import DeliveryState
from cnc_station.ui.theme import Tone


@dataclass(frozen=True, slots=True)
class StateLook:
    """`icon` names a drawing under icons/state; `english` is the untranslated word."""

    icon: str
    english: str
    tone: Tone

    @property
    def word(self) -> str:
        return QCoreApplication.translate("State", self.english)


def _look(icon: str, english: object, tone: Tone = Tone.NORMAL) -> StateLook:
    return StateLook(f"state/{icon}", str(english), tone)


JOB_LOOKS = {
    JobState.DRAFT: _look("draft", QT_TRANSLATE_NOOP("State", "Draft")),
    JobState.QUEUED: _look("waiting", QT_TRANSLATE_NOOP("State", "Waiting")),
    JobState.DELAYED: _look("delayed", QT_TRANSLATE_NOOP("State", "Delayed")),
    JobState.PAUSED: _look("paused", QT_TRANSLATE_NOOP("State", "Paused")),
    JobState.ASSIGNED: _look("assigned", QT_TRANSLATE_NOOP("State", "Assigned")),
    JobState.RUNNING: _look("running", QT_TRANSLATE_NOOP("State", "Running"), Tone.RUNNING),
    JobState.HELD: _look("held", QT_TRANSLATE_NOOP("State", "Held"), Tone.HELD),
    JobState.INTERRUPTED: _look("alarm", QT_TRANSLATE_NOOP("State", "Interrupted"), Tone.ALARM),
    JobState.COMPLETED: _look("done", QT_TRANSLATE_NOOP("State", "Completed")),
    JobState.CANCELLED: _look("cancelled", QT_TRANSLATE_NOOP("State", "Cancelled")),
    JobState.NEEDS_ATTENTION: _look(
        "failed", QT_TRANSLATE_NOOP("State", "Needs attention"), Tone.ALARM
    ),
}
RUN_LOOKS = {
    RunState.ASSIGNED: _look("assigned", QT_TRANSLATE_NOOP("State", "Assigned")),
    RunState.RUNNING: _look("running", QT_TRANSLATE_NOOP("State", "Running"), Tone.RUNNING),
    RunState.HELD: _look("held", QT_TRANSLATE_NOOP("State", "Held"), Tone.HELD),
    RunState.SUCCEEDED: _look("done", QT_TRANSLATE_NOOP("State", "Succeeded")),
    RunState.FAILED: _look("failed", QT_TRANSLATE_NOOP("State", "Failed"), Tone.ALARM),
    RunState.CANCELLED: _look("cancelled", QT_TRANSLATE_NOOP("State", "Cancelled")),
    RunState.INTERRUPTED: _look("alarm", QT_TRANSLATE_NOOP("State", "Interrupted"), Tone.ALARM),
}
MACHINE_LOOKS = {
    MachineState.OFFLINE: _look("offline", QT_TRANSLATE_NOOP("State", "Not reachable")),
    MachineState.IDLE: _look("waiting", QT_TRANSLATE_NOOP("State", "Idle")),
    MachineState.ASSIGNED: _look("assigned", QT_TRANSLATE_NOOP("State", "Assigned")),
    MachineState.RUNNING: _look("running", QT_TRANSLATE_NOOP("State", "Running"), Tone.RUNNING),
    MachineState.HELD: _look("held", QT_TRANSLATE_NOOP("State", "Held"), Tone.HELD),
    MachineState.ALARM: _look("alarm", QT_TRANSLATE_NOOP("State", "Alarm"), Tone.ALARM),
    MachineState.NEEDS_CLEARING: _look(
        "operator", QT_TRANSLATE_NOOP("State", "Unload"), Tone.OPERATOR
    ),
    MachineState.MAINTENANCE: _look("maintenance", QT_TRANSLATE_NOOP("State", "Maintenance")),
}
STATION_LOOKS = {
    Presence.HERE: _look("operator", QT_TRANSLATE_NOOP("State", "This PC")),
    Presence.CONNECTED: _look("done", QT_TRANSLATE_NOOP("State", "Connected")),
    Presence.SILENT: _look("alarm", QT_TRANSLATE_NOOP("State", "Not responding"), Tone.ALARM),
    Presence.LEFT: _look("offline", QT_TRANSLATE_NOOP("State", "Left")),
}
FIRING_LOOKS = {
    FiringState.FIRED: _look("done", QT_TRANSLATE_NOOP("State", "Job made")),
    FiringState.WAITING: _look("delayed", QT_TRANSLATE_NOOP("State", "Waits for a job")),
    FiringState.SKIPPED: _look("cancelled", QT_TRANSLATE_NOOP("State", "Skipped"), Tone.HELD),
    FiringState.MISSED: _look("cancelled", QT_TRANSLATE_NOOP("State", "Missed"), Tone.HELD),
    FiringState.FAILED: _look("failed", QT_TRANSLATE_NOOP("State", "No job made"), Tone.ALARM),
}
DELIVERY_LOOKS = {
    DeliveryState.PENDING: _look("waiting", QT_TRANSLATE_NOOP("State", "Waiting")),
    DeliveryState.DELIVERED: _look("done", QT_TRANSLATE_NOOP("State", "Delivered")),
    DeliveryState.DEAD: _look("failed", QT_TRANSLATE_NOOP("State", "Dead"), Tone.ALARM),
}
ENDPOINT_ON = _look("done", QT_TRANSLATE_NOOP("State", "On"))
ENDPOINT_OFF = _look("paused", QT_TRANSLATE_NOOP("State", "Off"))
ENDPOINT_DISABLED = _look("alarm", QT_TRANSLATE_NOOP("State", "Disabled"), Tone.ALARM)
SCHEDULE_ACTIVE = _look("delayed", QT_TRANSLATE_NOOP("State", "Active"))
SCHEDULE_OVER = _look("done", QT_TRANSLATE_NOOP("State", "Over"))
NOT_REACHABLE = _look("offline", QT_TRANSLATE_NOOP("State", "Not reachable"), Tone.HELD)
STATION_CLOSED = _look("offline", QT_TRANSLATE_NOOP("State", "Station closed"))
CONNECTING = _look("offline", QT_TRANSLATE_NOOP("State", "Connecting"))
NOT_READY = _look("not_ready", QT_TRANSLATE_NOOP("State", "Not ready"), Tone.HELD)
SET_UP = _look("operator", QT_TRANSLATE_NOOP("State", "Set up"), Tone.OPERATOR)
DOING_LOOKS = {
    Doing.READY: _look("done", QT_TRANSLATE_NOOP("State", "Ready")),
    Doing.RUNNING: _look("running", QT_TRANSLATE_NOOP("State", "Running"), Tone.RUNNING),
    Doing.HELD: _look("held", QT_TRANSLATE_NOOP("State", "Held"), Tone.HELD),
    Doing.NOT_READY: NOT_READY,
    Doing.ALARM: _look("alarm", QT_TRANSLATE_NOOP("State", "Alarm"), Tone.ALARM),
    Doing.UNREACHABLE: NOT_REACHABLE,
}
RETRY = _look("retry", QT_TRANSLATE_NOOP("State", "Retry"), Tone.HELD)
"""A delayed job that waits for its retry after a failure."""


def look_of(state: JobState | RunState | MachineState | Presence | Doing) -> StateLook:
    """The look of any state, by its type first: the enums share words."""
    if isinstance(state, JobState):
        return JOB_LOOKS[state]
    if isinstance(state, RunState):
        return RUN_LOOKS[state]
    if isinstance(state, Presence):
        return STATION_LOOKS[state]
    if isinstance(state, Doing):
        return DOING_LOOKS[state]
    return MACHINE_LOOKS[state]
