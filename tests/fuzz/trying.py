"""Inputs to one target: how each ended, how long it took, and what memory all of them needed."""

import logging
import random
import re
import signal
import sys
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cnc_station.engine.domain.errors import CncStationError
from tests.fuzz.inputs import mutated
from tests.fuzz.targets import TARGETS, Fuzzed

LONGEST_S = 1.0  # of computing: a busy computer does not change it
HANG_S = 30.0  # by the clock; targets that wait for an answer have limits of their own


@dataclass(slots=True)
class Figures:
    """The result of one target. `peak_mb` is the memory of the process that needed most."""

    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    failures: int = 0
    grown_mb: float = 0.0
    peak_mb: float = 0.0

    def add(self, other: "Figures") -> None:
        """Count the result of other inputs."""
        self.inputs += other.inputs
        self.seconds += other.seconds
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)
        self.grown_mb = max(self.grown_mb, other.grown_mb)
        self.peak_mb = max(self.peak_mb, other.peak_mb)


class _Worded(logging.Handler):
    """Words each line of the log, and prints none."""

    def emit(self, record: logging.LogRecord) -> None:
        record.getMessage()


class Hangs(BaseException):
    """An input was given up after `HANG_S`. Not an Exception: no target catches it."""


def try_share(name: str, seed: int, numbers: range) -> Figures:
    """Try the inputs with these numbers, in a process for them."""
    logging.basicConfig(level=logging.INFO, handlers=[_Worded()])
    warnings.simplefilter("ignore")
    fuzzed, figures = TARGETS[name], Figures()
    for seed_input in fuzzed.seeds:  # what is imported late is imported now
        _try(name, fuzzed, seed_input, Figures())
    before = _memory_mb("VmRSS")
    signal.signal(signal.SIGALRM, _give_up)
    begun = time.perf_counter()
    for number in numbers:
        chance = random.Random(f"{seed} {name} {number}")
        _try(name, fuzzed, mutated(chance, fuzzed.seeds, fuzzed.tokens), figures)
    figures.seconds = time.perf_counter() - begun
    figures.peak_mb = _memory_mb("VmHWM")
    figures.grown_mb = max(0.0, figures.peak_mb - before)
    return figures


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise Hangs


def _try(name: str, fuzzed: Fuzzed, data: bytes, figures: Figures) -> None:
    figures.inputs += 1
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        begun = time.process_time()
        seconds_of(fuzzed, data)
        seconds = time.process_time() - begun
    except (Exception, Hangs):  # noqa: BLE001 - whatever it raises is a finding
        figures.failures += 1
        if figures.failures <= 3:
            print(f"{name}: {data[:2000]!r}\n{traceback.format_exc(limit=-8)}", file=sys.stderr)
        return
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    figures.slowest = max(figures.slowest, seconds)
    if seconds > LONGEST_S:
        figures.failures += 1
        print(f"{name}: {seconds:.1f} s for {data[:2000]!r}", file=sys.stderr)


def seconds_of(fuzzed: Fuzzed, data: bytes) -> float:
    """Return how long the target took. Raises what it must not raise."""
    begun = time.perf_counter()
    try:
        fuzzed.target(data)
    except CncStationError as error:
        if not str(error):
            raise AssertionError("an error without words") from error
    return time.perf_counter() - begun


def _memory_mb(what: str) -> float:
    """Return the memory of this process: `VmRSS` now, `VmHWM` at most."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found is not None
    return int(found[1]) / 1024
