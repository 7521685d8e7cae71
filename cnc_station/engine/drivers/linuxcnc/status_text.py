"""Convert a snapshot to the `Status` of all drivers."""

from cnc_station.engine.domain.machine import Position
from cnc_station.engine.drivers.linuxcnc.run_monitor import HARMLESS
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, PAUSED, RUNNING, Snapshot
from cnc_station.engine.views import Doing, Status

TAKEN = (
    "another session has taken control of the controller",
    "Check that no other program commands the machine",
)
DOUBTED = "check that the machine and its work zero are the right ones, then confirm the work zero"
G92_OFF = "Cancel it with G92.1 at the machine's panel"


def status_of(
    now: Snapshot,
    messages: "ControllerMessages",
    position: Position | None,
    *,
    stop: str,
    taken: bool,
    turns: bool | None,
) -> Status:
    """Return the status. `stop`: why the program itself stops here. `taken`: another session took
    control. `turns`: the spindle turns by the program, for a controller that must not be asked."""
    held = "held" if messages.held_by_us else stop
    doing, why, remedy = _doing(now, messages, held, position, taken=taken)
    moving = doing is Doing.RUNNING
    turns = turns if now.turns is None else now.turns
    rpm = None if turns is None else now.speed * (now.spindle_override or 1.0) if turns else 0.0
    return Status(
        doing,
        why,
        remedy,
        program=now.program,
        line=now.line if now.state != IDLE else None,
        x=now.place[0],
        y=now.place[1],
        z=now.place[2] if now.z_is_work else None,
        feed_mm_min=now.feed * (now.feed_override or 0.0) if moving else 0.0,
        spindle_rpm=rpm,
        tool=now.tool,
        feed_override=now.feed_override,
        spindle_override=now.spindle_override,
        position=position,
    )


def _doing(
    now: Snapshot,
    messages: "ControllerMessages",
    held: str,
    position: Position | None,
    *,
    taken: bool,
) -> tuple[Doing, str, str]:
    if now.estop:
        remedy = "Check that the machine is safe, release its emergency stop, then unlock it"
        return Doing.ALARM, messages.error or "emergency stop", remedy
    if now.on and now.state == PAUSED:
        why = ": ".join(part for part in (held or "held at the machine", messages.message) if part)
        return Doing.HELD, why, "Resume it when it is safe"
    if now.on and now.state != IDLE:
        return Doing.RUNNING, messages.message, ""
    why, remedy = _obstacle(now, messages.error, position) or _still_on(now, messages.left_on)
    if not why and taken:
        why, remedy = TAKEN
    return (Doing.NOT_READY, why, remedy) if why else (Doing.READY, messages.message, "")


def _obstacle(now: Snapshot, texts: str, position: Position | None) -> tuple[str, str] | None:
    if not now.on:
        return texts or "the machine is off", "Switch the machine on at its panel"
    if not now.homed:
        return "not homed", "Home the machine at its panel"
    if position is not None and not position.known:
        return position.reason, f"{G92_OFF}, or {DOUBTED}" if now.g92 else DOUBTED.capitalize()
    if now.mode != "AUTO":
        return f"in {now.mode} mode", "Switch the machine to AUTO at its panel"
    return None


def _still_on(now: Snapshot, left_on: tuple[str, ...]) -> tuple[str, str]:
    """Return what is still on, as the controller reports it, otherwise as the program left it."""
    turns = "spindle" in left_on if now.turns is None else now.turns
    if turns:
        speed = f" ({now.speed:g} rpm)" if now.speed else ""
        return f"the spindle turns{speed}", "Stop the spindle at the machine's panel"
    if now.coolant:
        return "the coolant is on", "Switch the coolant off at the machine's panel"
    return "", ""


class ControllerMessages:
    """The messages that apply now. `errors` are new since the last command. `held_by_us`: the hold
    was requested here. `left_on` is what the last program left on, until it is stopped."""

    def __init__(self) -> None:
        self.left_on: tuple[str, ...] = ()
        self.errors: list[str] = []
        self.held_by_us = False
        self.error = ""  # the last one, while the machine is off or stopped
        self.message = ""  # the last message to the operator, until the program continues
        self._paused = False

    def take(self, now: Snapshot) -> None:
        self.errors += now.errors
        if errors := [error for error in now.errors if not HARMLESS.search(error)]:
            self.error = errors[0]
        elif now.on and not now.estop:
            self.error = ""
        if not now.on or now.estop:  # this stops the spindle and the coolant; a mode does not
            self.left_on = ()
        if now.state != PAUSED:
            self.message = "" if self._paused and now.state == RUNNING else self.message
            self.held_by_us = False
        self._paused = now.state == PAUSED
        self.message = now.message or self.message

    def forget(self) -> None:
        self.errors.clear()
        self.message = ""

    def why_off(self) -> str:
        return self.error or "the machine does not switch on"
