"""What the reports of a read-only machine prove about one part. A report counts only for the
ordered program, by name, from a begin after the order. A part is done if its program was seen to
complete, or was counted, in a mode that cuts from begin to end. Otherwise a person decides."""

from cnc_station.engine.domain.nc.names import same_program, spelled
from cnc_station.engine.drivers.reported import IN_PROGRAM, Phase, Report

MOST_KEPT = 1_000  # reports stored after the end of a part, until the next one is ordered
MOST_COUNTED = 4  # for one part: some programs make, and count, a few pieces at once
_HOW = "the program has ended, and the machine does not report how"
_DOUBTFUL = "the program has ended, but it may not have made a part"


def _comparison_key(report: Report) -> tuple[object, ...]:
    """Return what matters of a report for a part."""
    return report.phase, report.names, report.figures.parts, report.doubts


class Part:
    """One ordered part, which an operator starts at the machine's own panel. `settle_s`: how long
    after a begin or an end other values (name, counter) may still change. `now` is in seconds of
    any monotonic clock."""

    def __init__(self, program: str, settle_s: float) -> None:
        self.begun = False
        self.start_confirmed = False  # a person has confirmed that it runs
        self.finished = False
        self.failure = ""  # why it will not be finished
        self.in_alarm = False  # whether the machine is still in alarm after the failure
        self._program = program
        self._settle_s = settle_s
        self._idle_seen = False  # no program ran at some time since the order: a begin is new
        self._last = Phase.UNKNOWN
        self._program_since: float | None = None  # the time since a program has been running
        self._stopped_at: float | None = None  # the time when it stopped without proof of its end
        self._in_doubt = False  # it stopped, and was reported as completed
        self._cut_short = False  # it stopped after it was held or stopped
        self._aborted = False  # the abort was reported
        self._gapless = True
        self.baseline: int | None = None  # the counter at its begin
        self._counted: int | None = None  # the latest counter
        self._doubts: dict[str, None] = {}  # why it may not make a part, in order
        self._alarm = ""
        # The reports after its end; None if some were dropped.
        self._after: list[tuple[float, Report]] | None = []

    @property
    def over(self) -> bool:
        """Whether no later report can change the result."""
        return self.finished or bool(self.failure)

    @property
    def needs_decision(self) -> bool:
        """Whether it has stopped, or was lost from sight, and only a person can decide."""
        return self.begun and not self.over and self._stopped_at is not None

    @property
    def doubts(self) -> str:
        """Why it may not make a part, from its begin until now; "" for no reason."""
        return "; ".join(self._doubts)

    def open_question(self) -> str:
        """Return why only a person can decide how it ended."""
        words = _DOUBTFUL if self._in_doubt else _HOW
        return f"{words}: {self.doubts}" if self._doubts else words

    def waiting_reason(self, report: Report) -> str:
        """Return why it has not begun, and which program name is expected."""
        if report.phase not in IN_PROGRAM:
            return f"waits for {self._program} to be started at the control"
        ours = next((name for name in report.names if same_program(self._program, name)), "")
        if not ours:
            runs = next((name for name in report.names if name), "a program without a name")
            return f"{runs} runs: the job waits for {spelled(self._program)}"
        if report.by_hand is not None:
            start = "the job waits for its start in automatic mode"
            return f"{ours} is selected, but {report.by_hand.now}: {start}"
        if not self._idle_seen:
            before = f"{ours} was running before this job was assigned"
            return f"{before}: the job waits for its next start"
        return f"{ours} runs, but its start was not seen: the job waits for its next start"

    def confirm_start(self, report: Report, now: float) -> None:
        """Accept a person's word that it runs or will: what runs now is not an earlier run."""
        self.start_confirmed = self._idle_seen = True
        self.attach(report, now)

    def next(self) -> "Part":
        """Return the next part of the order. All reports since the end of this one count for it."""
        part = Part(self._program, self._settle_s)
        if self.finished and self._after is not None:
            part._idle_seen = True
            for now, report in self._after:
                part.add_report(report, now)
        return part

    def attach(self, report: Report, now: float) -> bool:
        """Return whether the ordered program runs now. If so, the run counts as this part."""
        if report.phase not in IN_PROGRAM or not self._is_ours(report) or report.by_hand:
            return False
        self._last, self._program_since = report.phase, now
        self._begin(report)
        return True

    def reports_lost(self) -> None:
        """Handle lost reports: the part can continue only if its program still runs."""
        self._gapless = False
        self._program_since = self._after = self._counted = None

    def add_report(self, report: Report, now: float) -> None:
        """Take the next report, in the order in which they were made."""
        self.check_time(now)
        if self.finished:
            self._store_after_end(report, now)
        if self.over:
            return
        if self.begun or report.phase is Phase.UNKNOWN:  # its begin may fall into this time
            self._note_modes(report)
        if report.phase is Phase.UNKNOWN:
            self.reports_lost()
            return
        in_program = report.phase in IN_PROGRAM
        if in_program and self._program_since is None:
            self._program_since = now
        if not self.begun:
            self._wait_for_begin(report, now)
        elif in_program:
            self._continue(report, now)
        else:
            self._stop(report, now)
        if not in_program:
            self._program_since = None
        self._last = report.phase

    def check_time(self, now: float) -> None:
        """Handle the passing of time. A program was broken off if it was held or stopped, then
        reset, and no counter has counted it."""
        left = self.seconds_left(now)
        if left is not None and left <= 0:
            self.failure = "the program was aborted at the machine before its end"
            if self._alarm:
                self.failure += f" (reported before: {self._alarm})"

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds until `check_time` decides without a report; None for never."""
        if self.over or self._stopped_at is None or not self._cut_short:
            return None
        if self._last not in (Phase.IDLE, Phase.ABORTED):
            return None
        return max(self._stopped_at + self._settle_s - now, 0.0)

    def _store_after_end(self, report: Report, now: float) -> None:
        if self._after is None:
            return
        if len(self._after) >= MOST_KEPT:
            self._after = None
        elif not self._after or _comparison_key(self._after[-1][1]) != _comparison_key(report):
            self._after.append((now, report))

    def _is_ours(self, report: Report) -> bool:
        return any(same_program(self._program, name) for name in report.names)

    def _early(self, now: float) -> bool:
        return self._program_since is not None and now - self._program_since <= self._settle_s

    def _wait_for_begin(self, report: Report, now: float) -> None:
        if report.phase not in IN_PROGRAM:
            self._idle_seen = True
            self._doubts.clear()
            return
        self._note(report)
        if self._idle_seen and self._early(now) and self._is_ours(report) and not report.by_hand:
            self._begin(report)

    def _begin(self, report: Report) -> None:
        self.begun, self._gapless, self._stopped_at = True, True, None
        self._in_doubt = self._cut_short = self._aborted = False
        self.baseline, self._alarm = report.figures.parts, report.alarm
        self._counted = self.baseline
        self._note(report)

    def _continue(self, report: Report, now: float) -> None:
        """Handle a running program: the ordered one, unless it stopped or was lost from sight."""
        if self._stopped_at is not None or not self._gapless:
            if not self._is_ours(report) or not self._early(now):
                self._lose(report, now)
                return
            if self._in_doubt and self._gapless:
                self._begin_again(report)
                return
            self._stopped_at, self._gapless = None, True
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
        """Begin again after a doubtful end (such as a dry run): this run may make the part."""
        if not report.by_hand:
            self._doubts.clear()
            self._begin(report)

    def _lose(self, report: Report, now: float) -> None:
        """Handle another program, whose end would prove nothing."""
        self._gapless = False
        if self._cut_short and any(report.names):
            runs = next(name for name in report.names if name)
            self.failure = f"another program was started before its end: {runs}"
        elif self._stopped_at is None:
            self._stopped_at = now

    def _stop(self, report: Report, now: float) -> None:
        """Handle a stop: finished, if a completion or a count was reported without a gap."""
        if self._in_doubt:
            return
        just_now = self._stopped_at is None or now - self._stopped_at <= self._settle_s
        if self._gapless and just_now:
            self._note(report)
            if self._proves(report):
                self._end(now)
                return
        if self._stopped_at is None:
            self._stopped_at = now
            self._cut_short = self._gapless and self._last is Phase.HELD
        elif self._last is Phase.STOPPED and report.phase is Phase.IDLE:
            self._stopped_at = now  # reset only now
        broken_off = report.phase in (Phase.STOPPED, Phase.ABORTED)
        self._cut_short = self._cut_short or (self._gapless and broken_off)
        self.in_alarm = bool(report.alarm)
        self._alarm = report.alarm or self._alarm

    def _end(self, now: float) -> None:
        """Finish: a reported completion or count is proof unless there is a doubt."""
        self.finished = not self._doubts
        if self._doubts:
            self._stopped_at, self._in_doubt, self._cut_short = now, True, False

    def _proves(self, report: Report) -> bool:
        if report.phase is Phase.COMPLETED:
            return not report.programs or self._is_ours(report)
        self._aborted = self._aborted or report.phase is Phase.ABORTED
        counted, before = report.figures.parts, self.baseline
        if counted is None or before is None or self._aborted:
            return False
        return 0 < counted - before <= MOST_COUNTED

    def _note(self, report: Report) -> None:
        """Record doubts: a mode that does not cut, or a jump of the part counter."""
        self._note_modes(report)
        counted, before = report.figures.parts, self._counted
        if counted is None or not self.begun:
            return
        self._counted = counted
        if before is not None and counted - before > MOST_COUNTED:
            words = f"the part counter jumped from {before} to {counted} for one part"
            self._doubts[words] = None

    def _note_modes(self, report: Report) -> None:
        for doubt in report.doubts:
            self._doubts[doubt.then] = None
