"""Convert a snapshot to the `Status` of all drivers."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Words:
    """The texts for a status. `error` is the last error, `message` the last message to the
    operator, `held` why it is held if known. `left_on` is what the last program left on, by its
    name."""

    error: str = ""
    message: str = ""
    held: str = ""
    left_on: tuple[str, ...] = ()


def status_of(
    now: Snapshot, words: Words, position: Position | None, *, taken: bool, turns: bool | None
) -> Status:
    """Return the status. `taken`: another session has lately taken control. `turns`: the spindle
    turns according to the program, for a controller that must not be asked."""
    doing, why, remedy = _doing(now, words, position, taken=taken)
    moving = doing is Doing.RUNNING
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
        spindle_rpm=_rpm(now, turns if now.turns is None else now.turns),
        tool=now.tool,
        feed_override=now.feed_override,
        spindle_override=now.spindle_override,
        position=position,
    )


def _rpm(now: Snapshot, turns: bool | None) -> float | None:
    if turns is None:
        return None
    return now.speed * (now.spindle_override or 1.0) if turns else 0.0


def _doing(
    now: Snapshot, words: Words, position: Position | None, *, taken: bool
) -> tuple[Doing, str, str]:
    if now.estop:
        remedy = "Check that the machine is safe, release its emergency stop, then unlock it"
        return Doing.ALARM, words.error or "emergency stop", remedy
    if now.on and now.state == PAUSED:
        why = ": ".join(
            part for part in (words.held or "held at the machine", words.message) if part
        )
        return Doing.HELD, why, "Resume it when it is safe"
    if now.on and now.state != IDLE:
        return Doing.RUNNING, words.message, ""
    why, remedy = _obstacle(now, words.error, position) or _still_on(now, words.left_on)
    if not why and taken:
        why, remedy = TAKEN
    return (Doing.NOT_READY, why, remedy) if why else (Doing.READY, words.message, "")


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
    """The messages that apply now. `errors` are those since the last command. `held_by_us` is
    whether the present hold was requested here. `left_on` is what the last program left on, until
    it is stopped."""

    def __init__(self) -> None:
        self.left_on: tuple[str, ...] = ()
        self.errors: list[str] = []
        self.held_by_us = False
        self._error = ""  # the last one, while the machine is off or stopped
        self._message = ""  # the last message to the operator, until the program continues
        self._paused = False

    def take(self, now: Snapshot) -> None:
        self.errors += now.errors
        if errors := [error for error in now.errors if not HARMLESS.search(error)]:
            self._error = errors[0]
        elif now.on and not now.estop:
            self._error = ""
        if not now.on or now.estop:  # this stops the spindle and the coolant; a mode does not
            self.left_on = ()
        if now.state != PAUSED:
            self._message = "" if self._paused and now.state == RUNNING else self._message
            self.held_by_us = False
        self._paused = now.state == PAUSED
        self._message = now.message or self._message

    def forget(self) -> None:
        self.errors.clear()
        self._message = ""

    def why_off(self) -> str:
        return self._error or "the machine does not switch on"

    def words(self, stop: str) -> Words:
        """Return all messages; `stop` is why the program itself would stop here."""
        held = "held" if self.held_by_us else stop
        return Words(self._error, self._message, held, self.left_on)

    def note(self, message: str) -> None:
        """Show this to the operator like a message of the controller."""
        self._message = message
