"""Monitors a run, from its start to the verdict."""

import asyncio
import re

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.drivers.base import (
    EndUnproven,
    RunAborted,
    RunFailed,
    RunInspection,
    RunOutcome,
)
from cnc_station.engine.drivers.linuxcnc.ending import NEAR_MM, Ending
from cnc_station.engine.drivers.linuxcnc.files import Note
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, PAUSED, RUNNING, Snapshot

# Messages about a refused command of an operator, or about the computer: the run is not affected.
HARMLESS = re.compile(r"can't do that \(|can't switch mode|realtime delay", re.IGNORECASE)
IDLE_POLLS = 2
# The longest rest of a program when it was last seen running: a multiple of the time since, because
# overrides and rapids may be faster than the reader assumes, plus a margin.
FASTER, MARGIN_S = 3.0, 1.0


class RunMonitor:
    """Decides how one run ended. `observe` takes every snapshot; `verdict` is set at the end.

    A controller with a stopped program looks like one whose program has ended (see `ending`), so
    IDLE alone means nothing. The run is done when the tool stands at the program's end. If that
    proves nothing, or the path passed there before, the rest of the program must also have been
    possible in the time since the last line that was seen running. The run must have taken as long
    as its cuts take, because a program that an operator restarts in the middle ends there too. In
    all other cases a person has to decide.
    """

    def __init__(
        self, path: str, ending: Ending, note: Note, at: float, *, from_start: bool = True
    ) -> None:
        """`from_start`: it starts now; otherwise its start time is unknown."""
        self.path = path
        self.note = note
        self.began = False
        self.aborting = False
        self.ended = asyncio.Event()
        self.verdict: CncStationError | None = None
        self.errors: list[str] = []
        self._ending = ending
        self._started = at if from_start else None
        self._at = at  # when it was started, or last seen running
        self._line = 0
        self._last: Snapshot | None = None
        self._idle = 0

    def observe(self, now: Snapshot, at: float) -> None:
        """Take a snapshot into account; `at` is in seconds of a monotonic clock."""
        if self.ended.is_set():
            return
        self.errors += [error for error in now.errors if not HARMLESS.search(error)]
        if now.state == IDLE:
            self._idle += 1
            if (self.began or now.line > 0) and self._idle >= IDLE_POLLS:
                self.end(self._judged(now, at))
            return
        self._idle = 0
        if now.program != self.path:
            self.end(EndUnproven(f"another program was started: {now.program}{self._where(now)}"))
            return
        if now.mode != "AUTO":
            self.end(EndUnproven(self._other_mode(now)))
            return
        self.began = True
        self._at, self._line, self._last = at, now.line, now
        if now.state == RUNNING and not self.note.late and self._is_late(now):
            self.note = Note(self.note.start, late=True)

    def end(self, verdict: CncStationError | None) -> None:
        """Set the verdict. None: it is done."""
        self.verdict = verdict
        self.ended.set()

    def _is_late(self, now: Snapshot) -> bool:
        # Until its first motion the controller shows the line of the run before.
        gone = max(abs(a - b) for a, b in zip(now.place, self.note.start, strict=True)) > NEAR_MM
        near = self._ending.near_end(now.place, z_is_work=now.z_is_work)
        return gone and not near and now.line in self._ending.late

    def _judged(self, now: Snapshot, at: float) -> CncStationError | None:
        if self.aborting:
            return RunAborted("aborted")
        if now.estop:
            return RunFailed(f"emergency stop{self._where(now)}", alarm=True)
        if self.errors:
            return RunFailed("; ".join(self.errors))
        if not now.on:
            return RunFailed(f"the machine was switched off{self._where(now)}")
        if doubt := self._doubt(now):
            return EndUnproven(doubt)
        return self._lack_of_proof(now, at)

    def _doubt(self, now: Snapshot) -> str:
        """Return what an operator did at the machine that hides how it ended; "" if nothing."""
        if now.program != self.path:
            return f"another program was opened: {now.program or 'none'}{self._where(now)}"
        if now.mode != "AUTO":
            return self._other_mode(now)
        return "" if now.homed else f"the machine is no longer homed{self._where(now)}"

    def _other_mode(self, now: Snapshot) -> str:
        return f"the machine was switched to {now.mode} mode{self._where(now)}"

    def _lack_of_proof(self, now: Snapshot, at: float) -> CncStationError | None:
        last = self._last
        if last is not None and last.state == PAUSED and last.place == now.place:
            return RunFailed(f"stopped at the machine while it was held{self._where(now)}")
        there = self._ending.stands_at_end(now.place, z_is_work=now.z_is_work)
        sure = self._ending.known and self.note.late
        if there and (sure or self._rest_was_made(at)):
            return self._too_soon(now, at)
        if not self._ending.known:
            return EndUnproven(f"there is no proof that it reached its end{self._where(now)}")
        if not there and self._ending.may_be_turned(now.place, z_is_work=now.z_is_work):
            return EndUnproven(
                f"it ended at the right distance from the work zero, but in another place: is "
                f"the work offset rotated (G10 L2 R)?{self._where(now)}"
            )
        return RunFailed(f"stopped at the machine before its end{self._where(now)}")

    def _too_soon(self, now: Snapshot, at: float) -> CncStationError | None:
        if self._started is None or self._ending.cut_s <= FASTER * (at - self._started) + MARGIN_S:
            return None
        return EndUnproven(
            f"it ended after {at - self._started:.0f} s, its cuts alone take "
            f"{self._ending.cut_s:.0f} s: was it started in the middle?{self._where(now)}"
        )

    def _rest_was_made(self, at: float) -> bool:
        left = self._ending.left_s.get(self._line)
        if left is None:
            left = self._ending.moving_s
        return left <= FASTER * (at - self._at) + MARGIN_S

    def _where(self, now: Snapshot) -> str:
        return f", in line {self._line or now.line}; the tool stands at {words_of(now)}"


def words_of(now: Snapshot) -> str:
    """Return the tool position as text."""
    axes = [f"{axis}{mm:.3f}" for axis, mm in zip("XYZ", now.place, strict=True)]
    return " ".join(axes if now.z_is_work else axes[:2])


def inspect_set_up(part: int) -> RunInspection:
    """Return the outcome while the modes for a part were being set. That part was never started,
    and the one before was done."""
    if part > 1:
        return RunInspection(RunOutcome.FINISHED, f"part {part} was being set up", part - 1)
    return RunInspection(RunOutcome.STOPPED, "its modes were being set, and it was never started")


def inspect_open_run(now: Snapshot, ending: Ending, note: Note | None, part: int) -> RunInspection:
    """Return the outcome of a run whose file is open."""
    if now.state != IDLE:
        return RunInspection(RunOutcome.UNDER_WAY, f"it is in line {now.line}", part)
    if now.line == 0:
        return RunInspection(RunOutcome.STOPPED, "its program is open and was never started", part)
    stands = f"the tool stands at {words_of(now)}"
    doubt = _doubt(now, ending, note)
    if doubt:
        return RunInspection(RunOutcome.STOPPED, f"the controller is idle, {stands}; {doubt}", part)
    return RunInspection(
        RunOutcome.FINISHED, f"{stands}, which only the end of the program reaches", part
    )


def _doubt(now: Snapshot, ending: Ending, note: Note | None) -> str:
    if now.estop or not now.on:
        return "it is in the emergency stop" if now.estop else "the machine is off"
    if not ending.known:
        return "the end position of the program is unknown"
    if not ending.stands_at_end(now.place, z_is_work=now.z_is_work):
        return "the program ends elsewhere"
    if note is None or not note.late:
        return "the program ends there, but also passes there earlier"
    if now.mode != "AUTO":
        return f"in {now.mode} mode: an operator has been at the machine"
    return "; ".join(now.errors)
