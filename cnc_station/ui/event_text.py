"""Events as text: what happened, who and why, and whether it was unusual."""

from textwrap import shorten

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.machine import PositionBasis
from cnc_station.engine.domain.states import JobState
from cnc_station.ui import formatting
from cnc_station.ui.theme import Tone
from cnc_station.ui.widgets.state_look import look_of

# {at} is " on Mill 1" and {to} " to Mill 1", or nothing where no machine was involved.
SENTENCES = {
    "drafted": QT_TRANSLATE_NOOP("Event", "Drafted"),
    "created": QT_TRANSLATE_NOOP("Event", "Created"),
    "submitted": QT_TRANSLATE_NOOP("Event", "Submitted"),
    "deleted": QT_TRANSLATE_NOOP("Event", "Deleted"),
    "released": QT_TRANSLATE_NOOP("Event", "Ready to start"),
    "postponed": QT_TRANSLATE_NOOP("Event", "Postponed"),
    "paused": QT_TRANSLATE_NOOP("Event", "Paused"),
    "resumed": QT_TRANSLATE_NOOP("Event", "Resumed"),
    "expedited": QT_TRANSLATE_NOOP("Event", "Put first in line"),
    "reordered": QT_TRANSLATE_NOOP("Event", "Moved in the queue"),
    "pinned": QT_TRANSLATE_NOOP("Event", "Bound to a machine, or free of it"),
    "edited": QT_TRANSLATE_NOOP("Event", "Changed"),
    "assigned": QT_TRANSLATE_NOOP("Event", "Assigned{to}"),
    "deferred": QT_TRANSLATE_NOOP("Event", "Put aside{at}, not started"),
    "returned": QT_TRANSLATE_NOOP("Event", "Back to the queue, not started{at}"),
    "requeued": QT_TRANSLATE_NOOP("Event", "Back to the queue{at}, nothing was cut"),
    "started": QT_TRANSLATE_NOOP("Event", "Started{at}"),
    "held": QT_TRANSLATE_NOOP("Event", "Held{at}"),
    "continued": QT_TRANSLATE_NOOP("Event", "Continued{at}"),
    "part_done": QT_TRANSLATE_NOOP("Event", "A part is done{at}"),
    "completed": QT_TRANSLATE_NOOP("Event", "Completed{at}"),
    "failed_retry": QT_TRANSLATE_NOOP("Event", "Failed{at}, will be tried again"),
    "failed_final": QT_TRANSLATE_NOOP("Event", "Failed{at} for good"),
    "aborted": QT_TRANSLATE_NOOP("Event", "Aborted{at}"),
    "interrupted": QT_TRANSLATE_NOOP("Event", "Interrupted{at}"),
    "reattached": QT_TRANSLATE_NOOP("Event", "Reattached{at}, it was still running"),
    "inspected": QT_TRANSLATE_NOOP("Event", "Controller asked{at}"),
    "cancelled": QT_TRANSLATE_NOOP("Event", "Cancelled"),
    "restored": QT_TRANSLATE_NOOP("Event", "Cancellation undone"),
    "restored_paused": QT_TRANSLATE_NOOP("Event", "Cancellation undone, paused"),
    "retried": QT_TRANSLATE_NOOP("Event", "Sent to be tried again"),
    "scrapped": QT_TRANSLATE_NOOP("Event", "Part counted as scrap, to be made again"),
    "discarded": QT_TRANSLATE_NOOP("Event", "Discarded"),
    "accepted": QT_TRANSLATE_NOOP("Event", "Part accepted as good"),
    "machine_added": QT_TRANSLATE_NOOP("Event", "Machine added"),
    "machine_edited": QT_TRANSLATE_NOOP("Event", "Machine changed"),
    "machine_removed": QT_TRANSLATE_NOOP("Event", "Machine removed"),
    "connected": QT_TRANSLATE_NOOP("Event", "Connected"),
    "disconnected": QT_TRANSLATE_NOOP("Event", "Disconnected"),
    "cleared": QT_TRANSLATE_NOOP("Event", "Cleared"),
    "readiness_changed": QT_TRANSLATE_NOOP("Event", "Ready"),
    "position_changed": QT_TRANSLATE_NOOP("Event", "Position known"),
    "modes_set": QT_TRANSLATE_NOOP("Event", "Modes set{at}"),
    "alarmed": QT_TRANSLATE_NOOP("Event", "Alarm"),
    "unlocked": QT_TRANSLATE_NOOP("Event", "Unlocked"),
    "maintenance_started": QT_TRANSLATE_NOOP("Event", "Maintenance began"),
    "maintenance_asked": QT_TRANSLATE_NOOP("Event", "Maintenance after this run"),
    "maintenance_ended": QT_TRANSLATE_NOOP("Event", "Maintenance ended"),
    "machine_moved": QT_TRANSLATE_NOOP("Event", "Moved to another station"),
    "lost_returned": QT_TRANSLATE_NOOP("Event", "Back to the queue{at}, its station is silent"),
    "lost_retry": QT_TRANSLATE_NOOP("Event", "Lost with its station{at}, will be tried again"),
    "lost_final": QT_TRANSLATE_NOOP("Event", "Lost with its station{at} for good"),
    "lost_interrupted": QT_TRANSLATE_NOOP("Event", "Interrupted{at}, its station is silent"),
    "file_attached": QT_TRANSLATE_NOOP("Event", "File attached"),
    "file_removed": QT_TRANSLATE_NOOP("Event", "Attachment removed"),
    "first_part_checked": QT_TRANSLATE_NOOP("Event", "First part checked{at}"),
    "set_up_sheet_changed": QT_TRANSLATE_NOOP("Event", "Set-up sheet changed"),
    "program_added": QT_TRANSLATE_NOOP("Event", "Program added"),
    "schedule_created": QT_TRANSLATE_NOOP("Event", "Schedule created"),
    "schedule_edited": QT_TRANSLATE_NOOP("Event", "Schedule changed"),
    "schedule_paused": QT_TRANSLATE_NOOP("Event", "Schedule paused"),
    "schedule_resumed": QT_TRANSLATE_NOOP("Event", "Schedule resumed"),
    "schedule_deleted": QT_TRANSLATE_NOOP("Event", "Schedule deleted"),
    "schedule_triggered": QT_TRANSLATE_NOOP("Event", "Job of a schedule made by hand"),
    "schedule_fired": QT_TRANSLATE_NOOP("Event", "Job of a schedule made"),
    "schedule_waited": QT_TRANSLATE_NOOP("Event", "A schedule waits for its open job"),
    "schedule_skipped": QT_TRANSLATE_NOOP("Event", "A schedule skipped a run"),
    "schedule_missed": QT_TRANSLATE_NOOP("Event", "A schedule missed a run"),
    "schedule_failed": QT_TRANSLATE_NOOP("Event", "A schedule could not make its job"),
    "settings_changed": QT_TRANSLATE_NOOP("Event", "Settings changed"),
    "webhooks_changed": QT_TRANSLATE_NOOP("Event", "Webhooks changed"),
    "accounts_changed": QT_TRANSLATE_NOOP("Event", "Accounts changed"),
    "signed_on": QT_TRANSLATE_NOOP("Event", "Signed on"),
    "signed_off": QT_TRANSLATE_NOOP("Event", "Signed off"),
    "sign_on_refused": QT_TRANSLATE_NOOP("Event", "Sign-on refused"),
    "alert_rules_changed": QT_TRANSLATE_NOOP("Event", "Alert rules changed"),
    "alert_acknowledged": QT_TRANSLATE_NOOP("Event", "Alert acknowledged"),
    "alert_escalated": QT_TRANSLATE_NOOP("Event", "Alert escalated"),
    "alerts_told": QT_TRANSLATE_NOOP("Event", "Alerts shown"),
    "station_joined": QT_TRANSLATE_NOOP("Event", "A station joined"),
    "station_left": QT_TRANSLATE_NOOP("Event", "A station left"),
    "leader_changed": QT_TRANSLATE_NOOP("Event", "Another station leads"),
}
_DELAYED = {
    "created": QT_TRANSLATE_NOOP("Event", "Created, to start later"),
    "submitted": QT_TRANSLATE_NOOP("Event", "Submitted, to start later"),
    "resumed": QT_TRANSLATE_NOOP("Event", "Resumed, to start later"),
    "restored": QT_TRANSLATE_NOOP("Event", "Cancellation undone, to start later"),
    "retried": QT_TRANSLATE_NOOP("Event", "Sent to be tried again later"),
    "scrapped": QT_TRANSLATE_NOOP("Event", "Part counted as scrap, to be made again later"),
}
_TO = QT_TRANSLATE_NOOP("Event", " to {machine}")
_AT = QT_TRANSLATE_NOOP("Event", " on {machine}")
_NO_POSITION = QT_TRANSLATE_NOOP("Event", "Position not known")
_NOT_READY = QT_TRANSLATE_NOOP("Event", "Not ready")
_SET_BY_HAND = QT_TRANSLATE_NOOP("Event", "Set by hand to {state}")
_TIMES = frozenset({"due_at", "not_before"})
_MOST_SHOWN = 40  # characters
_OVERRIDDEN = "overridden_to_"
_TONES = {
    "held": Tone.HELD,
    "failed_retry": Tone.HELD,
    "aborted": Tone.HELD,
    "failed_final": Tone.ALARM,
    "interrupted": Tone.ALARM,
    "lost_retry": Tone.HELD,
    "lost_final": Tone.ALARM,
    "lost_interrupted": Tone.ALARM,
    "alarmed": Tone.ALARM,
    "disconnected": Tone.HELD,
    "alert_escalated": Tone.HELD,
    "schedule_skipped": Tone.HELD,
    "schedule_missed": Tone.HELD,
    "schedule_failed": Tone.ALARM,
}
_SERVICES = frozenset(
    {
        "alerts",
        "dispatcher",
        "leader",
        "reaper",
        "recovery",
        "runner",
        "schedules",
        "stager",
        "station",
    }
)


def _tr(text: object) -> str:
    return QCoreApplication.translate("Event", str(text))


def event_sentence(event: Event, machine: str = "") -> str:
    """What happened, as a short sentence without who and why: "Started on Mill 1". `machine` is the
    name to show; a type that this version does not know is shown as stored."""
    if event.type.startswith(_OVERRIDDEN):
        state = JobState(event.type.removeprefix(_OVERRIDDEN))
        return _tr(_SET_BY_HAND).format(state=look_of(state).word.lower())
    sentence = SENTENCES.get(event.type)
    if event.type == "readiness_changed" and event.reason:
        sentence = _NOT_READY
    if _loses_position(event):
        sentence = _NO_POSITION
    if event.job_state is JobState.DELAYED:
        sentence = _DELAYED.get(event.type, sentence)
    if sentence is None:
        return event.type.replace("_", " ").capitalize()
    at = _tr(_AT).format(machine=machine) if machine else ""
    to = _tr(_TO).format(machine=machine) if machine else ""
    return _tr(sentence).format(at=at, to=to)


def by_and_why(event: Event) -> str:
    """Who did it and why: "Ana · chips in the vice"; the program's own services are left out."""
    who = "" if event.actor in _SERVICES else event.actor
    return " · ".join(part for part in (who, _from_to(event) or event.reason) if part)


def _from_to(event: Event) -> str:
    """What was changed, from what to what: "priority 10 → 50"; "" if the event does not tell."""
    before, after = event.details.get("before"), event.details.get("after")
    if event.type != "edited" or not isinstance(before, dict) or not isinstance(after, dict):
        return ""
    untold = [name for name in event.reason.split(", ") if name and name not in after]
    told = [
        f"{name.replace('_', ' ')} {_shown(name, before.get(name))} → {_shown(name, value)}"
        for name, value in after.items()
    ]
    return ", ".join((*told, *untold))


def _shown(name: str, value: object) -> str:
    if value in (None, "", [], {}):
        return formatting.NONE
    if isinstance(value, int) and name in _TIMES:
        return f"{formatting.local(value):%d %b %H:%M}"
    return shorten(str(value), _MOST_SHOWN, placeholder="…")


def tone_of(event: Event) -> Tone:
    """The colour of the event's mark: NORMAL for routine events."""
    if (event.type == "readiness_changed" and event.reason) or _loses_position(event):
        return Tone.HELD
    return _TONES.get(event.type, Tone.NORMAL)


def _loses_position(event: Event) -> bool:
    return event.type == "position_changed" and event.details.get("basis") == PositionBasis.LOST
