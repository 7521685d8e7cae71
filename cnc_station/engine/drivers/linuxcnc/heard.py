"""What a controller has said to people lately, as far as it still counts."""

from cnc_station.engine.drivers.linuxcnc.run_monitor import HARMLESS
from cnc_station.engine.drivers.linuxcnc.snapshot import PAUSED, RUNNING, Snapshot
from cnc_station.engine.drivers.linuxcnc.status_text import Words


class Heard:
    """`errors` are those since a command; `held_by_us` whether a hold is one that was asked for
    here. `left_on` is what the last program has left on, until it is seen or made to stop."""

    def __init__(self) -> None:
        self.left_on: tuple[str, ...] = ()
        self.errors: list[str] = []
        self.held_by_us = False
        self._error = ""  # the last one, while the machine is off or stopped
        self._message = ""  # the last one to the operator, until that goes on
        self._paused = False

    def take(self, now: Snapshot) -> None:
        """What is new."""
        self.errors += now.errors
        if errors := [error for error in now.errors if not HARMLESS.search(error)]:
            self._error = errors[0]
        elif now.on and not now.estop:
            self._error = ""
        if not now.on or now.estop:  # which stops the spindle and the coolant; a mode does not
            self.left_on = ()
        if now.state != PAUSED:
            self._message = "" if self._paused and now.state == RUNNING else self._message
            self.held_by_us = False
        self._paused = now.state == PAUSED
        self._message = now.message or self._message

    def forget(self) -> None:
        """Before a program is opened or started: what was said is not of it."""
        self.errors.clear()
        self._message = ""

    def why_off(self) -> str:
        """Why the machine does not switch on."""
        return self._error or "the machine does not switch on"

    def words(self, stop: str) -> Words:
        """All of it; `stop` is why the program itself would stop where it is."""
        held = "held" if self.held_by_us else stop
        return Words(self._error, self._message, held, self.left_on)

    def note(self, message: str) -> None:
        """To be shown to the operator as a message of the controller's would be."""
        self._message = message
