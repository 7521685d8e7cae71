"""Convert the state of a controller to the `Status` of all drivers."""

from cnc_station.engine.domain.machine import Position
from cnc_station.engine.drivers.grbl import meanings
from cnc_station.engine.drivers.grbl.job import Job
from cnc_station.engine.drivers.grbl.reports import Picture
from cnc_station.engine.views import Doing, Status

_HOME = "Home the machine, or check its work zero and confirm it."
_LET_END = "Wait until it ends, or stop it at the machine."
_GIVE_UP = (
    "Resume or reset the controller at the machine. A reset discards the rest of its program."
)
_STOP_SPINDLE = "Stop the spindle at the machine."
_READY = (Doing.READY, "", "")
_OTHERWISE: dict[str, tuple[Doing, str, str]] = {
    "Run": (Doing.RUNNING, "it runs a program that this station did not start", _LET_END),
    "Hold": (Doing.HELD, "it is held in a program that this station did not start", _GIVE_UP),
    "Tool": (
        Doing.HELD,
        "it waits for a tool change",
        "Change the tool and confirm it at the machine.",
    ),
    "Home": (Doing.NOT_READY, "it is homing", "Wait until homing is complete."),
    "Jog": (Doing.NOT_READY, "it is being jogged", "Wait until jogging ends."),
    "Check": (Doing.NOT_READY, "it is in check mode", "Leave check mode ($C)."),
    "Sleep": (Doing.NOT_READY, "it is asleep", "Reset the controller."),
}


def status(picture: Picture, job: Job | None, *, message: str, position: Position | None) -> Status:
    """Return what the controller reports, and whether a program can be started."""
    doing, why, remedy = _doing(picture, job if job is not None and job.live else None, message)
    if doing is Doing.READY and position is not None and not position.known:
        doing, why, remedy = Doing.NOT_READY, position.reason, _HOME
    elif doing is Doing.READY and picture.report.spindle:
        why = f"its spindle turns ({picture.report.spindle:g} rpm)"
        doing, remedy = Doing.NOT_READY, _STOP_SPINDLE
    place = picture.place or (None, None, None)
    feed, rapid, spindle = picture.overrides or (None, None, None)
    line = job.line(picture) if job is not None and job.live else None
    return Status(
        doing,
        why=why,
        remedy=remedy,
        program=job.order.name if job is not None else "",
        line=line,
        fraction=job.fraction(line) if job is not None else None,
        x=place[0],
        y=place[1],
        z=place[2],
        feed_mm_min=picture.feed,
        spindle_rpm=picture.report.spindle,
        tool=picture.report.tool,
        feed_override=feed,
        rapid_override=rapid,
        spindle_override=spindle,
        position=position,
    )


def _doing(picture: Picture, job: Job | None, message: str) -> tuple[Doing, str, str]:
    report = picture.report
    if report.state == "Alarm":
        return Doing.ALARM, alarm(picture, message), _after(picture.alarm)
    if job is not None and job.stopping:
        return job.shown, "it is being stopped", ""
    if report.state == "Door":
        doing = Doing.NOT_READY if job is None else Doing.HELD
        return doing, f"{report.spelled}: the safety door", "Close the door, then resume."
    if job is not None and report.state in ("Hold", "Tool"):
        return Doing.HELD, *_held(job, report.state, message)
    if report.state == "Idle" or (job is not None and report.state == "Run"):
        return _READY if job is None else (Doing.RUNNING, "", "")
    doing, why, remedy = _OTHERWISE[report.state]
    return doing, f"{report.spelled}: {why}", remedy


def _held(job: Job, state: str, message: str) -> tuple[str, str]:
    note = f" ({message})" if message else ""
    if job.waits_at:
        return f"{job.waits_at}{note}", "Do what the program waits for, then resume."
    if state == "Tool":
        return f"it waits for a tool change{note}", "Change the tool, then resume."
    if job.held_here:
        return "feed hold", "Resume the job."
    return f"feed hold at the controller{note}", "Resume the job."


def alarm(picture: Picture, message: str) -> str:
    """Return the alarm in words."""
    if picture.alarm is not None:
        return meanings.alarm(picture.alarm)
    return f"Alarm: it is locked{f' ({message})' if message else ''}"


def _after(code: int | None) -> str:
    if code in meanings.AT_THE_MACHINE:
        return "Clear the cause at the machine, then unlock."
    return "Unlock, then home the machine: its position is not certain."
