"""What a machine that only reports says of itself at one moment.

Nothing here knows a protocol: a driver turns what it hears into `Report`s, and a `Part` (see
`proof`) draws the conclusions.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from cnc_station.engine.views import Doing, Status


class Phase(StrEnum):
    """Where a machine is in a program, in words that the protocols share."""

    IDLE = "idle"  # ready for a program
    RUNNING = "running"
    HELD = "held"  # stopped in a program that can go on
    STOPPED = "stopped"  # ended before its end, not reset yet
    ABORTED = "aborted"  # ended before its end, and done with
    COMPLETED = "completed"
    UNKNOWN = "unknown"  # whoever answers does not know


IN_PROGRAM = (Phase.RUNNING, Phase.HELD)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A mode in which a machine may make no part although its program runs to the end.

    `now` are its words while it lasts, `then` afterwards. `by_hand`: what runs in this mode is not
    the selected program, or not a program at all.
    """

    now: str
    then: str
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a machine says at one moment.

    `words` are its own for the phase, `alarm` those of what is wrong ("" for nothing), `mode` why
    no program could be started now ("" if one could), `doubts` why what runs now may make no part.
    `programs` are the names on all paths of a machine with several: those that run, or those that
    have just been completed. `figures` holds the rest: program, part counter, position; what it
    does is filled in here.
    """

    phase: Phase
    words: str = ""
    alarm: str = ""
    mode: str = ""
    doubts: tuple[Doubt, ...] = ()
    programs: tuple[str, ...] = ()
    figures: Status = field(default_factory=lambda: Status(Doing.UNREACHABLE))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the programs it is about."""
        return self.programs or (self.figures.program,)

    @property
    def by_hand(self) -> Doubt | None:
        """Why what runs now is not a program, if it is not."""
        return next((doubt for doubt in self.doubts if doubt.by_hand), None)

    def status(self) -> Status:
        """As people and the rest of the station see it."""
        doing, why, remedy = self._doing()
        return replace(self.figures, doing=doing, why=why, remedy=remedy)

    def _doing(self) -> tuple[Doing, str, str]:
        if self.alarm and self.phase not in (Phase.UNKNOWN, Phase.RUNNING):
            return Doing.ALARM, self.alarm, "Clear it at the machine's panel."
        match self.phase:
            case Phase.UNKNOWN:
                said = (Doing.UNREACHABLE, self.words, "Switch the machine on, or see to its line.")
            case Phase.RUNNING:
                said = (Doing.RUNNING, self.alarm, "")
            case Phase.HELD:
                said = (Doing.HELD, self.words, "Go on at the machine's panel when it may.")
            case Phase.STOPPED:
                said = (Doing.NOT_READY, self.words, "Reset it, or go on, at the machine's panel.")
            case Phase.IDLE | Phase.COMPLETED | Phase.ABORTED if self.mode:
                said = (Doing.NOT_READY, self.mode, "Put it into automatic mode at its panel.")
            case Phase.IDLE | Phase.COMPLETED | Phase.ABORTED:
                said = (Doing.READY, "", "")
        return said
