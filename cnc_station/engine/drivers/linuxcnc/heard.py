"""The latest messages of a controller, as far as they still apply."""

from cnc_station.engine.drivers.linuxcnc.run_monitor import HARMLESS
from cnc_station.engine.drivers.linuxcnc.snapshot import PAUSED, RUNNING, Snapshot
from cnc_station.engine.drivers.linuxcnc.status_text import Words


class ControllerMessages:
    """The messages that apply now.

    `errors` are those since the last command. `held_by_us` is whether the present hold was
    requested here. `left_on` is what the last program left on, until it is stopped.
    """

    def __init__(self) -> None:
        self.left_on: tuple[str, ...] = ()
        self.errors: list[str] = []
        self.held_by_us = False
        self._error = ""  # the last one, while the machine is off or stopped
        self._message = ""  # the last message to the operator, until the program continues
        self._paused = False

    def take(self, now: Snapshot) -> None:
        """Take over the messages of a snapshot."""
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
        """Forget all messages, before a program is opened or started."""
        self.errors.clear()
        self._message = ""

    def why_off(self) -> str:
        """Return why the machine does not switch on."""
        return self._error or "the machine does not switch on"

    def words(self, stop: str) -> Words:
        """Return all messages; `stop` is why the program itself would stop here."""
        held = "held" if self.held_by_us else stop
        return Words(self._error, self._message, held, self.left_on)

    def note(self, message: str) -> None:
        """Show this to the operator like a message of the controller."""
        self._message = message
