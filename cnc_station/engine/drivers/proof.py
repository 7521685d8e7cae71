"""What the reports of a machine that can only be watched prove about one part.

It is strict. What a machine says counts only for the ordered program, by its name, and only from a
begin after the order on. A part is done if its program was seen to complete, or was counted, in a
mode that cuts from its begin to its end; whatever is left open stays open until a person says.
"""

from cnc_station.engine.domain.nc.names import same_program, spelled
from cnc_station.engine.drivers.reported import IN_PROGRAM, Phase, Report

MOST_KEPT = 1_000  # reports after the end of a part, until the next one is ordered
MOST_COUNTED = 4  # for one part: some programs make, and count, a few pieces at once
_HOW = "the program has ended, and the machine does not say how"
_DOUBTFUL = "the program has ended, but it may not have made a part"


def _gist(report: Report) -> tuple[object, ...]:
    """What a part goes by."""
    return report.phase, report.names, report.figures.parts, report.doubts


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
        self._left: float | None = None  # when ours stopped without proof of how it ended
        self._in_doubt = False  # and was said to be completed
        self._cut_short = False  # and was held or stopped before
        self._aborted = False  # and said so
        self._gapless = True
        self.baseline: int | None = None  # of the counter, at its begin
        self._counted: int | None = None  # the latest
        self._doubts: dict[str, None] = {}  # in order: why it may not make a part
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

    @property
    def doubts(self) -> str:
        """Why it may not make a part, from its begin until now; "" for no reason."""
        return "; ".join(self._doubts)

    def left_open(self) -> str:
        """Why only a person can say how it ended."""
        words = _DOUBTFUL if self._in_doubt else _HOW
        return f"{words}: {self.doubts}" if self._doubts else words

    def awaits(self, report: Report) -> str:
        """Why it has not begun, and which name is awaited."""
        if report.phase not in IN_PROGRAM:
            return f"waits for {self._program} to be started at the control"
        ours = next((name for name in report.names if same_program(self._program, name)), "")
        if not ours:
            runs = next((name for name in report.names if name), "a program without a name")
            return f"{runs} runs: the job waits for {spelled(self._program)}"
        if report.by_hand is not None:
            start = "the job waits for its start in automatic mode"
            return f"{ours} is selected, but {report.by_hand.now}: {start}"
        if not self._free:
            before = f"{ours} was running before this job was assigned"
            return f"{before}: the job waits for its next start"
        return f"{ours} runs, but its start was not seen: the job waits for its next start"

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
        if report.phase not in IN_PROGRAM or not self._is_ours(report) or report.by_hand:
            return False
        self._last, self._stretch = report.phase, now
        self._begin(report)
        return True

    def missed(self) -> None:
        """Some reports were lost: only if the ordered program still runs can it go on."""
        self._gapless = False
        self._stretch = self._after = self._counted = None

    def see(self, report: Report, now: float) -> None:
        """The next report, in the order in which they were made."""
        self.wait(now)
        if self.finished:
            self._keep(report, now)
        if self.over:
            return
        if report.phase is Phase.UNKNOWN:
            self.missed()
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
        return any(same_program(self._program, name) for name in report.names)

    def _early(self, now: float) -> bool:
        return self._stretch is not None and now - self._stretch <= self._settle_s

    def _expect(self, report: Report, now: float) -> None:
        if report.phase not in IN_PROGRAM:
            self._free = True
            self._doubts.clear()
            return
        self._note(report)
        if self._free and self._early(now) and self._is_ours(report) and not report.by_hand:
            self._begin(report)

    def _begin(self, report: Report) -> None:
        self.begun, self._gapless, self._left = True, True, None
        self._in_doubt = self._cut_short = self._aborted = False
        self.baseline, self._alarm = report.figures.parts, report.alarm
        self._counted = self.baseline
        self._note(report)

    def _go_on(self, report: Report, now: float) -> None:
        """Something runs: ours, unless ours was seen to stop or lost from sight."""
        if self._left is not None or not self._gapless:
            if not self._is_ours(report) or not self._early(now):
                self._lose(report, now)
                return
            if self._in_doubt and self._gapless:
                self._begin_again(report)
                return
            self._left, self._gapless = None, True
            self._in_doubt = self._aborted = False
        self._note(report)
        self._alarm = report.alarm or self._alarm
        counted = report.figures.parts
        if counted is not None and (
            self._early(now)  # the part before may still be counted now
            or self.baseline is None
            or counted < self.baseline  # set back by a person
        ):
            self.baseline = counted

    def _begin_again(self, report: Report) -> None:
        """It had ended in doubt, after a dry run say: the same program, run anew, may make it."""
        if not report.by_hand:
            self._doubts.clear()
            self._begin(report)

    def _lose(self, report: Report, now: float) -> None:
        if self._cut_short and any(report.names):
            runs = next(name for name in report.names if name)
            self.failure = f"another program was started before its end: {runs}"
        elif self._left is None:
            self._left = now

    def _stop(self, report: Report, now: float) -> None:
        """Nothing runs: finished, if that was said, or counted, while it was in sight."""
        if self._in_doubt:
            return
        just_now = self._left is None or now - self._left <= self._settle_s
        if self._gapless and just_now:
            self._note(report)
            if self._proves(report):
                self._end(now)
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

    def _end(self, now: float) -> None:
        """Its end was said or counted: that is proof unless something speaks against it."""
        self.finished = not self._doubts
        if self._doubts:
            self._left, self._in_doubt, self._cut_short = now, True, False

    def _proves(self, report: Report) -> bool:
        if report.phase is Phase.COMPLETED:
            return not report.programs or self._is_ours(report)
        self._aborted = self._aborted or report.phase is Phase.ABORTED
        counted, before = report.figures.parts, self.baseline
        if counted is None or before is None or self._aborted:
            return False
        return 0 < counted - before <= MOST_COUNTED

    def _note(self, report: Report) -> None:
        """What speaks against it: a mode that does not cut, a leap of the part counter."""
        for doubt in report.doubts:
            self._doubts[doubt.then] = None
        counted, before = report.figures.parts, self._counted
        if counted is None or not self.begun:
            return
        self._counted = counted
        if before is not None and counted - before > MOST_COUNTED:
            words = f"the part counter leapt from {before} to {counted} for one part"
            self._doubts[words] = None
