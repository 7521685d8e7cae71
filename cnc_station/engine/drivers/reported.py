"""What a machine that only reports says of itself, and what that proves about one part.

Nothing here knows a protocol or waits: a driver turns what it hears into `Report`s, and a `Part`
draws the conclusions. It is strict. What a machine says counts only for the ordered program, by
its name, and only from a begin after the order on; whatever is left open stays open until a person
says.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import PurePosixPath

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


MOST_KEPT = 1_000  # reports after the end of a part, until the next one is ordered
IN_PROGRAM = (Phase.RUNNING, Phase.HELD)


@dataclass(frozen=True, slots=True)
class Report:
    """What a machine says at one moment. `words` are its own for the phase, `alarm` those of what
    is wrong ("" for nothing), `mode` why no program could be started now ("" if one could).
    `figures` holds the rest: program, part counter, position; what it does is filled in here."""

    phase: Phase
    words: str = ""
    alarm: str = ""
    mode: str = ""
    figures: Status = field(default_factory=lambda: Status(Doing.UNREACHABLE))

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


def same_program(ordered: str, reported: str) -> bool:
    """Whether a machine's name for a program is the ordered one's: letter case, folders, and an
    extension that only one of them has make no difference. No name is nobody's."""
    ours, theirs = _file_name(ordered), _file_name(reported)
    if not ours or not theirs:
        return False
    return ours == theirs or ours == _stem(theirs) or _stem(ours) == theirs


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2].strip().casefold()


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


def _gist(report: Report) -> tuple[object, ...]:
    """What a part goes by."""
    return report.phase, report.figures.program, report.figures.parts


class Part:
    """One part that was ordered and that somebody starts at the machine's own panel.

    `settle_s`: how long after a begin or an end the other things a machine reports (name, counter)
    may still come in. `now` is in seconds of any clock that only goes forward.
    """

    def __init__(self, program: str, settle_s: float) -> None:
        self.begun = False
        self.vouched = False  # a person has said that it runs
        self.finished = False
        self.failure = ""  # why it will not be finished
        self.in_alarm = False  # and the machine is still in alarm
        self._program = program
        self._settle_s = settle_s
        self._free = False  # seen without a program since the order: what begins now is new
        self._last = Phase.UNKNOWN
        self._stretch: float | None = None  # since when something runs
        self._left: float | None = None  # when ours stopped without saying how it ended
        self._cut_short = False  # and was held or stopped before
        self._gapless = True
        self.baseline: int | None = None  # of the counter, at its begin
        self._alarm = ""
        self._after: list[tuple[float, Report]] | None = []  # its end; None: not all of it

    @property
    def over(self) -> bool:
        """Nothing that comes can change how it ended."""
        return self.finished or bool(self.failure)

    @property
    def untold(self) -> bool:
        """It has stopped, or was lost from sight, and only a person can say how it ended."""
        return self.begun and not self.over and self._left is not None

    def vouch(self, report: Report, now: float) -> None:
        """A person says that it runs, or will: what runs now is not an earlier run."""
        self.vouched = self._free = True
        self.take_up(report, now)

    def next(self) -> "Part":
        """The next part of the same order: whatever was reported since the end of this one, be it
        a whole further run of the program, counts for it."""
        part = Part(self._program, self._settle_s)
        if self.finished and self._after is not None:
            part._free = True
            for now, report in self._after:
                part.see(report, now)
        return part

    def take_up(self, report: Report, now: float) -> bool:
        """Whether the ordered program runs now; it then counts as this part's."""
        if report.phase not in IN_PROGRAM or not self._is_ours(report):
            return False
        self._last, self._stretch = report.phase, now
        self._begin(report)
        return True

    def missed(self) -> None:
        """Some reports were lost: only if the ordered program still runs can it go on."""
        self._gapless = False
        self._stretch = self._after = None

    def see(self, report: Report, now: float) -> None:
        """The next report, in the order in which they were made."""
        self.wait(now)
        if self.finished:
            self._keep(report, now)
        if self.over or report.phase is Phase.UNKNOWN:
            return
        in_program = report.phase in IN_PROGRAM
        if in_program and self._stretch is None:
            self._stretch = now
        if not self.begun:
            self._expect(report, now)
        elif in_program:
            self._go_on(report, now)
        else:
            self._stop(report, now)
        if not in_program:
            self._stretch = None
        self._last = report.phase

    def wait(self, now: float) -> None:
        """Time has passed. A program that was held or stopped, then reset, and that no counter
        tells of any more, was broken off."""
        left = self.patience(now)
        if left is not None and left <= 0:
            self.failure = "the program was broken off at the machine before its end"
            if self._alarm:
                self.failure += f" (it had said: {self._alarm})"

    def patience(self, now: float) -> float | None:
        """Seconds until `wait` will find something if nothing comes; None for never."""
        if self.over or self._left is None or not self._cut_short:
            return None
        if self._last not in (Phase.IDLE, Phase.ABORTED):
            return None
        return max(self._left + self._settle_s - now, 0.0)

    def _keep(self, report: Report, now: float) -> None:
        if self._after is None:
            return
        if len(self._after) >= MOST_KEPT:
            self._after = None
        elif not self._after or _gist(self._after[-1][1]) != _gist(report):
            self._after.append((now, report))

    def _is_ours(self, report: Report) -> bool:
        return same_program(self._program, report.figures.program)

    def _early(self, now: float) -> bool:
        return self._stretch is not None and now - self._stretch <= self._settle_s

    def _expect(self, report: Report, now: float) -> None:
        if report.phase not in IN_PROGRAM:
            self._free = True
        elif self._free and self._early(now) and self._is_ours(report):
            self._begin(report)

    def _begin(self, report: Report) -> None:
        self.begun, self._gapless, self._left = True, True, None
        self.baseline, self._alarm = report.figures.parts, report.alarm

    def _go_on(self, report: Report, now: float) -> None:
        """Something runs: ours, unless ours was seen to stop or lost from sight."""
        if self._left is not None or not self._gapless:
            if not self._is_ours(report) or not self._early(now):
                self._lose(report, now)
                return
            self._left, self._gapless = None, True
        self._alarm = report.alarm or self._alarm
        counted = report.figures.parts
        if counted is not None and (
            self._early(now)  # the part before may still be counted now
            or self.baseline is None
            or counted < self.baseline  # set back by a person
        ):
            self.baseline = counted

    def _lose(self, report: Report, now: float) -> None:
        if self._cut_short and report.figures.program:
            self.failure = f"another program was started before its end: {report.figures.program}"
        elif self._left is None:
            self._left = now

    def _stop(self, report: Report, now: float) -> None:
        """Nothing runs: finished, if that was said, or counted, while it was in sight."""
        just_now = self._left is None or now - self._left <= self._settle_s
        if self._gapless and just_now and self._proves(report):
            self.finished = True
            return
        if self._left is None:
            self._left = now
            self._cut_short = self._gapless and self._last is Phase.HELD
        elif self._last is Phase.STOPPED and report.phase is Phase.IDLE:
            self._left = now  # reset only now
        broken_off = report.phase in (Phase.STOPPED, Phase.ABORTED)
        self._cut_short = self._cut_short or (self._gapless and broken_off)
        self.in_alarm = bool(report.alarm)
        self._alarm = report.alarm or self._alarm

    def _proves(self, report: Report) -> bool:
        counted, before = report.figures.parts, self.baseline
        return report.phase is Phase.COMPLETED or (
            counted is not None and before is not None and counted > before
        )
