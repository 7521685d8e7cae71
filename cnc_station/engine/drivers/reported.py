"""One report of a read-only machine, independent of the protocol: a driver converts what it
receives into `Report`s, and a `Part` (see `proof`) draws the conclusions."""

import logging
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cnc_station.engine.views import Doing, Status


class Phase(StrEnum):
    """The state of a machine in its program, in terms that the protocols share."""

    IDLE = "idle"  # ready for a program
    RUNNING = "running"
    HELD = "held"  # stopped in a program that can be resumed
    STOPPED = "stopped"  # ended before its end, not reset yet
    ABORTED = "aborted"  # ended before its end, and reset
    COMPLETED = "completed"
    UNKNOWN = "unknown"  # the server does not know


log = logging.getLogger(__name__)

MOST_PARTS = 10**9
IN_PROGRAM = (Phase.RUNNING, Phase.HELD)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A mode in which a machine may make no part although its program runs to the end. `now`
    describes it while it lasts, `then` afterwards. `by_hand`: what runs in this mode is not the
    selected program, or not a program."""

    now: str
    then: str
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a machine reports at one moment. `words` is its text for the phase, `alarm` for its
    fault, `mode` why no program can start now ("" for none). `doubts` state why the running program
    may make no part. `programs` are the names on all paths of a machine with several. `figures`
    holds program, part counter and position."""

    phase: Phase
    words: str = ""
    alarm: str = ""
    mode: str = ""
    doubts: tuple[Doubt, ...] = ()
    programs: tuple[str, ...] = ()
    figures: Status = field(default_factory=lambda: Status(Doing.UNREACHABLE))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the programs that the report is about."""
        return self.programs or (self.figures.program,)

    @property
    def by_hand(self) -> Doubt | None:
        """Why what runs now is not a program; None if it is."""
        return next((doubt for doubt in self.doubts if doubt.by_hand), None)

    def status(self) -> Status:
        """Return the status for people and for the rest of the station."""
        doing, why, remedy = self._doing()
        return replace(self.figures, doing=doing, why=why, remedy=remedy)

    def _doing(self) -> tuple[Doing, str, str]:
        if self.alarm and self.phase not in (Phase.UNKNOWN, Phase.RUNNING):
            return Doing.ALARM, self.alarm, "Clear it at the machine's panel."
        match self.phase:
            case Phase.UNKNOWN:
                result = (
                    Doing.UNREACHABLE,
                    self.words,
                    "Switch the machine on, or check its connection.",
                )
            case Phase.RUNNING:
                result = (Doing.RUNNING, self.alarm, "")
            case Phase.HELD:
                result = (Doing.HELD, self.words, "Resume it at the machine's panel.")
            case Phase.STOPPED:
                result = (Doing.NOT_READY, self.words, "Reset or resume it at the machine's panel.")
            case Phase.IDLE | Phase.COMPLETED | Phase.ABORTED if self.mode:
                result = (Doing.NOT_READY, self.mode, "Switch it to automatic mode at its panel.")
            case Phase.IDLE | Phase.COMPLETED | Phase.ABORTED:
                result = (Doing.READY, "", "")
        return result


class PartCounter:
    """Reads the part counter of one machine. A value that can't be a count is ignored; the log
    names the first of several."""

    def __init__(self) -> None:
        self._ignores = False

    def read(self, value: float | None) -> int | None:
        """Return the count; None if the machine reports none that can be true."""
        if value is None or 0 <= value <= MOST_PARTS:
            self._ignores = False
            return None if value is None else int(value)
        if not self._ignores:
            shown = f"{value:.10g}" if abs(value) < 1e300 else "of too many digits"
            log.warning("ignored part count %s: it must be from 0 to %d", shown, MOST_PARTS)
        self._ignores = True
        return None
